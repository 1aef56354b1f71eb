#include "harness/space.h"

#include "harness/fuzz.h"

void space_verify(const struct intervals *model, const struct pagetable *table, bool upper, uint64_t va)
{
    va &= ~PAGE_MASK;
    if ((va >> 48) != (upper ? 0xffffu : 0u)) {
        return;
    }
    const struct interval *want = intervals_find(model, va);
    struct machine_walk walk = machine_walk_from(table->root, va, upper);
    EXPECT_MODEL(walk.malformed == NULL, "0x%llx: %s", (unsigned long long)va, walk.malformed);
    EXPECT_MODEL(walk.valid == (want != NULL), "0x%llx is %smapped", (unsigned long long)va, walk.valid ? "" : "not ");
    struct mapping mapping;
    int error = pagetable_query(table, vaddr(va), &mapping);
    EXPECT_MODEL(error == (want != NULL ? 0 : -ENOENT), "query of 0x%llx gave %d", (unsigned long long)va, error);
    paddr_t seen;
    bool reached = machine_tlb_access(vaddr(va), MMU_KERNEL_READ, &seen);
    if (reached != (want != NULL)) {
        machine_finding("tlb", "0x%llx: the TLB %s a translation", (unsigned long long)va,
                        reached ? "still has" : "lacks");
    }
    if (want == NULL) {
        return;
    }
    uint64_t pa = want->pa + (va - want->va);
    EXPECT_MODEL(walk.pa == pa && mapping.pa.raw == pa, "0x%llx goes to 0x%llx, not 0x%llx", (unsigned long long)va,
                 (unsigned long long)walk.pa, (unsigned long long)pa);
    unsigned flags = (walk.write ? MAP_WRITE : 0) | (walk.user ? MAP_USER : 0) | (walk.device ? MAP_DEVICE : 0) |
                     (walk.exec_user || walk.exec_kernel ? MAP_EXEC : 0);
    EXPECT_MODEL(flags == want->flags && mapping.flags == flags, "0x%llx has rights 0x%x, not 0x%x",
                 (unsigned long long)va, flags, want->flags);
    bool writes = machine_tlb_access(vaddr(va), MMU_KERNEL_WRITE, &seen);
    if (seen.raw != pa || writes != ((want->flags & MAP_WRITE) != 0)) {
        machine_finding("tlb", "0x%llx is reached through a stale translation to 0x%llx", (unsigned long long)va,
                        (unsigned long long)seen.raw);
    }
}

bool space_bad_range(bool upper, uint64_t va, uint64_t size)
{
    unsigned __int128 base = upper ? PAGETABLE_KERNEL_BASE : 0, end = (unsigned __int128)va + size;
    return size == 0 || ((va | size) & PAGE_MASK) != 0 || va < base || end > base + PAGETABLE_HALF_SIZE;
}

static bool bad_flags(bool upper, unsigned flags)
{
    bool exec = (flags & MAP_EXEC) != 0;
    return (flags & ~15u) != 0 || (upper && (flags & MAP_USER) != 0) ||
           (!upper && (flags & MAP_USER) == 0 && (flags & (MAP_WRITE | MAP_EXEC)) != 0) ||
           (exec && (flags & (MAP_WRITE | MAP_DEVICE)) != 0);
}

int space_expect_map(const struct intervals *model, bool upper, uint64_t va, uint64_t pa, uint64_t size, unsigned flags)
{
    if (space_bad_range(upper, va, size) || bad_flags(upper, flags) || (pa & PAGE_MASK) != 0 ||
        (unsigned __int128)pa + size > 1ull << 48) {
        return -EINVAL;
    }
    return intervals_overlap(model, va, size) ? -EEXIST : 0;
}

int space_expect_protect(const struct intervals *model, bool upper, uint64_t va, uint64_t size, unsigned flags)
{
    if (space_bad_range(upper, va, size) || bad_flags(upper, flags)) {
        return -EINVAL;
    }
    return intervals_covered(model, va, size, (flags & MAP_DEVICE) != 0 ? MAP_DEVICE : 0, MAP_DEVICE);
}
