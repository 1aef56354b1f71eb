#include "kernel/proc/exec.h"

#include "kernel/base/atomic.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/path.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/elf.h"
#include "kernel/proc/layout.h"
#include "kernel/proc/process.h"
#include "kernel/proc/stack.h"
#include "kernel/proc/vdso.h"

#define HEAD_SIZE PAGE_SIZE
#define SCRIPT_LINE_MAX 256u

int exec_strings_init(struct exec_strings *strings)
{
    void *memory;
    int error = kmalloc(ARGUMENTS_MAX, &memory);
    *strings = (struct exec_strings){.bytes = error == 0 ? memory : NULL};
    return error;
}

void exec_strings_free(struct exec_strings *strings)
{
    kfree(strings->bytes);
}

int exec_strings_add(struct exec_strings *strings, const char *text)
{
    size_t length = 1;
    while (text[length - 1] != 0) {
        length++;
    }
    if (length > ARGUMENTS_MAX - strings->size) {
        return -E2BIG;
    }
    __builtin_memcpy(strings->bytes + strings->size, text, length);
    strings->size += length;
    return 0;
}

// What is being loaded. Scripts change it as they are followed.
struct loading {
    struct space *space;
    const struct path_start *start;
    struct file *file; // a reference
    const struct exec_strings *strings;
    struct exec_strings own; // of scripts; bytes NULL: none
    char *head;              // HEAD_SIZE
    size_t head_size;
    struct elf_image elf;
    bool no_gain;
    struct program *out;
};

static int read_at(struct file *file, uint64_t offset, void *to, size_t size, size_t *got)
{
    struct io io = {.kernel = to, .left = size};
    int64_t done = file->ops->read != NULL && !file->ops->stream ? file->ops->read(file, &io, offset) : -EACCES;
    *got = done > 0 ? (size_t)done : 0;
    return done < 0 ? (int)done : 0;
}

int program_open(const struct path_start *start, const char *path, struct file **out)
{
    void *buffer;
    size_t length = 0;
    while (length < PATH_MAX - 1 && path[length] != 0) {
        length++;
    }
    int error = kmalloc(PATH_MAX, &buffer);
    if (error == 0) {
        __builtin_memcpy(buffer, path, length);
        ((char *)buffer)[length] = 0;
        error = file_open(start, buffer, O_RDONLY | O_NONBLOCK, 0, out); // no pipe has a program at its other end
        kfree(buffer);
    }
    if (error == 0) {
        error = vnode_is((*out)->node, S_IFREG) ? vnode_access((*out)->node, start->as, ACCESS_EXEC) : -EACCES;
        if (error != 0) {
            file_put(*out);
        }
    }
    return error;
}

// --- scripts -------------------------------------------------------------------------------------------------------

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

// Cuts "#! interpreter argument" in head. *argument may be NULL.
static int cut_line(char *head, size_t size, char **interpreter, char **argument)
{
    size_t end = 2;
    while (end < size && end < SCRIPT_LINE_MAX && head[end] != '\n') {
        end++;
    }
    if (end == size || end == SCRIPT_LINE_MAX) {
        return -ENOEXEC;
    }
    while (end > 2 && is_space(head[end - 1])) {
        end--;
    }
    head[end] = 0;
    char *at = head + 2;
    while (is_space(*at)) {
        at++;
    }
    if (*at == 0) {
        return -ENOEXEC;
    }
    *interpreter = at;
    while (*at != 0 && !is_space(*at)) {
        at++;
    }
    *argument = NULL;
    if (*at != 0) {
        *at++ = 0;
        while (is_space(*at)) {
            at++;
        }
        *argument = at;
    }
    return 0;
}

// interpreter [argument] path, then the old arguments but the first, then the environment.
static int prepend(struct loading *loading, const char *interpreter, const char *argument, const char *path)
{
    struct exec_strings made;
    int error = exec_strings_init(&made);
    error = error != 0 ? error : exec_strings_add(&made, interpreter);
    made.argc = 1;
    if (error == 0 && argument != NULL) {
        error = exec_strings_add(&made, argument);
        made.argc++;
    }
    error = error != 0 ? error : exec_strings_add(&made, path);
    made.argc++;
    const struct exec_strings *old = loading->strings;
    size_t at = 0;
    for (uint32_t i = 0; i < old->argc + old->envc && error == 0; i++) {
        const char *text = old->bytes + at;
        while (old->bytes[at++] != 0) {
        }
        if (i > 0 || old->argc == 0) {
            error = exec_strings_add(&made, text);
            made.argc += i < old->argc;
            made.envc += i >= old->argc;
        }
    }
    exec_strings_free(&loading->own);
    loading->own = made;
    loading->strings = &loading->own;
    return error;
}

