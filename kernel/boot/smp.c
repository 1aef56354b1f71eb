#include "kernel/boot/smp.h"

#include <hal/timer.h>
#include <hal/upcall.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/log.h"
#include "kernel/irq/irq.h"
#include "kernel/sched/sched.h"

#define START_TIMEOUT_NS 2000000000ull

static bool wait_online(const struct cpu *cpu)
{
    uint64_t deadline = timer_now() + START_TIMEOUT_NS;
    while (!load_acquire(&cpu->online)) {
        if (timer_now() > deadline) {
            return false;
        }
        cpu_relax();
    }
    return true;
}

unsigned smp_start(const struct machine_description *machine)
{
    unsigned running = 1;
    for (unsigned id = 1; id < machine->cpu_count; id++) {
        struct cpu *cpu = &cpus[id];
        cpu->local.id = id;
        cpu->hw_id = machine->cpus[id];
        int error = cpu_start(&cpu->local, cpu->hw_id);
        if (error == 0 && !wait_online(cpu)) {
            error = -ETIMEDOUT;
        }
        if (error != 0) {
            log_error("CPU %u (id 0x%lx) did not start: error %d", id, cpu->hw_id, error);
            continue;
        }
        running++;
    }
    return running;
}

void kernel_secondary_main(struct cpu_local *local)
{
    int error = irq_cpu_init();
    if (error != 0) {
        log_error("CPU %u has no interrupt controller: error %d", local->id, error);
        cpu_stop();
    }
    irq_enable_private();
    sched_cpu_init();
    sched_idle_loop();
}
