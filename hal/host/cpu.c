// Simulated processors, interrupts and time. One flow runs at a time; at switch points the machine chooses what
// happens.
#include "hal/host/internal.h"

#include <hal/timer.h>
#include <hal/upcall.h>

#include <string.h>

#define POINTS_MAX 4000000u   // switch points of one run
#define RELAXES_MAX 200000u   // spins with no context switch in between
#define IDLE_STEPS_MAX 65536u // timer interrupts with every CPU idle and nothing woken by them
#define POINT_NS 1000u
#define JUMP_NS 700000u

struct cpu_local *machine_local;
uint32_t machine_irq_depth;
bool machine_attention;

void machine_cpus_reset(void)
{
    for (unsigned i = 0; i < MAX_CPUS; i++) {
        struct machine_cpu *cpu = &machine.cpus[i];
        cpu->state = MACHINE_CPU_OFF;
        cpu->local = NULL;
        cpu->flow = NULL;
        cpu->irq_depth = 1;
        cpu->pending = cpu->enabled = cpu->active = 0;
        cpu->deadline = UINT64_MAX;
    }
    memset(machine.pending, 0, sizeof(machine.pending));
    memset(machine.enabled, 0, sizeof(machine.enabled));
    memset(machine.active, 0, sizeof(machine.active));
    machine.self = 0;
    machine.cpu_high = 1;
    machine.cpus[0].state = MACHINE_CPU_RUNNING;
    machine.cpus[0].flow = &machine_main_flow;
    machine.now = 0;
    machine.switches = machine.points = machine.relaxes = machine.idle_steps = 0;
    machine.concurrent = machine.double_fetch = machine.user_changed = false;
    machine.race_skip = 0;
    machine.nothing = INTID_SPURIOUS;
    machine_local = NULL;
    machine_irq_depth = 1;
    machine_attention = false;
}

void machine_concurrency(bool on)
{
    machine.concurrent = on;
    machine_attention = on;
}

uint64_t machine_switches(void)
{
    return machine.switches;
}

static void timer_check(struct machine_cpu *cpu)
{
    if (cpu->deadline <= machine.now) {
        cpu->deadline = UINT64_MAX;
        cpu->pending |= 1u << MACHINE_TIMER_INTID;
    }
}

static bool shared_waiting(void)
{
    for (unsigned i = 0; i < MACHINE_SPI_WORDS; i++) {
        if ((machine.pending[i] & machine.enabled[i] & ~machine.active[i]) != 0) {
            return true;
        }
    }
    return false;
}

// Shared lines go to CPU 0.
static bool interrupt_waiting(unsigned index)
{
    struct machine_cpu *cpu = &machine.cpus[index];
    timer_check(cpu);
    return (cpu->pending & cpu->enabled & ~cpu->active) != 0 || (index == 0 && shared_waiting());
}

static void go_to_cpu(unsigned index)
{
    struct machine_cpu *from = machine_self(), *to = &machine.cpus[index];
    if (from == to) {
        return;
    }
    from->local = machine_local;
    from->irq_depth = machine_irq_depth;
    machine.self = index;
    machine_local = to->local;
    machine_irq_depth = to->irq_depth;
    machine_flow_go(from->flow, to->flow, false);
}

static void interrupt(void)
{
    machine_irq_depth = 1;
    kernel_interrupt(false);
    if (machine_irq_depth != 1) {
        machine_finding("irq", "kernel_interrupt() returned at masking depth %u", machine_irq_depth);
    }
    uint64_t claimed = machine_self()->active;
    for (unsigned i = 0; i < MACHINE_SPI_WORDS && machine.self == 0; i++) {
        claimed |= machine.active[i];
    }
    if (claimed != 0) {
        machine_finding("irq", "kernel_interrupt() did not complete what it claimed");
    }
    machine_irq_depth = 0;
}

static void deliver(void)
{
    while (machine_irq_depth == 0 && interrupt_waiting(machine.self)) {
        interrupt();
    }
}

void machine_interrupt(uint32_t nothing)
{
    machine.nothing = nothing;
    interrupt();
    machine.nothing = INTID_SPURIOUS;
}

void machine_pass_time(uint64_t ns)
{
    machine.now += ns;
}

// The next CPU after this one that can run; this one when there is none.
static unsigned next_runnable(void)
{
    for (unsigned step = 1; step < machine.cpu_high; step++) {
        unsigned index = (machine.self + step) % machine.cpu_high;
        enum machine_cpu_state state = machine.cpus[index].state;
        if (state == MACHINE_CPU_RUNNING || (state == MACHINE_CPU_IDLE && interrupt_waiting(index))) {
            return index;
        }
    }
    return machine.self;
}

static void count_point(void)
{
    machine.now += POINT_NS;
    if (++machine.points > POINTS_MAX) {
        machine_finding("livelock", "%u switch points and the run has not ended", POINTS_MAX);
    }
}

