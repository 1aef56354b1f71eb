// Page tables as the hardware sees them: which tables walkers may be in, what TLBs may hold, and what was not flushed.
//
// Any valid descriptor of a live table counts as cached, for a real CPU may have loaded it at any time. When it goes, a
// debt is written down, and only the right flush pays it. Besides, each CPU has a TLB that keeps what it once saw.
#include "hal/host/internal.h"

#include <stdlib.h>
#include <string.h>

#define ASID_BITS 4u
#define ASIDS (1u << ASID_BITS)
#define DEBTS_MAX 4096u
#define ADDRESS 0x0000fffffffff000ull
#define PERMISSIONS (1ull << 6 | 1ull << 7 | 1ull << 10 | 7ull << 51 | 1ull << 54 | 0xfull << 55)

struct table_meta {
    uint64_t va; // of its first slot
    uint16_t asid;
    uint8_t level;
    bool live, upper;
    bool listed; // in live_list
};
struct debt {
    const uint64_t *slot; // NULL: a flood
    uint64_t old, va, size;
    uint16_t asid;
    bool upper;
    bool whole; // a table with leaves in it: no flush of one page pays for all of them
    const struct machine_flow *by;
};

bool machine_tables_live;
static struct table_meta metas[MACHINE_FRAMES];
static uint32_t live_list[MACHINE_FRAMES], live_count;
static struct debt debts[DEBTS_MAX];
static size_t debt_count, flood_count; // floods are debts too
static uint64_t kernel_root;

static struct table_meta *meta_of(uint64_t pa)
{
    uint64_t frame = (pa - MACHINE_RAM_BASE) >> PAGE_SHIFT;
    return frame < MACHINE_FRAMES ? &metas[frame] : NULL;
}

static uint64_t *slots_at(uint64_t pa)
{
    return (uint64_t *)(uintptr_t)(pa - MACHINE_RAM_BASE + MACHINE_ARENA);
}

static uint64_t slot_span(unsigned level)
{
    return 1ull << (39 - 9 * level);
}

static bool is_table(uint64_t desc, unsigned level)
{
    return (desc & 3) == 3 && level < 3;
}

// The first slot from i on that is not 0, or 512: most tables are nearly empty.
MACHINE_RAW static unsigned next_used(const uint64_t *slots, unsigned i)
{
    while (i < 512 && slots[i] == 0) {
        const uint64_t *line = slots + i;
        bool empty = i % 8 == 0 && (line[1] | line[2] | line[3] | line[4] | line[5] | line[6] | line[7]) == 0;
        i += empty ? 8 : 1;
    }
    return i;
}

static void make_live(uint64_t pa, struct table_meta meta)
{
    struct table_meta *slot = meta_of(pa);
    if (slot == NULL) {
        machine_finding("bbm", "a live table descriptor points to 0x%llx, outside RAM", (unsigned long long)pa);
    }
    if (slot->live) {
        return;
    }
    if (!slot->listed) {
        live_list[live_count++] = (uint32_t)(slot - metas);
    }
    *slot = meta;
    slot->listed = true;
    const uint64_t *slots = slots_at(pa);
    for (unsigned i = next_used(slots, 0); i < 512 && meta.level < 3; i = next_used(slots, i + 1)) {
        if (is_table(slots[i], meta.level)) {
            struct table_meta below = meta;
            below.level++;
            below.va = meta.va + i * slot_span(meta.level);
            make_live(slots[i] & ADDRESS, below);
        }
    }
}

// The walker cannot come here any more, once the debt for the way here is paid.
static void make_dead(uint64_t pa)
{
    struct table_meta *meta = meta_of(pa);
    if (meta == NULL || !meta->live) {
        return;
    }
    meta->live = false;
    const uint64_t *slots = slots_at(pa);
    for (unsigned i = next_used(slots, 0); i < 512 && meta->level < 3; i = next_used(slots, i + 1)) {
        if (is_table(slots[i], meta->level)) {
            make_dead(slots[i] & ADDRESS);
        }
    }
}

