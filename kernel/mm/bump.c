#include "kernel/mm/bump.h"

#include <fault/fault.h>

int bump_init(struct bump *bump, paddr_t start, paddr_t end)
{
    if (start.raw > end.raw) {
        return -EINVAL;
    }
    *bump = (struct bump){.start = start, .end = end, .next = start};
    return 0;
}

int bump_alloc(struct bump *bump, uint64_t size, uint64_t align, paddr_t *out)
{
    if (size == 0 || !is_power_of_two(align)) {
        return -EINVAL;
    }
    if (fault_here(FAULT_BOOT_ALLOC)) {
        return -ENOMEM;
    }
    uint64_t start, end;
    if (!add_fits(bump->next.raw, align - 1, &start)) {
        return -ENOMEM;
    }
    start = round_down(start, align);
    if (!add_fits(start, size, &end) || end > bump->end.raw) {
        return -ENOMEM;
    }
    bump->next = paddr(end);
    *out = paddr(start);
    return 0;
}

const char *bump_check(const struct bump *bump)
{
    if (bump->start.raw > bump->next.raw) {
        return "next lies before start";
    }
    if (bump->next.raw > bump->end.raw) {
        return "next lies behind end";
    }
    return NULL;
}