static int follow_script(struct loading *loading, const char *path)
{
    char *interpreter, *argument;
    int error = cut_line(loading->head, loading->head_size, &interpreter, &argument);
    if (error == 0) {
        error = prepend(loading, interpreter, argument, path);
    }
    struct file *file;
    if (error == 0) {
        error = program_open(loading->start, interpreter, &file);
    }
    if (error == 0) {
        file_put(loading->file);
        loading->file = file;
    }
    return error;
}

// --- segments ------------------------------------------------------------------------------------------------------

static int map_zeroes(struct space *space, uint64_t start, uint64_t end, unsigned flags)
{
    struct space_request request = {.address = start, .size = end - start, .flags = flags, .fixed = true};
    uint64_t at;
    return end > start ? space_map(space, &request, &at) : 0;
}

static int map_segment(struct space *space, struct file *file, const struct elf_segment *segment, uint64_t bias)
{
    uint64_t va = segment->va + bias, start = round_down(va, PAGE_SIZE), at;
    uint64_t file_end = va + segment->file_size, end = round_up(va + segment->memory_size, PAGE_SIZE);
    unsigned flags = AREA_READ | ((segment->flags & MAP_WRITE) != 0 ? AREA_WRITE : 0) |
                     ((segment->flags & MAP_EXEC) != 0 ? AREA_EXEC : 0);
    if (((va ^ segment->offset) & PAGE_MASK) != 0 || file->ops->pages == NULL) {
        return -ENOEXEC;
    }
    uint64_t zero = start;
    if (segment->file_size > 0) {
        zero = round_up(file_end, PAGE_SIZE);
        struct space_request request = {.address = start,
                                        .size = zero - start,
                                        .flags = flags,
                                        .fixed = true,
                                        .backing = file->ops->pages(file),
                                        .offset = round_down(segment->offset, PAGE_SIZE)};
        int error = space_map(space, &request, &at);
        if (error != 0) {
            return error;
        }
    }
    int error = map_zeroes(space, zero, end, flags);
    // What the file holds behind the segment is none of the program's; a dynamic linker takes the page's rest as its
    // own.
    if (error == 0 && segment->memory_size > segment->file_size && zero > file_end && (flags & AREA_WRITE) != 0) {
        error = space_zero(space, file_end, zero - file_end);
    }
    return error;
}

static int map_segments(struct space *space, struct file *file, const struct elf_image *elf, uint64_t bias)
{
    int error = 0;
    for (unsigned i = 0; i < elf->segment_count && error == 0; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        if (segment->va + segment->memory_size + bias > space->mmap_top) {
            return -ENOEXEC;
        }
        error = map_segment(space, file, segment, bias);
        error = error == -EEXIST || error == -EPERM ? -ENOEXEC : error;
    }
    return error;
}

// The lowest address and the size of all segments.
static uint64_t span(const struct elf_image *elf)
{
    const struct elf_segment *last = &elf->segments[elf->segment_count - 1];
    return round_up(last->va + last->memory_size, PAGE_SIZE);
}

// The dynamic linker takes over, at a place of its own.
static int load_interpreter(struct loading *loading, uint64_t *base, uint64_t *entry)
{
    size_t got;
    struct file *file;
    struct elf_image elf;
    int error = read_at(loading->file, loading->elf.interpreter_offset, loading->head,
                        min_u64(loading->elf.interpreter_size, HEAD_SIZE), &got);
    if (error == 0 && (got == 0 || loading->head[got - 1] != 0)) {
        error = -ENOEXEC;
    }
    if (error == 0) {
        error = program_open(loading->start, loading->head, &file);
    }
    if (error != 0) {
        return error;
    }
    error = read_at(file, 0, loading->head, HEAD_SIZE, &got);
    if (error == 0) {
        error = elf_parse(loading->head, got, file->node->size, &elf);
    }
    if (error == 0 && (!elf.moves || elf.interpreter_size != 0)) {
        error = -ENOEXEC;
    }
    if (error == 0) {
        *base = areas_find_gap(&loading->space->areas, SPACE_LOW, loading->space->mmap_top, span(&elf));
        error = *base != 0 ? map_segments(loading->space, file, &elf, *base) : -ENOMEM;
        *entry = elf.entry + *base;
    }
    file_put(file);
    return error;
}

