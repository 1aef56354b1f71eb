#include "kernel/proc/vdso.h"

#include <hal/memory.h>

#include "kernel/mm/user_page.h"

static paddr_t code_page;

static int vdso_page(struct backing *backing, uint64_t offset, paddr_t *out)
{
    if (offset >= PAGE_SIZE) {
        return -ENXIO;
    }
    user_page_get(&kernel_pages, code_page);
    *out = code_page;
    return 0;
}

static void no_count(struct backing *backing)
{
}

static const struct backing_ops ops = {vdso_page, no_count, no_count, NULL}; // the page stays for ever
static struct backing vdso = {&ops};

int vdso_init(void)
{
    static const uint32_t sigreturn[] = {0xd2801168, 0xd4000001}; // mov x8, #139; svc #0
    int error = user_page_alloc(&kernel_pages, &code_page);
    if (error == 0) {
        __builtin_memcpy(phys_to_virt(code_page), sigreturn, sizeof(sigreturn));
    }
    return error;
}

int vdso_map(struct space *space)
{
    struct space_request request = {.size = PAGE_SIZE, .flags = AREA_READ | AREA_EXEC | AREA_VDSO, .backing = &vdso};
    return space_map(space, &request, &space->vdso);
}
