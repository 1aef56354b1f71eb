// The programs inside the image, by name. The table is made by CMakeLists.txt.
#include "kernel/proc/program.h"

#include "kernel/base/format.h"

struct program {
    const char *name;
    const void *start, *end;
};
extern const struct program user_archive_start[], user_archive_end[];

bool user_program_find(const char *name, const void **data, size_t *size)
{
    for (const struct program *program = user_archive_start; program < user_archive_end; program++) {
        if (text_equal(program->name, name)) {
            *data = program->start;
            *size = (size_t)((const char *)program->end - (const char *)program->start);
            return true;
        }
    }
    return false;
}

extern const char user_vdso_start[], user_vdso_end[];

bool user_vdso_find(const void **data, size_t *size)
{
    *data = user_vdso_start;
    *size = (size_t)(user_vdso_end - user_vdso_start);
    return true;
}

const char *user_program_name(size_t index)
{
    size_t count = (size_t)(user_archive_end - user_archive_start);
    return index < count ? user_archive_start[index].name : NULL;
}
