#include "kernel/mm/kernel_map.h"

#include <hal/memory.h>
#include <hal/mmu.h>

#include "kernel/base/assert.h"
#include "kernel/mm/descriptor.h"
#include "kernel/mm/idalloc.h"

#define GROUPS (KERNEL_STACK_MAX / ID_MAX)

static struct {
    struct spinlock lock; // covers the rest
    struct pagetable table;
    struct id_allocator slots[GROUPS];
} map;

int kernel_map_init(void)
{
    spin_init(&map.lock, "kernel map", RANK_PAGETABLE);
    int error = 0;
    for (unsigned group = 0; group < GROUPS && error == 0; group++) {
        error = id_init(&map.slots[group], ID_MAX);
    }
    if (error == 0) {
        error = pagetable_adopt(&map.table, PAGETABLE_KERNEL, mmu_kernel_root(), &kernel_pages);
    }
    return error;
}

static vaddr_t stack_bottom(uint32_t slot)
{
    return vaddr(KERNEL_STACK_BASE + slot * KERNEL_STACK_SPAN + (KERNEL_STACK_SPAN - KERNEL_STACK_SIZE));
}

// The lowest free one. -EAGAIN.
static int take_slot(uint32_t *out)
{
    for (unsigned group = 0; group < GROUPS; group++) {
        if (id_alloc(&map.slots[group], out) == 0) {
            *out += group * ID_MAX;
            return 0;
        }
    }
    return -EAGAIN;
}

static void give_slot(uint32_t slot)
{
    id_free(&map.slots[slot / ID_MAX], slot % ID_MAX);
}

static int map_stack(struct kernel_stack *stack)
{
    irqflags_t flags = spin_lock(&map.lock);
    int error = take_slot(&stack->slot);
    if (error == 0) {
        vaddr_t bottom = stack_bottom(stack->slot);
        error = pagetable_map(&map.table, bottom, stack->memory, KERNEL_STACK_SIZE, MAP_WRITE);
        if (error != 0) {
            give_slot(stack->slot);
        }
        stack->top = vaddr_add(bottom, KERNEL_STACK_SIZE);
    }
    spin_unlock(&map.lock, flags);
    return error;
}

int kernel_stack_alloc(struct kernel_stack *out)
{
    struct kernel_stack stack;
    int error = page_alloc(&kernel_pages, KERNEL_STACK_ORDER, &stack.memory);
    if (error != 0) {
        return error;
    }
    error = map_stack(&stack);
    if (error != 0) {
        page_free(&kernel_pages, stack.memory, KERNEL_STACK_ORDER);
        return error;
    }
    *out = stack;
    return 0;
}

void kernel_stack_free(const struct kernel_stack *stack)
{
    irqflags_t flags = spin_lock(&map.lock);
    int error = pagetable_unmap(&map.table, stack_bottom(stack->slot), KERNEL_STACK_SIZE);
    ASSERT(error == 0); // a stack is mapped by whole leaves: nothing needs splitting
    give_slot(stack->slot);
    spin_unlock(&map.lock, flags);
    page_free(&kernel_pages, stack->memory, KERNEL_STACK_ORDER);
}

const char *kernel_map_check(void)
{
    irqflags_t flags = spin_lock(&map.lock);
    const char *broken = pagetable_check(&map.table);
    for (unsigned group = 0; group < GROUPS && broken == NULL; group++) {
        broken = id_check(&map.slots[group]);
    }
    spin_unlock(&map.lock, flags);
    return broken;
}

struct walk {
    void (*visit)(uint64_t va, uint64_t size, unsigned flags, void *argument);
    void *argument;
    uint64_t broken;
};

static void walk_table(struct walk *walk, const uint64_t *slots, unsigned level, uint64_t va)
{
    for (unsigned i = 0; i < TABLE_ENTRIES; i++, va += level_size(level)) {
        uint64_t desc = mmu_read(&slots[i]);
        if ((desc & DESC_VALID) == 0) {
            continue;
        }
        if (desc_is_table(desc, level)) {
            walk_table(walk, phys_to_virt(paddr(desc & DESC_ADDRESS)), level + 1, va);
            continue;
        }
        unsigned flags = desc_flags(desc);
        walk->broken += !desc_is_sound(desc, false) || ((flags & MAP_WRITE) != 0 && (flags & MAP_EXEC) != 0);
        walk->visit(va, level_size(level), flags, walk->argument);
    }
}

uint64_t kernel_map_walk(void (*visit)(uint64_t va, uint64_t size, unsigned flags, void *argument), void *argument)
{
    struct walk walk = {visit, argument, 0};
    irqflags_t flags = spin_lock(&map.lock);
    walk_table(&walk, phys_to_virt(map.table.root), 0, PAGETABLE_KERNEL_BASE);
    spin_unlock(&map.lock, flags);
    return walk.broken;
}