void machine_switch_point(void)
{
    if (!machine.concurrent) {
        return;
    }
    count_point();
    uint32_t choice = machine_choose(256);
    switch (choice & 7) {
    case 4:
    case 5:
        for (uint32_t hops = choice >> 3 & 3; hops > 0; hops--) {
            go_to_cpu(next_runnable());
        }
        go_to_cpu(next_runnable());
        break;
    case 6:
        machine.now += (uint64_t)(choice >> 3) * JUMP_NS;
        break;
    case 7: // an early, late or doubled timer interrupt
        machine_self()->pending |= 1u << MACHINE_TIMER_INTID;
        break;
    }
    deliver();
}

// Frequent: a choice says how many of these points pass before something happens, and how far the turn goes then.
void machine_race_point(void)
{
    if (!machine.concurrent || machine.cpu_high < 2 || !machine.running) {
        return;
    }
    if (machine.race_skip > 0) {
        machine.race_skip--;
        return;
    }
    if (machine.choices_left == 0) {
        return;
    }
    uint32_t choice = machine_choose(256);
    machine.race_skip = choice >> 2;
    for (uint32_t hops = choice & 3; hops > 0; hops--) {
        go_to_cpu(next_runnable());
    }
}

void machine_unmasked(void)
{
    machine_switch_point();
}

void machine_relax(void)
{
    machine.concurrent = machine.concurrent || machine.cpu_high > 1;
    count_point();
    if (++machine.relaxes > RELAXES_MAX) {
        machine_finding("livelock", "CPU %u spins and nobody lets it go on", machine.self);
    }
    uint32_t choice = machine_choose(256) & 3;
    for (uint32_t hops = choice < 2 ? 1 - choice : choice; hops > 0; hops--) {
        go_to_cpu(next_runnable());
    }
    deliver();
}

static bool advance_to_deadline(void)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned i = 0; i < machine.cpu_high; i++) {
        if (machine.cpus[i].state == MACHINE_CPU_IDLE) {
            earliest = min_u64(earliest, machine.cpus[i].deadline);
        }
    }
    if (earliest == UINT64_MAX) {
        return false;
    }
    machine.now = max_u64(machine.now, earliest);
    return true;
}

void cpu_idle(void)
{
    struct machine_cpu *cpu = machine_self();
    if (machine_irq_depth == 0) {
        machine_finding("irq", "cpu_idle with interrupts on");
    }
    while (!interrupt_waiting(machine.self)) {
        cpu->state = MACHINE_CPU_IDLE;
        unsigned next = next_runnable();
        if (next != machine.self) {
            go_to_cpu(next);
        } else if (++machine.idle_steps > IDLE_STEPS_MAX || !advance_to_deadline()) {
            machine_finding("deadlock", "every CPU is idle and no interrupt to come will wake a thread");
        }
    }
    cpu->state = MACHINE_CPU_RUNNING;
}

void cpu_set_local(struct cpu_local *local)
{
    machine_local = local;
    machine_self()->local = local;
}

void machine_cpu_run(unsigned index, struct cpu_local *local, void (*entry)(void *), void *argument)
{
    struct machine_cpu *cpu = &machine.cpus[index];
    cpu->local = local;
    cpu->irq_depth = 1;
    cpu->flow = machine_flow_new(entry, argument);
    cpu->state = MACHINE_CPU_RUNNING;
    if (machine.cpu_high <= index) {
        machine.cpu_high = index + 1;
    }
}

static void secondary_entry(void *local)
{
    kernel_secondary_main(local);
}

int cpu_start(struct cpu_local *local, uint64_t hw_id)
{
    if (hw_id >= MAX_CPUS) {
        return -EINVAL;
    }
    if (machine.cpus[hw_id].state != MACHINE_CPU_OFF) {
        return -EEXIST;
    }
    machine_cpu_run((unsigned)hw_id, local, secondary_entry, local);
    return 0;
}

void cpu_stop(void)
{
    machine_self()->state = MACHINE_CPU_OFF;
    for (;;) {
        unsigned next = next_runnable();
        if (next == machine.self) {
            machine_finding("deadlock", "the last CPU stopped");
        }
        go_to_cpu(next);
    }
}

void cpu_stop_others(void)
{
    for (unsigned index = 0; index < MAX_CPUS; index++) {
        if (index != machine.self) {
            machine.cpus[index].state = MACHINE_CPU_OFF;
        }
    }
}

struct cpu_features cpu_user_features(void)
{
    return (struct cpu_features){3, 0}; // floating point and Advanced SIMD
}

const char *cpu_name(void)
{
    return "simulated";
}

bool cpu_has_pan(void)
{
    return true;
}

uint64_t timer_now(void)
{
    return machine.now += 10; // time passes for who looks at the clock
}

void timer_arm(uint64_t deadline_ns)
{
    machine_self()->deadline = deadline_ns;
    machine_self()->pending &= ~(1u << MACHINE_TIMER_INTID);
    machine_attention = true;
    machine.concurrent = true;
}

struct timer_scale timer_user_scale(void)
{
    return (struct timer_scale){0, 0};
}

uint32_t timer_intid(void)
{
    return MACHINE_TIMER_INTID;
}