void machine_mmu_reset(void)
{
    for (uint32_t i = 0; i < live_count; i++) {
        metas[live_list[i]].live = metas[live_list[i]].listed = false;
    }
    live_count = 0;
    debt_count = flood_count = 0;
    kernel_root = 0;
    machine_tables_live = false;
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        struct machine_cpu *cpu = &machine.cpus[i];
        cpu->user_root = 0;
        cpu->asid = 0;
        if (cpu->tlb_used) {
            memset(cpu->tlb, 0, sizeof(cpu->tlb));
            cpu->tlb_used = cpu->tlb_large = false;
        }
    }
}

static struct {
    uint32_t *frames;
    struct table_meta *metas;
    struct debt debts[DEBTS_MAX];
    uint32_t count;
    size_t debt_count, flood_count;
    uint64_t kernel_root;
    bool live;
} saved;

void machine_mmu_save(void)
{
    free(saved.frames);
    free(saved.metas);
    saved.frames = malloc((live_count + 1) * sizeof(*saved.frames));
    saved.metas = malloc((live_count + 1) * sizeof(*saved.metas));
    for (uint32_t i = 0; i < live_count; i++) {
        saved.frames[i] = live_list[i];
        saved.metas[i] = metas[live_list[i]];
    }
    memcpy(saved.debts, debts, debt_count * sizeof(*debts));
    saved.count = live_count;
    saved.debt_count = debt_count;
    saved.flood_count = flood_count;
    saved.kernel_root = kernel_root;
    saved.live = machine_tables_live;
}

// After machine_mmu_reset().
void machine_mmu_restore(void)
{
    for (uint32_t i = 0; i < saved.count; i++) {
        live_list[i] = saved.frames[i];
        metas[saved.frames[i]] = saved.metas[i];
    }
    memcpy(debts, saved.debts, saved.debt_count * sizeof(*debts));
    live_count = saved.count;
    debt_count = saved.debt_count;
    flood_count = saved.flood_count;
    kernel_root = saved.kernel_root;
    machine_tables_live = saved.live;
}

// What is owed for the table at root is from now on owed under another identifier.
static void change_asid(uint64_t root, uint16_t from, uint16_t to)
{
    make_dead(root);
    make_live(root, (struct table_meta){.live = true, .asid = to});
    for (size_t i = 0; i < debt_count; i++) {
        struct debt *debt = &debts[i];
        const struct table_meta *meta = debt->slot != NULL ? meta_of(virt_to_phys(debt->slot).raw) : NULL;
        if (meta != NULL && meta->live && !debt->upper && debt->asid == from && meta->asid == to) {
            debt->asid = to;
        }
    }
}

unsigned mmu_asid_bits(void)
{
    return ASID_BITS;
}

void mmu_activate(paddr_t root, uint16_t asid)
{
    machine_self()->user_root = root.raw;
    machine_self()->asid = asid;
    if (root.raw != 0) {
        machine_tables_live = true;
        const struct table_meta *meta = meta_of(root.raw);
        if (meta != NULL && meta->live && meta->asid != asid) {
            change_asid(root.raw, meta->asid, asid);
        }
        make_live(root.raw, (struct table_meta){.live = true, .asid = asid});
    }
}

void machine_watch_kernel_root(paddr_t root)
{
    if (kernel_root != 0 && root.raw == 0) {
        make_dead(kernel_root);
    }
    kernel_root = root.raw;
    if (root.raw == 0) {
        return;
    }
    machine_tables_live = true;
    make_live(root.raw, (struct table_meta){.live = true, .upper = true, .va = 0xffffull << 48});
}

paddr_t mmu_kernel_root(void)
{
    return paddr(kernel_root != 0 ? kernel_root : MACHINE_KERNEL_ROOT);
}