// Whom the program acts for: the file's owner where it has the set-id bits, and the mount does not forbid it. Of a
// script it is the interpreter that counts.
static int choose_credentials(struct loading *loading)
{
    const struct vnode *node = loading->file->node;
    const struct credentials *old = loading->start->as;
    struct program *out = loading->out;
    struct credentials *copy;
    int error = credentials_copy(old, &copy);
    if (error != 0) {
        return error;
    }
    uint32_t mode = READ_ONCE(node->mode);
    bool honoured = !loading->no_gain && (READ_ONCE(node->mount->flags) & MOUNT_NO_SUID) == 0;
    if (honoured && (mode & S_ISUID) != 0) {
        copy->effective_uid = READ_ONCE(node->uid);
    }
    if (honoured && (mode & (S_ISGID | 010)) == (S_ISGID | 010)) { // without the other one it is for locks
        copy->effective_gid = READ_ONCE(node->gid);
    }
    out->wary = credentials_exec(copy, old, loading->no_gain);
    out->hidden = vnode_access(node, old, ACCESS_READ) != 0 || old->effective_uid != old->real_uid ||
                  old->effective_gid != old->real_gid;
    out->as = copy;
    return 0;
}

static int load_elf(struct loading *loading, const char *path)
{
    struct elf_image *elf = &loading->elf;
    struct program *out = loading->out;
    struct space *space = loading->space;
    int error = elf_parse(loading->head, loading->head_size, loading->file->node->size, elf);
    if (error != 0) {
        return error;
    }
    layout_choose(space, space_limits().stack);
    uint64_t bias = elf->moves ? layout_bias(space) : 0, base = 0;
    error = map_segments(space, loading->file, elf, bias);
    if (error != 0) {
        return error;
    }
    space->brk_start = space->brk = layout_brk(space, span(elf) + bias);
    out->entry = elf->entry + bias;
    if (elf->interpreter_size != 0) {
        error = load_interpreter(loading, &base, &out->entry);
    }
    struct stack_contents contents = {.strings = loading->strings,
                                      .path = path,
                                      .headers = elf->phdr_va != 0 ? elf->phdr_va + bias : 0,
                                      .header_count = elf->phdr_count,
                                      .entry = elf->entry + bias,
                                      .base = base};
    space->program = loading->file->ops->pages(loading->file);
    backing_run(space->program);
    error = error != 0 ? error : vdso_map(space);
    error = error != 0 ? error : choose_credentials(loading);
    if (error != 0) {
        return error;
    }
    contents.vdso = space->vdso;
    contents.as = out->as;
    contents.wary = out->wary;
    error = stack_build(space, &contents, &out->sp);
    if (error != 0) {
        credentials_put(out->as);
    }
    return error;
}

int program_load(struct space *space, const struct path_start *start, struct file *file, const char *path,
                 const struct exec_strings *strings, bool no_gain, struct program *out)
{
    struct loading loading = {
        .space = space, .start = start, .file = file, .strings = strings, .no_gain = no_gain, .out = out};
    void *head;
    int error = kmalloc(HEAD_SIZE, &head);
    if (error != 0) {
        return error;
    }
    loading.head = head;
    file_get(file);
    for (unsigned depth = 0; error == 0; depth++) {
        error = read_at(loading.file, 0, loading.head, HEAD_SIZE, &loading.head_size);
        bool script = error == 0 && loading.head_size > 2 && loading.head[0] == '#' && loading.head[1] == '!';
        if (error != 0 || !script) {
            break;
        }
        error = depth < INTERPRETERS_MAX ? follow_script(&loading, path) : -ELOOP;
    }
    if (error == 0) {
        error = load_elf(&loading, path);
    }
    file_put(loading.file);
    exec_strings_free(&loading.own);
    kfree(head);
    return error;
}
