#include "kernel/sync/lfstack.h"

#include <hal/cpu.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

static uint64_t pack(uint64_t generation, uint32_t index)
{
    return generation << 32 | index;
}

int lfstack_init(struct lfstack *stack, uint32_t *next, uint32_t capacity)
{
    if (capacity == 0 || capacity == LFSTACK_EMPTY) {
        return -EINVAL;
    }
    *stack = (struct lfstack){.head = pack(0, LFSTACK_EMPTY), .next = next, .capacity = capacity};
    return 0;
}

void lfstack_push(struct lfstack *stack, uint32_t index)
{
    ASSERT(index < stack->capacity);
    uint64_t head = load_acquire(&stack->head);
    for (;;) {
        WRITE_ONCE(stack->next[index], (uint32_t)head);
        cpu_relax(); // where another CPU may come between
        if (atomic_cas(&stack->head, &head, pack((head >> 32) + 1, index))) {
            return;
        }
    }
}

uint32_t lfstack_pop(struct lfstack *stack)
{
    uint64_t head = load_acquire(&stack->head);
    for (;;) {
        uint32_t index = (uint32_t)head;
        if (index == LFSTACK_EMPTY) {
            return index;
        }
        // May be another owner's by now: then the generation has moved on and the exchange fails.
        uint32_t next = READ_ONCE(stack->next[index]);
        cpu_relax();
        if (atomic_cas(&stack->head, &head, pack((head >> 32) + 1, next))) {
            return index;
        }
    }
}

const char *lfstack_check(const struct lfstack *stack, uint32_t *length)
{
    *length = 0;
    for (uint32_t index = (uint32_t)stack->head; index != LFSTACK_EMPTY; index = stack->next[index]) {
        if (index >= stack->capacity) {
            return "an index is out of range";
        }
        if (++*length > stack->capacity) {
            return "the stack runs in a circle";
        }
    }
    return NULL;
}