static struct debt *debt_for(const uint64_t *slot)
{
    for (size_t i = 0; i < debt_count; i++) {
        if (debts[i].slot == slot) {
            return &debts[i];
        }
    }
    return NULL;
}

MACHINE_RAW static bool holds_leaves(uint64_t table)
{
    const uint64_t *slots = slots_at(table);
    uint64_t any = 0;
    for (unsigned i = 0; i < 512; i += 8) {
        any |= slots[i] | slots[i + 1] | slots[i + 2] | slots[i + 3] | slots[i + 4] | slots[i + 5] | slots[i + 6] |
               slots[i + 7];
    }
    return (any & 1) != 0;
}

static bool flooded(const struct table_meta *meta)
{
    for (size_t i = 0; i < debt_count && flood_count > 0; i++) {
        if (debts[i].slot == NULL && debts[i].asid == meta->asid && debts[i].upper == meta->upper) {
            return true;
        }
    }
    return false;
}

// Too many to remember one by one: from now on only a flush of that whole address space pays for what was changed in
// it.
static void flood(uint16_t asid, bool upper)
{
    size_t kept = 0;
    const struct machine_flow *by = machine_self()->flow;
    for (size_t i = 0; i < debt_count; i++) {
        if (debts[i].asid != asid || debts[i].upper != upper) {
            debts[kept++] = debts[i];
        } else {
            by = debts[i].by;
        }
    }
    debts[kept++] = (struct debt){
        .va = upper ? 0xffffull << 48 : 0, .size = 1ull << 48, .asid = asid, .upper = upper, .whole = true, .by = by};
    flood_count++;
    debt_count = kept;
}

// Where most are owed: who changes so much flushes all of it, and who changes a page or two flushes those.
static void make_room(void)
{
    size_t counts[2][ASIDS] = {}, most = 0;
    const struct debt *chosen = NULL;
    for (size_t i = 0; i < debt_count; i++) {
        size_t *count = &counts[debts[i].upper][debts[i].asid % ASIDS];
        if (debts[i].slot != NULL && ++*count > most) {
            most = *count;
            chosen = &debts[i];
        }
    }
    if (most < 2) {
        machine_finding("tlb", "%u translations were changed and none of them flushed", DEBTS_MAX);
    }
    flood(chosen->asid, chosen->upper);
}

static void owe(const uint64_t *slot, uint64_t old, const struct table_meta *meta)
{
    uint64_t index = ((uintptr_t)slot & PAGE_MASK) / sizeof(*slot);
    if (flooded(meta)) {
        return;
    }
    if (debt_count == DEBTS_MAX) {
        make_room(); // of this space, or of another
        if (flooded(meta)) {
            return;
        }
    }
    debts[debt_count++] = (struct debt){.slot = slot,
                                        .old = old,
                                        .va = meta->va + index * slot_span(meta->level),
                                        .size = slot_span(meta->level),
                                        .asid = meta->asid,
                                        .upper = meta->upper,
                                        .whole = is_table(old, meta->level) && holds_leaves(old & ADDRESS),
                                        .by = machine_self()->flow};
}

static void valid_to_valid(uint64_t *slot, uint64_t old, uint64_t descriptor, const struct table_meta *meta)
{
    if (is_table(old, meta->level) || is_table(descriptor, meta->level) || ((old ^ descriptor) & ~PERMISSIONS) != 0) {
        machine_finding("bbm", "level %u descriptor 0x%llx became 0x%llx without break-before-make", meta->level,
                        (unsigned long long)old, (unsigned long long)descriptor);
    }
    if (old != descriptor && debt_for(slot) == NULL) {
        owe(slot, old, meta);
    }
}

