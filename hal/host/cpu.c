// Simulated processors, interrupts and time. One flow runs at a time; schedule.c says which.
#include "hal/host/internal.h"

#include <hal/timer.h>
#include <hal/upcall.h>

#include <string.h>

#define IDLE_STEPS_MAX 65536u // timer interrupts with every CPU idle and nothing woken by them
#define STEPS_SCHEDULED 2048u // likewise, when a driver has chosen a schedule
#define RESCUES_MAX 256u      // by the hook that is asked when nothing is to come

struct cpu_local *machine_local;
uint32_t machine_irq_depth;
bool machine_attention;
uint32_t machine_quiet;
static bool (*stuck_hook)(void);

void machine_on_stuck(bool (*hook)(void))
{
    stuck_hook = hook;
}

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
    machine_quiet = 0;
    machine.schedule = MACHINE_CHOICES;
    machine.scheduled = machine.spurious = machine.overrun = false;
    machine.rescues = 0;
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

uint64_t machine_moment(void)
{
    uint64_t parts[] = {machine.now, machine.points, machine.switches, machine.choices_left}, hash = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        hash = (hash ^ parts[i]) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
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
bool machine_interrupt_waiting(unsigned index)
{
    struct machine_cpu *cpu = &machine.cpus[index];
    timer_check(cpu);
    return (cpu->pending & cpu->enabled & ~cpu->active) != 0 || (index == 0 && shared_waiting());
}

void machine_go_to_cpu(unsigned index)
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
    bool from_user = machine_self()->from_user;
    machine_self()->from_user = false;
    kernel_interrupt(from_user);
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

void machine_deliver(void)
{
    if (machine.spurious && machine_irq_depth == 0) {
        machine.spurious = false;
        interrupt();
    }
    while (machine_irq_depth == 0 && machine_interrupt_waiting(machine.self)) {
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

#define NEVER (1ull << 62) // 146 years: clocks of programs that wait longer would come round

static bool advance_to_deadline(void)
{
    uint64_t earliest = UINT64_MAX;
    for (unsigned i = 0; i < machine.cpu_high; i++) {
        if (machine.cpus[i].state == MACHINE_CPU_IDLE) {
            earliest = min_u64(earliest, machine.cpus[i].deadline);
        }
    }
    if (earliest == UINT64_MAX || (machine.scheduled && earliest > NEVER)) {
        return false;
    }
    machine.now = max_u64(machine.now, earliest);
    return true;
}

// Every CPU is idle. True: time has passed, or the driver changed something.
static bool get_going(void)
{
    uint64_t bound = machine.scheduled ? STEPS_SCHEDULED : IDLE_STEPS_MAX;
    if (++machine.idle_steps <= bound && advance_to_deadline()) {
        return true;
    }
    machine_self()->state = MACHINE_CPU_RUNNING;
    if (machine.rescues == RESCUES_MAX || stuck_hook == NULL || !stuck_hook()) {
        return false;
    }
    machine.idle_steps = 0;
    machine.rescues++;
    return true;
}

void cpu_idle(void)
{
    struct machine_cpu *cpu = machine_self();
    if (machine_irq_depth == 0) {
        machine_finding("irq", "cpu_idle with interrupts on");
    }
    uint32_t rescues = machine.rescues;
    while (!machine_interrupt_waiting(machine.self) && rescues == machine.rescues) {
        cpu->state = MACHINE_CPU_IDLE;
        unsigned next = machine_next_cpu();
        if (next != machine.self) {
            machine_go_to_cpu(next);
        } else if (!get_going()) {
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
        unsigned next = machine_next_cpu();
        if (next == machine.self) {
            machine_finding("deadlock", "the last CPU stopped");
        }
        machine_go_to_cpu(next);
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
