// What the host build of the kernel does not have.
#include "kernel/proc/program.h"

// A program without tests still has the list of them.
struct ktest;
static const struct ktest *const no_tests[0] __attribute__((used, section("ktests")));

// User programs are built for AArch64 only.
bool user_program_find(const char *name, const void **data, size_t *size)
{
    return false;
}

bool user_vdso_find(const void **data, size_t *size)
{
    return false;
}

const char *user_program_name(size_t index)
{
    return NULL;
}