static void invalid_to_valid(uint64_t *slot, uint64_t descriptor, const struct table_meta *meta)
{
    const struct debt *debt = debt_count > 0 ? debt_for(slot) : NULL;
    if (debt != NULL && debt->old != descriptor) {
        machine_finding("bbm", "a descriptor for 0x%llx was made again before the old one was flushed",
                        (unsigned long long)debt->va);
    }
    if (is_table(descriptor, meta->level)) {
        struct table_meta below = *meta;
        below.level++;
        below.va = meta->va + ((uintptr_t)slot & PAGE_MASK) / sizeof(*slot) * slot_span(meta->level);
        make_live(descriptor & ADDRESS, below);
    }
}

void machine_mmu_write(uint64_t *slot, uint64_t descriptor)
{
    uint64_t old = *slot;
    const struct table_meta *meta = meta_of(virt_to_phys(slot).raw);
    if (meta->live && (old & 1) != 0 && (descriptor & 1) != 0) {
        valid_to_valid(slot, old, descriptor, meta);
    } else if (meta->live && (old & 1) != 0) {
        owe(slot, old, meta);
        if (is_table(old, meta->level)) {
            make_dead(old & ADDRESS);
        }
    } else if (meta->live && (descriptor & 1) != 0) {
        invalid_to_valid(slot, descriptor, meta);
    }
    __atomic_store_n(slot, descriptor, __ATOMIC_RELAXED);
}

// Memory that is given away while a CPU may still reach it through an old translation.
void machine_mmu_freed(uint64_t pa, uint64_t size)
{
    for (size_t i = 0; i < debt_count; i++) {
        if (debts[i].slot == NULL) {
            continue; // of a flood it is not known what was there
        }
        uint64_t old = debts[i].old & ADDRESS;
        uint64_t reach = is_table(debts[i].old, debts[i].size == PAGE_SIZE ? 3 : 0) ? PAGE_SIZE : debts[i].size;
        if (pa < old + reach && old < pa + size) {
            machine_finding("tlb", "0x%llx is freed while a TLB may still use it for 0x%llx", (unsigned long long)pa,
                            (unsigned long long)debts[i].va);
        }
    }
    const struct table_meta *meta = meta_of(pa);
    if (machine_tables_live && meta->live && size >= PAGE_SIZE) {
        machine_finding("tlb", "the live level %u table at 0x%llx is freed", meta->level, (unsigned long long)pa);
    }
}

static void pay(bool everything, bool by_asid, uint64_t va, uint16_t asid)
{
    size_t kept = 0;
    flood_count = 0;
    bool upper = va >> 63 != 0;
    for (size_t i = 0; i < debt_count; i++) {
        bool hit = everything ||
                   (by_asid ? !debts[i].upper && debts[i].asid == asid
                            : !debts[i].whole && va - debts[i].va < debts[i].size && (upper || debts[i].asid == asid));
        if (!hit) {
            flood_count += debts[i].slot == NULL;
            debts[kept++] = debts[i];
        }
    }
    debt_count = kept;
}

static unsigned tlb_place(uint64_t va)
{
    return (va >> PAGE_SHIFT) % MACHINE_TLB_ENTRIES;
}

static void drop_cached(bool everything, bool by_asid, uint64_t va, uint16_t asid)
{
    for (unsigned i = 0; i < machine.cpu_high; i++) {
        struct machine_cpu *cpu = &machine.cpus[i];
        // A page is only ever cached at its own place; a larger leaf is where it was first used.
        bool one = !everything && !by_asid && !cpu->tlb_large;
        unsigned first = one ? tlb_place(va) : 0, end = one ? first + 1 : MACHINE_TLB_ENTRIES;
        for (unsigned at = first; cpu->tlb_used && at < end; at++) {
            struct machine_tlb_entry *entry = &cpu->tlb[at];
            bool tag = entry->global || entry->asid == asid;
            if (everything || (by_asid ? !entry->global && entry->asid == asid : tag && va - entry->va < entry->size)) {
                entry->size = 0;
            }
        }
    }
}

