#include "kernel/boot/memory.h"

#include <hal/memory.h>

#include "kernel/mm/bump.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page_alloc.h"

#define HOLES_MAX (MACHINE_RESERVED_MAX + 2)

struct layout {
    struct machine_range holes[HOLES_MAX]; // sorted by start; what is in RAM and already used
    unsigned hole_count;
    paddr_t base;    // of frame 0
    uint64_t frames; // to the end of the last region
};

static void add_hole(struct layout *layout, uint64_t start, uint64_t end)
{
    unsigned at = layout->hole_count++;
    for (; at > 0 && layout->holes[at - 1].start.raw > start; at--) {
        layout->holes[at] = layout->holes[at - 1];
    }
    layout->holes[at] = (struct machine_range){paddr(start), end - start};
}

// Calls visit for every free stretch of RAM in rising order, until it returns something other than 0.
static int for_each_free(const struct machine_description *machine, const struct layout *layout,
                         int (*visit)(uint64_t start, uint64_t end, void *argument), void *argument)
{
    for (unsigned i = 0; i < machine->memory_count; i++) {
        uint64_t at = machine->memory[i].start.raw, end = at + machine->memory[i].size;
        for (unsigned j = 0; j <= layout->hole_count; j++) {
            bool last = j == layout->hole_count;
            uint64_t hole_start = last ? end : layout->holes[j].start.raw;
            uint64_t hole_end = last ? end : hole_start + layout->holes[j].size;
            uint64_t stop = min_u64(hole_start, end);
            int result = stop > at ? visit(at, stop, argument) : 0;
            if (result != 0) {
                return result;
            }
            at = max_u64(at, min_u64(hole_end, end));
        }
    }
    return 0;
}

static int map_ram(const struct machine_description *machine)
{
    struct memory_region regions[MACHINE_REGIONS_MAX];
    for (unsigned i = 0; i < machine->memory_count; i++) {
        regions[i] = (struct memory_region){machine->memory[i].start, machine->memory[i].size};
    }
    return memory_map_ram(regions, machine->memory_count);
}

static int largest(uint64_t start, uint64_t end, void *argument)
{
    struct machine_range *best = argument;
    if (end - start > best->size) {
        *best = (struct machine_range){paddr(start), end - start};
    }
    return 0;
}

static int give(uint64_t start, uint64_t end, void *argument)
{
    return page_pool_add(argument, paddr(start), (end - start) >> PAGE_SHIFT);
}

static void plan(const struct machine_description *machine, const struct boot_info *info, struct layout *layout)
{
    *layout = (struct layout){0};
    add_hole(layout, info->image_start.raw, round_up(info->image_end.raw, PAGE_SIZE));
    for (unsigned i = 0; i < machine->reserved_count; i++) {
        const struct machine_range *range = &machine->reserved[i];
        add_hole(layout, range->start.raw, range->start.raw + range->size);
    }
    const struct machine_range *last = &machine->memory[machine->memory_count - 1];
    layout->base = paddr(round_down(machine->memory[0].start.raw, PAGE_SIZE << BUDDY_MAX_ORDER));
    layout->frames = (last->start.raw + last->size - layout->base.raw) >> PAGE_SHIFT;
}

// The page array comes from the largest free stretch, and is a hole from then on.
static int place_page_array(const struct machine_description *machine, struct layout *layout, struct page **pages)
{
    struct machine_range best = {0};
    (void)for_each_free(machine, layout, largest, &best);
    struct bump bump;
    uint64_t size;
    if (!mul_fits(layout->frames, sizeof(struct page), &size)) {
        return -ENOMEM;
    }
    int error = bump_init(&bump, best.start, paddr_add(best.start, best.size));
    paddr_t array;
    if (error == 0) {
        error = bump_alloc(&bump, size, PAGE_SIZE, &array);
    }
    if (error != 0) {
        return error;
    }
    *pages = phys_to_virt(array);
    add_hole(layout, array.raw, round_up(array.raw + size, PAGE_SIZE));
    return 0;
}

int boot_memory(const struct machine_description *machine, const struct boot_info *info, const char **step)
{
    struct layout layout;
    struct page *pages;
    plan(machine, info, &layout);
    *step = "mapping RAM";
    int error = map_ram(machine);
    if (error == 0) {
        *step = "page array";
        error = place_page_array(machine, &layout, &pages);
    }
    if (error == 0) {
        *step = "page allocator";
        error = page_pool_init(&kernel_pages, layout.base, layout.frames, pages);
    }
    if (error == 0) {
        error = for_each_free(machine, &layout, give, &kernel_pages);
    }
    if (error == 0) {
        *step = "heap";
        error = heap_init(&kernel_heap, &kernel_pages);
    }
    return error;
}
