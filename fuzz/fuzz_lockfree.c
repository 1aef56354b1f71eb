// The lock-free stack under chosen interleavings of up to four CPUs: an index has one owner, and none is lost.
#include "harness/fuzz.h"

#include "kernel/sched/thread.h"
#include "kernel/sync/lfstack.h"

#include <hal/cpu.h>

#define CAPACITY 6u
#define CPUS 4u
#define OPS 24u
#define NOBODY 0xff

static struct lfstack stack;
static uint32_t next[CAPACITY];
static uint8_t owner[CAPACITY]; // the model
static struct worker {
    uint8_t ops[OPS], count;
    uint32_t held[CAPACITY], holds;
} workers[CPUS];
static unsigned running;

static void pop(unsigned self)
{
    struct worker *me = &workers[self];
    uint32_t index = lfstack_pop(&stack);
    OP("CPU %u pops %d", self, (int)index);
    if (index == LFSTACK_EMPTY) {
        return;
    }
    EXPECT_MODEL(index < CAPACITY, "popped %u, which was never there", index);
    EXPECT_MODEL(owner[index] == NOBODY, "CPU %u popped %u, which CPU %u owns", self, index, owner[index]);
    owner[index] = (uint8_t)self;
    me->held[me->holds++] = index;
}

static void push(unsigned self, uint8_t which)
{
    struct worker *me = &workers[self];
    if (me->holds == 0) {
        return;
    }
    uint32_t slot = which % me->holds, index = me->held[slot];
    me->held[slot] = me->held[--me->holds];
    owner[index] = NOBODY;
    OP("CPU %u pushes %u", self, index);
    lfstack_push(&stack, index);
}

static void work(void *argument)
{
    unsigned self = (unsigned)((struct worker *)argument - workers);
    cpu_set_local(&cpus[self].local);
    for (unsigned i = 0; i < workers[self].count; i++) {
        uint8_t op = workers[self].ops[i];
        if ((op & 3) == 3) {
            cpu_relax();
        } else if ((op & 1) != 0) {
            push(self, op >> 2);
        } else {
            pop(self);
        }
    }
    __atomic_sub_fetch(&running, 1, __ATOMIC_RELEASE);
    cpu_stop();
}

static void run(struct input *input)
{
    uint8_t shape = input_u8(input);
    unsigned count = 2 + shape % (CPUS - 1);
    if (lfstack_init(&stack, next, CAPACITY) != 0) {
        machine_finding("model", "a stack of %u is refused", CAPACITY);
    }
    for (uint32_t i = 0; i < CAPACITY; i++) {
        owner[i] = NOBODY;
        if (i <= (shape >> 4) % CAPACITY) {
            lfstack_push(&stack, i);
        } else {
            owner[i] = NOBODY - 1; // never in the stack
        }
    }
    // Half of the rest says what is done, the other half when.
    size_t ops = (input->size - input->at + 1) / 2;
    for (size_t i = 0; i < ops; i++) {
        uint8_t op = input_u8(input);
        struct worker *worker = &workers[(op >> 6) % count];
        if (worker->count < OPS) {
            worker->ops[worker->count++] = op & 63;
        }
    }
    running = count;
    machine_irq_depth = 1;
    for (unsigned i = 0; i < count; i++) {
        cpus[i + 1].local.id = i + 1;
        machine_cpu_run(i + 1, &cpus[i].local, work, &workers[i]);
    }
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE) > 0) {
        cpu_relax();
    }
    machine_irq_depth = 0;
}

static void finish(void)
{
    uint32_t length = 0, expected = 0;
    EXPECT_CHECK(lfstack_check(&stack, &length));
    for (uint32_t i = 0; i < CAPACITY; i++) {
        expected += owner[i] == NOBODY;
    }
    EXPECT_NO_LEAK(length == expected, "%u indices are in the stack, %u should be", length, expected);
    for (uint32_t left = expected; left > 0; left--) {
        uint32_t index = lfstack_pop(&stack);
        EXPECT_MODEL(index < CAPACITY && owner[index] == NOBODY, "popped %u at the end", index);
        owner[index] = 0;
    }
    EXPECT_MODEL(lfstack_pop(&stack) == LFSTACK_EMPTY, "the stack holds more than was pushed");
}

const struct fuzz_target fuzz_target = {.name = "fuzz_lockfree", .run = run, .finish = finish};
