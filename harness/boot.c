// The kernel's own start, as far as a test needs it: memory, threads, interrupts, further CPUs.
#include "harness/boot.h"

#include "hal/host/machine.h"

#include <fault/fault.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/kernel_map.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/sched.h"
#include "kernel/sched/thread.h"

#define POOL_BASE (MACHINE_RAM_BASE + MIB(8))

static struct page pages[BOOT_FRAMES];

static void must(int error, const char *what)
{
    if (error != 0) {
        machine_finding("check", "the kernel does not start: %s: %d", what, error);
    }
}

void boot_memory_once(void)
{
    must(page_pool_init(&kernel_pages, paddr(POOL_BASE), BOOT_FRAMES, pages), "pages");
    // The first frame is the root of the kernel's half, which on the real machine is there before the kernel.
    must(page_pool_add(&kernel_pages, paddr_add(paddr(POOL_BASE), PAGE_SIZE), BOOT_FRAMES - 1), "memory");
    must(heap_init(&kernel_heap, &kernel_pages), "heap");
}

static bool on_timer(uint32_t intid, void *argument)
{
    sched_tick();
    return true;
}

static bool on_reschedule(uint32_t intid, void *argument)
{
    sched_ipi();
    return true;
}

void boot_threads(unsigned cpu_count)
{
    struct fault_status faults = fault_status();
    fault_disarm(); // what an input makes fail is what it does itself
    machine_irq_depth = 1;
    memory_allocated(phys_to_virt(paddr(POOL_BASE)), PAGE_SIZE);
    page_zero(phys_to_virt(paddr(POOL_BASE)));
    machine_watch_kernel_root(paddr(POOL_BASE));
    struct irq_chip_config config = {.distributor_size = KIB(64), .redistributors_size = MIB(1)};
    must(irq_chip_init(&config), "interrupt controller");
    must(irq_cpu_init(), "interrupt controller of CPU 0");
    must(irq_register(timer_intid(), on_timer, NULL), "timer");
    must(irq_register(SGI_RESCHEDULE, on_reschedule, NULL), "rescheduling");
    irq_enable_private();
    must(kernel_map_init(), "kernel map");
    must(sched_init(), "scheduler");
    irq_enable();
    must(mount_root(&tmpfs), "root filesystem");
    machine_concurrency(true);
    for (unsigned id = 1; id < cpu_count; id++) {
        cpus[id].local.id = id;
        cpus[id].hw_id = id;
        must(cpu_start(&cpus[id].local, id), "CPU");
        while (!load_acquire(&cpus[id].online)) {
            cpu_relax();
        }
    }
    if (faults.armed) {
        fault_arm(&faults.plan);
    }
}
