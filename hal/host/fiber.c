// Contexts are fibers on one thread. ASan is told of each change of stack; TSan takes each fiber for a thread of its
// own.
#include "hal/host/internal.h"

#include <stdlib.h>
#include <sys/mman.h>

#define FLOWS_MAX 256u
#define FLOW_STACK KIB(128) // sanitizers' frames are large
#define FLOW_GUARD PAGE_SIZE

struct machine_flow {
    void *sp;
    char *stack; // NULL until first used; kept from run to run
    size_t size;
    void *fake, *tsan;
    void (*entry)(void *);
    void *argument;
    uint64_t claimed_low, claimed_high; // the kernel's stack for this flow
    uint64_t tls;
    void *user; // the driver's
    bool live, on_cpu;
    bool ran; // since the snapshot
};

// A flow as the snapshot has it: what lies on its stack, and what the sanitizer knows of that.
struct saved_flow {
    struct machine_flow flow;
    char *bytes;
    uint8_t *marks;
    size_t size;
};

struct machine_flow machine_main_flow;
static struct machine_flow flows[FLOWS_MAX];
static uint32_t flows_high; // no live flow at or above
static struct saved_flow saved[FLOWS_MAX];
static uint32_t saved_high;
static bool main_known;

void machine_swap_stack(void **save, void *load);
#if defined(__x86_64__)
__asm__(".text\n.globl machine_swap_stack\n.type machine_swap_stack,@function\nmachine_swap_stack:\n"
        " push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
        " mov %rsp,(%rdi)\n mov %rsi,%rsp\n"
        " pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n");
#else
#error "the simulated machine runs on x86-64"
#endif

MACHINE_RAW __attribute__((noinline)) void machine_flow_go(struct machine_flow *from, struct machine_flow *to,
                                                           bool same_cpu)
{
    if (from == to) {
        return;
    }
    from->on_cpu = false;
    to->on_cpu = true;
    to->ran = true;
#if MACHINE_TSAN
    if (from->tsan == NULL) {
        from->tsan = __tsan_get_current_fiber();
    }
    __tsan_switch_to_fiber(to->tsan, same_cpu ? 0 : __tsan_switch_to_fiber_no_sync);
#endif
#if MACHINE_ASAN
    __sanitizer_start_switch_fiber(&from->fake, to->stack, to->size);
#endif
    machine_swap_stack(&from->sp, to->sp);
#if MACHINE_ASAN
    __sanitizer_finish_switch_fiber(from->fake, NULL, NULL);
#endif
    if (machine.ended && from == &machine_main_flow) {
        longjmp(machine.end, 1);
    }
}

#if MACHINE_ASAN
void __real___asan_handle_no_return(void);
void __wrap___asan_handle_no_return(void);

// Called wherever a function will not return, to clear the marks of all frames above (the linker's --wrap leads here).
// A flow never goes back into them, and its whole stack is cleared before it is used again.
MACHINE_RAW void __wrap___asan_handle_no_return(void)
{
    if (!machine.running || machine_self()->flow == &machine_main_flow) {
        __real___asan_handle_no_return();
    }
}
#endif

MACHINE_RAW static void flow_start(void)
{
    struct machine_flow *me = machine_self()->flow;
#if MACHINE_ASAN
    const void *bottom;
    size_t size;
    __sanitizer_finish_switch_fiber(NULL, &bottom, &size);
    if (!main_known) { // the first switch ever leaves the driver's stack
        main_known = true;
        machine_main_flow.stack = (char *)(uintptr_t)bottom;
        machine_main_flow.size = size;
    }
#else
    main_known = true;
#endif
    me->entry(me->argument);
    machine_finding("check", "the entry function of a context returned");
}

