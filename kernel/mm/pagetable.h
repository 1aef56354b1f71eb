// Page tables: VMSAv8-64 stage 1, 4 KiB granule, 48-bit addresses, 4 levels, leaves of 4 KiB, 2 MiB and 1 GiB.
// Source: Arm ARM D8.3 (descriptor formats), D8.16 (TLB maintenance, break-before-make).
// The caller serialises per table. Never sleeps. Fault site: page_alloc, for table pages.
#pragma once

#include "kernel/base/types.h"
#include "kernel/mm/page_alloc.h"

enum map_flags {
    MAP_WRITE = 1 << 0,
    MAP_EXEC = 1 << 1,  // for the half that owns the table: EL0 in user tables, EL1 in the kernel's
    MAP_USER = 1 << 2,  // EL0 may access. Without it a user table keeps the page, but nobody reaches it
    MAP_DEVICE = 1 << 3 // Device-nGnRE instead of Normal write-back
};
#define MAP_FLAGS_ALL (MAP_WRITE | MAP_EXEC | MAP_USER | MAP_DEVICE)

enum pagetable_half { PAGETABLE_USER, PAGETABLE_KERNEL }; // TTBR0: from 0; TTBR1: from 0xffff000000000000
#define PAGETABLE_HALF_SIZE (1UL << 48)
#define PAGETABLE_KERNEL_BASE 0xffff000000000000UL

struct pagetable {
    struct page_pool *pool;
    paddr_t root;
    uint64_t base;   // of the half: 0 or PAGETABLE_KERNEL_BASE
    bool pages_only; // leaves stay 4 KiB, so that no unmap ever needs memory; set it while the table is empty
    // 0 in the kernel's half, whose entries are global, and in a table that no CPU has used yet. In the user half
    // kernel/mm/asid.h may change it whenever no CPU uses the table: these two are its own.
    uint16_t asid;
    uint64_t asid_generation;
    uint64_t table_pages; // the root included
    uint64_t mapped;      // bytes
};

struct mapping {
    paddr_t pa;     // of the byte asked for
    uint64_t size;  // of the leaf: 4 KiB, 2 MiB or 1 GiB
    unsigned flags; // enum map_flags
};

// asid 0: kernel/mm/asid.h gives one when it is needed.
[[nodiscard]] int pagetable_init(struct pagetable *table, enum pagetable_half half, uint16_t asid,
                                 struct page_pool *pool); // -ENOMEM
// Takes over a live table that the machine made (mmu_kernel_root()); its table pages may lie in reserved memory and are
// then never freed. -EINVAL: a table page outside the pool, or a leaf that no flags describe. *table undefined then.
[[nodiscard]] int pagetable_adopt(struct pagetable *table, enum pagetable_half half, paddr_t root,
                                  struct page_pool *pool);
void pagetable_destroy(
    struct pagetable *table); // frees every table page; flushes the ASID; what was mapped is the caller's

// `prepare-commit`: each of the three either does all of [va, va + size) or changes no translation. All sizes in bytes,
// page-aligned. -EINVAL: misaligned, empty, outside the half, physical range above 2^48, unknown flags, MAP_WRITE with
// MAP_EXEC (W^X), MAP_DEVICE with MAP_EXEC, MAP_USER in the kernel's half, MAP_WRITE or MAP_EXEC without MAP_USER in
// the user half. map: -EEXIST when any page is mapped already; -ENOMEM. Uses the largest leaves that alignment allows.
[[nodiscard]] int pagetable_map(struct pagetable *table, vaddr_t va, paddr_t pa, uint64_t size, unsigned flags);
// unmap: holes are fine. -ENOMEM when a larger leaf must be split. Table pages that become empty are freed.
// A table in the user half whose 512 leaves could be one is replaced by that one; live kernel mappings are never
// merged, since break-before-make would pull them from under the code that uses them.
[[nodiscard]] int pagetable_unmap(struct pagetable *table, vaddr_t va, uint64_t size);
// protect: -ENOENT when a page is not mapped; -ENOMEM when a split fails. MAP_DEVICE cannot be changed: -EINVAL.
[[nodiscard]] int pagetable_protect(struct pagetable *table, vaddr_t va, uint64_t size, unsigned flags);
// Another frame for a page that is mapped as one: nothing is allocated or freed, so that nothing can be lost on the
// way. -ENOENT: no such leaf; -EINVAL. Nothing changed then.
[[nodiscard]] int pagetable_replace(struct pagetable *table, vaddr_t va, paddr_t pa, unsigned flags);
[[nodiscard]] int pagetable_query(const struct pagetable *table, vaddr_t va, struct mapping *out); // -ENOENT, -EINVAL
// Calls visit for each leaf that starts in [va, va + size), lowest first, until it says false; whole pages inside the
// half. It may change *flags as pagetable_protect() would; what it changed is flushed before the return.
void pagetable_visit(struct pagetable *table, vaddr_t va, uint64_t size,
                     bool (*visit)(vaddr_t va, paddr_t pa, unsigned *flags, void *argument), void *argument);
[[nodiscard]] const char *pagetable_check(const struct pagetable *table);
