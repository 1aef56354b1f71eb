// Address spaces against an array of pages: areas, first touches, sharing after a fork, failures.
#include "harness/vmamodel.h"

#include <fault/fault.h>
#include <hal/memory.h>

#include "kernel/mm/asid.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"
#include <string.h>

#define FRAMES 512u

static struct page pages[FRAMES];
static struct thread me;
static struct space spaces[2];
static bool alive[2];

static void setup(void)
{
    harness_pool(&kernel_pages, pages, FRAMES);
    if (heap_init(&kernel_heap, &kernel_pages) != 0) {
        machine_finding("model", "set-up failed");
    }
    this_cpu()->queue.current = &me; // mutexes ask who takes them
}

// 0 is what was expected, or failed for want of memory that was taken away.
static bool as_expected(const char *what, int error, int expected)
{
    OP("%s = %d", what, error);
    bool excused = error == -ENOMEM && (harness_faulted() || page_pool_free_pages(&kernel_pages) < 64);
    EXPECT_MODEL(error == expected || excused, "%s gave %d, not %d", what, error, expected);
    return error == 0;
}

static void map(unsigned which, unsigned first, unsigned count, uint8_t how, uint8_t index)
{
    struct space_request request = vma_request(first, count, how, index);
    uint64_t start;
    int expected = vma_expect_map(which, first, count, &request);
    if (as_expected("map", space_map(&spaces[which], &request, &start), expected)) {
        EXPECT_MODEL(start == vma_address(first), "mapped at 0x%llx", (unsigned long long)start);
        vma_note_map(which, first, count, &request);
    }
}

static bool all_have(unsigned which, uint64_t from, uint64_t end, unsigned rights)
{
    const struct area_map *areas = &spaces[which].areas;
    for (struct area *area = areas_find(areas, from); area != NULL && area->start < end; area = areas_next(area)) {
        if ((area->flags & AREA_RIGHTS) != rights) {
            return false;
        }
    }
    return true;
}

static void protect(unsigned which, unsigned first, unsigned count, unsigned rights)
{
    unsigned covered = vma_covered(which, first, count);
    int expected = covered < count ? -ENOMEM : 0;
    int error = space_protect(&spaces[which], vma_address(first), count * PAGE_SIZE, rights);
    unsigned changed = covered;
    if (!as_expected("protect", error, expected)) {
        // What lies before a hole has changed, and so has what lies before the area for which memory was short, which
        // is the same error: never anything behind.
        while (changed > 0 && !all_have(which, vma_address(first), vma_address(first + changed), rights)) {
            changed--;
        }
    }
    vma_note_rights(which, first, changed, rights);
}

static void touch(unsigned which, unsigned at, bool write, uint8_t value)
{
    uint64_t va = vma_address(at);
    enum mmu_access access = write ? MMU_USER_WRITE : MMU_USER_READ;
    int expected = vma_expect_access(which, at, write);
    paddr_t pa;
    irqflags_t flags = irq_save();
    asid_activate(&spaces[which].table);
    irq_restore(flags);
    bool reached = machine_tlb_access(vaddr(va), access, &pa);
    EXPECT_MODEL(!reached || expected == 0, "page %u is reached, which should give %d", at, expected);
    int error = reached ? 0 : space_touch(&spaces[which], va, write ? SPACE_WRITE : SPACE_READ);
    if (as_expected(write ? "write" : "read", error, expected)) {
        EXPECT_MODEL(machine_tlb_access(vaddr(va), access, &pa), "page %u is out of reach after its touch", at);
        vma_verify_byte(which, at, phys_to_virt(pa), write, value);
    }
}

static void fork(void)
{
    mmu_activate(paddr(0), 0);
    if (alive[1]) {
        space_destroy(&spaces[1]);
    }
    alive[1] = space_init(&spaces[1], &kernel_pages) == 0;
    if (alive[1] && !as_expected("fork", space_fork(&spaces[1], &spaces[0]), 0)) {
        space_destroy(&spaces[1]);
        alive[1] = false;
    }
    memcpy(vma_models[1], vma_models[0], sizeof(vma_models[0]));
}

static void one(struct input *input)
{
    uint8_t op = input_u8(input), where = input_u8(input), much = input_u8(input), how = input_u8(input);
    unsigned which = alive[1] && (op & 1) != 0, first = where % VMA_PAGES, count = 1 + much % (VMA_PAGES - first);
    switch (op >> 1 & 7) {
    case 0:
    case 1:
        map(which, first, count, how, much);
        break;
    case 2:
        if (as_expected("unmap", space_unmap(&spaces[which], vma_address(first), count * PAGE_SIZE), 0)) {
            memset(&vma_models[which][first], 0, count * sizeof(vma_models[0][0]));
        }
        break;
    case 3:
        protect(which, first, count, how & AREA_RIGHTS);
        break;
    case 4:
        (void)as_expected("forget", space_forget(&spaces[which], vma_address(first), count * PAGE_SIZE, false),
                          vma_covered(which, first, count) < count ? -ENOMEM : 0);
        vma_note_forget(which, first, count);
        break;
    case 5:
        fork();
        break;
    default:
        touch(which, first, (op & 16) != 0, how);
        break;
    }
    if ((how & 0xc0) == 0xc0 && alive[which]) {
        EXPECT_CHECK(space_check(&spaces[which]));
    }
}

static void run(struct input *input)
{
    vma_reset();
    alive[0] = space_init(&spaces[0], &kernel_pages) == 0;
    while (alive[0] && input_more(input)) {
        one(input);
    }
}

static void finish(void)
{
    mmu_activate(paddr(0), 0);
    for (unsigned i = 0; i < 2; i++) {
        if (alive[i]) {
            EXPECT_CHECK(space_check(&spaces[i]));
            space_destroy(&spaces[i]);
        }
    }
    vma_finish();
    EXPECT_NO_LEAK(heap_used_objects(&kernel_heap) == 0, "areas are left");
    heap_trim(&kernel_heap);
    page_pool_drain(&kernel_pages);
    EXPECT_NO_LEAK(kernel_pages.buddy.free_frames == FRAMES, "%u of %u pages came back", kernel_pages.buddy.free_frames,
                   FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_vma", .setup = setup, .run = run, .finish = finish};