MACHINE_RAW static void flow_prepare(struct machine_flow *flow)
{
    if (flow->stack == NULL) {
        char *area = mmap(NULL, FLOW_STACK + FLOW_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (area == MAP_FAILED || mprotect(area + FLOW_GUARD, FLOW_STACK, PROT_READ | PROT_WRITE) != 0) {
            abort();
        }
        flow->stack = area + FLOW_GUARD;
        flow->size = FLOW_STACK;
    }
#if MACHINE_ASAN
    __asan_unpoison_memory_region(flow->stack, flow->size); // a flow that was abandoned left its marks
#endif
#if MACHINE_TSAN
    if (flow->tsan == NULL) {
        flow->tsan = __tsan_create_fiber(0);
    }
#endif
    void **sp = (void **)(flow->stack + flow->size - 16);
    *--sp = NULL; // ends frame chains
    *--sp = (void *)flow_start;
    sp -= 6;
    for (int i = 0; i < 6; i++) {
        sp[i] = NULL;
    }
    flow->sp = sp;
}

struct machine_flow *machine_flow_new(void (*entry)(void *), void *argument)
{
    for (uint32_t i = 0; i < FLOWS_MAX; i++) {
        struct machine_flow *flow = &flows[i];
        if (flow->live) {
            continue;
        }
        flow->live = true;
        flow->on_cpu = false;
        flow->fake = NULL;
        flow->tls = 0;
        flow->user = NULL;
        flow->ran = true;
        flow->entry = entry;
        flow->argument = argument;
        flow->claimed_low = flow->claimed_high = 0;
        flow_prepare(flow);
        if (i >= flows_high) {
            flows_high = i + 1;
        }
        return flow;
    }
    machine_finding("check", "more than %u contexts are live", FLOWS_MAX);
}

void machine_flows_reset(void)
{
    for (uint32_t i = 0; i < flows_high; i++) {
        flows[i].live = false;
#if MACHINE_TSAN
        if (flows[i].tsan != NULL) {
            __tsan_destroy_fiber(flows[i].tsan);
            flows[i].tsan = NULL;
        }
#endif
    }
    flows_high = 0;
    machine_main_flow.on_cpu = true;
    machine.ended = false;
}

MACHINE_RAW void machine_flows_save(void)
{
    saved_high = flows_high;
    for (uint32_t i = 0; i < flows_high; i++) {
        struct saved_flow *save = &saved[i];
        flows[i].ran = false;
        save->flow = flows[i];
        if (!flows[i].live) {
            continue;
        }
        uintptr_t sp = (uintptr_t)flows[i].sp & ~7ull;
        save->size = (uintptr_t)flows[i].stack + flows[i].size - sp;
        save->bytes = malloc(save->size);
        save->marks = malloc(MACHINE_MARKS(save->size));
        machine_copy_raw(save->bytes, flows[i].sp, save->size);
        machine_marks_save(save->marks, flows[i].sp, save->size);
    }
}

MACHINE_RAW void machine_flows_restore(void)
{
    for (uint32_t i = 0; i < flows_high; i++) {
        bool was = i < saved_high && saved[i].flow.live;
        if (!flows[i].ran) {
            continue;
        }
        if (!was) {
            flows[i].live = false;
            continue;
        }
        char *stack = flows[i].stack; // may have come since, with its flow
        flows[i] = saved[i].flow;
        flows[i].stack = stack;
#if MACHINE_ASAN
        __asan_unpoison_memory_region(stack, flows[i].size);
#endif
        machine_copy_raw(flows[i].sp, saved[i].bytes, saved[i].size);
        machine_marks_restore(saved[i].marks, flows[i].sp, saved[i].size);
    }
    flows_high = saved_high;
    machine_main_flow.on_cpu = true;
}

uint64_t user_tls(void)
{
    return machine_self()->flow->tls;
}

void user_tls_set(uint64_t value)
{
    machine_self()->flow->tls = value;
}

void machine_user_data_set(void *data)
{
    machine_self()->flow->user = data;
}

void *machine_user_data(void)
{
    return machine_self()->flow->user;
}

void machine_power_on(void (*entry)(void *), void *argument)
{
    machine_self()->flow = machine_flow_new(entry, argument);
    machine.powered = true;
}

void machine_leave(int status)
{
    machine.status = status;
    machine_flow_go(machine_self()->flow, &machine_main_flow, true);
}

int machine_enter(void)
{
    machine.running = true;
    machine.ended = false;
    if (setjmp(machine.end) == 0) {
        machine_flow_go(&machine_main_flow, machine_self()->flow, true);
    }
    machine.running = false;
    return machine.status;
}

bool machine_is_off(void)
{
    return machine.ended;
}

void context_init(struct context *context, vaddr_t stack_top, size_t stack_size, void (*entry)(void *), void *argument,
                  void *local)
{
    uint64_t low = stack_top.raw - stack_size;
    for (uint32_t i = 0; i < flows_high; i++) {
        if (flows[i].live && low < flows[i].claimed_high && stack_top.raw > flows[i].claimed_low) {
            machine_finding("check", "context_init: the stack at 0x%llx belongs to a live context",
                            (unsigned long long)low);
        }
    }
    context->flow = machine_flow_new(entry, argument);
    context->flow->claimed_low = low;
    context->flow->claimed_high = stack_top.raw;
    context->irq_depth = 1;
    context->local = local;
}

void flow_local_set(void *local)
{
    machine_local->flow = local;
}

void context_release(struct context *context)
{
    struct machine_flow *flow = context->flow;
    if (flow == NULL || flow == &machine_main_flow) {
        return;
    }
    if (!flow->live || flow->on_cpu) {
        machine_finding("check", "context_release of a context that %s", flow->live ? "runs" : "is not live");
    }
    flow->live = false;
    context->flow = NULL;
}

void context_switch(struct context *from, struct context *to)
{
    struct machine_cpu *cpu = machine_self();
    if (machine_irq_depth == 0) {
        machine_finding("irq", "context_switch with interrupts on");
    }
    if (to->flow == NULL || (to->flow != &machine_main_flow && !to->flow->live) || to->flow->on_cpu) {
        machine_finding("check", "context_switch to a context that %s",
                        to->flow != NULL && to->flow->on_cpu ? "runs already" : "is not live");
    }
    from->flow = cpu->flow;
    from->irq_depth = machine_irq_depth;
    from->local = machine_local->flow;
    machine_local->flow = to->local;
    cpu->flow = to->flow;
    machine_irq_depth = to->irq_depth;
    machine.switches++;
    machine.relaxes = 0;
    machine.idle_steps = 0;
    machine_flow_go(from->flow, to->flow, true);
}