static void flush(bool everything, bool by_asid, uint64_t va, uint16_t asid)
{
    if (debt_count > 0) {
        pay(everything, by_asid, va, asid);
    }
    drop_cached(everything, by_asid, va, asid);
}

void mmu_flush_leaves(vaddr_t va, uint64_t count, uint64_t size, uint16_t asid)
{
    for (uint64_t i = 0; i < count && machine_tables_live; i++) {
        flush(false, false, va.raw + i * size, asid);
    }
}

// A root that no CPU uses and whose translations are all gone is an ordinary page again.
static void retire_roots(uint16_t asid)
{
    for (uint32_t i = 0; i < live_count; i++) {
        const struct table_meta *meta = &metas[live_list[i]];
        uint64_t pa = MACHINE_RAM_BASE + ((uint64_t)live_list[i] << PAGE_SHIFT);
        bool used = !meta->live || meta->level != 0 || meta->upper || meta->asid != asid;
        for (unsigned cpu = 0; cpu < machine.cpu_high && !used; cpu++) {
            used = machine.cpus[cpu].user_root == pa;
        }
        if (!used) {
            make_dead(pa);
        }
    }
}

void mmu_flush_asid(uint16_t asid)
{
    if (machine_tables_live) {
        retire_roots(asid);
        flush(false, true, 0, asid);
    }
}

void mmu_flush_all(void)
{
    if (machine_tables_live) {
        flush(true, false, 0, 0);
    }
}

size_t machine_tlb_owed(void)
{
    return debt_count;
}

void machine_tlb_settled(void)
{
    for (size_t i = 0; i < debt_count; i++) {
        if (debts[i].by == machine_self()->flow) {
            machine_finding("tlb", "back to user space, and the old translation of 0x%llx is not flushed",
                            (unsigned long long)debts[i].va);
        }
    }
}

static struct machine_walk walk_now(uint64_t va)
{
    bool upper = va >> 63 != 0;
    uint64_t root = upper ? mmu_kernel_root().raw : machine_self()->user_root;
    return root == 0 ? (struct machine_walk){} : machine_walk_from(paddr(root), va, upper);
}

static bool allowed(bool user, bool write, enum mmu_access access)
{
    bool from_user = access == MMU_USER_READ || access == MMU_USER_WRITE;
    bool store = access == MMU_KERNEL_WRITE || access == MMU_USER_WRITE;
    return (user || !from_user) && (write || !store);
}

bool mmu_probe(vaddr_t va, enum mmu_access access, paddr_t *out)
{
    struct machine_walk walk = walk_now(va.raw);
    if (!walk.valid || !allowed(walk.user, walk.write, access)) {
        return false;
    }
    *out = paddr(walk.pa);
    return true;
}

bool machine_tlb_access(vaddr_t va, enum mmu_access access, paddr_t *out)
{
    struct machine_cpu *cpu = machine_self();
    struct machine_tlb_entry *entry = &cpu->tlb[tlb_place(va.raw)];
    bool hit = va.raw - entry->va < entry->size && (entry->global || entry->asid == cpu->asid);
    if (!hit) {
        struct machine_walk walk = walk_now(va.raw);
        if (!walk.valid) {
            return false; // faults are never cached
        }
        uint64_t inside = va.raw & (walk.size - 1);
        *entry = (struct machine_tlb_entry){.va = va.raw - inside,
                                            .size = walk.size,
                                            .pa = walk.pa - inside,
                                            .asid = cpu->asid,
                                            .global = walk.global,
                                            .user = walk.user,
                                            .write = walk.write};
        cpu->tlb_used = true;
        cpu->tlb_large = cpu->tlb_large || walk.size > PAGE_SIZE;
    }
    if (!allowed(entry->user, entry->write, access)) {
        return false;
    }
    *out = paddr(entry->pa + (va.raw - entry->va));
    return true;
}

void mmu_sync_code(const void *start, size_t size)
{
}
