// From the machine's hand-over to the monitor's prompt.
#include <fault/fault.h>
#include <hal/memory.h>
#include <hal/power.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#include "kernel/base/format.h"
#include "kernel/boot/cmdline.h"
#include "kernel/boot/failed.h"
#include "kernel/boot/initrd.h"
#include "kernel/boot/memory.h"
#include "kernel/boot/phase.h"
#include "kernel/boot/smp.h"
#include "kernel/debug/console.h"
#include "kernel/debug/log.h"
#include "kernel/debug/monitor.h"
#include "kernel/debug/record.h"
#include "kernel/drivers/fdt.h"
#include "kernel/drivers/pl011.h"
#include "kernel/drivers/pl031.h"
#include "kernel/fs/device.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/kernel_map.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/layout.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/process.h"
#include "kernel/proc/vdso.h"
#include "kernel/procfs/kmsg.h"
#include "kernel/procfs/procfs.h"
#include "kernel/sched/load.h"
#include "kernel/sched/sched.h"
#include "kernel/time/clock.h"
#include "kernel/tty/console_tty.h"
#include "kernel/tty/pty.h"

#define VERSION "0.1"

static struct machine_description machine;
static struct cmdline cmdline;

// Replaces fault= when not empty: a runner writes it into the stopped machine after a reset. Never in .bss, which the
// start of the kernel clears.
char fault_boot_plan[128] __attribute__((section(".data"), used));

void boot_failed(const char *what, int error)
{
    (void)irq_save();
    console_print("boot failed: %s: error %d\n", what, error);
    debug_event("{\"event\":\"boot-failed\",\"what\":\"%s\",\"error\":%d}", what, error);
    power_off(1);
}

static void must(int error, const char *what)
{
    if (error != 0) {
        boot_failed(what, error);
    }
}

static void describe_machine(const struct boot_info *info)
{
    if (info->fdt.raw == 0) {
        boot_failed("no device tree", -ENODEV);
    }
    const void *fdt = phys_to_virt(info->fdt);
    must(fdt_describe(fdt, MIB(2), &machine), machine.reason);
    struct machine_range *tree = &machine.reserved[machine.reserved_count];
    if (machine.reserved_count == MACHINE_RESERVED_MAX) {
        boot_failed("too many reservations", -E2BIG);
    }
    uint64_t start = round_down(info->fdt.raw, PAGE_SIZE);
    *tree = (struct machine_range){paddr(start), round_up(info->fdt.raw + machine.tree_size, PAGE_SIZE) - start};
    machine.reserved_count++;
}

// Before the first allocation, so that each of them can be made to fail.
static void arm_faults(void)
{
    fault_boot_plan[sizeof(fault_boot_plan) - 1] = 0;
    const char *text = fault_boot_plan[0] != 0 ? fault_boot_plan : cmdline.fault;
    if (text[0] == 0) {
        return;
    }
    struct fault_plan plan;
    const char *wrong = text;
    if (fault_plan_parse(text, &plan, &wrong) != 0) {
        log_error("fault plan '%s' is wrong from '%s' on: nothing armed", text, wrong);
        return;
    }
    fault_arm(&plan);
}

static void read_boot_line(void)
{
    cmdline_parse(machine.bootargs, &cmdline);
    log_set_console_level(cmdline.log_level);
    if (cmdline.error != NULL) {
        log_error("boot line: %s: '%s'", cmdline.error, cmdline.wrong);
    }
    arm_faults();
    if (cmdline.noaslr) {
        layout_fix_all();
    }
}

static void console_uart_write(const char *text, size_t size)
{
    uart_write(&console_uart, text, size);
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

// Devices are mapped before the kernel takes over the tables of the machine.
static void start_interrupts(void)
{
    struct irq_chip_config config = {machine.distributor.start, machine.redistributors.start, machine.distributor.size,
                                     machine.redistributors.size};
    must(irq_chip_init(&config), "interrupt controller");
    must(irq_cpu_init(), "interrupt controller of this CPU");
    if (machine.uart.size != 0) {
        must(uart_init(&console_uart, machine.uart.start, machine.uart.size, machine.uart_intid), "serial port");
        console_set_output(console_uart_write);
    }
    uint64_t seconds;
    if (machine.rtc.size != 0 && pl031_read(machine.rtc.start, machine.rtc.size, &seconds) == 0) {
        clock_set_at_boot(seconds * NS_PER_SECOND);
    }
    must(irq_register(timer_intid(), on_timer, NULL), "timer interrupt");
    must(irq_register(SGI_RESCHEDULE, on_reschedule, NULL), "rescheduling interrupt");
    irq_watch_all();
}

static void start_memory(const struct boot_info *info)
{
    const char *step = NULL;
    int error = boot_memory(&machine, info, &step);
    must(error, step);
    boot_phase_advance(BOOT_MEMORY);
}

static void start_threads(void)
{
    must(kernel_map_init(), "kernel address space");
    must(sched_init(), "scheduler");
    boot_phase_advance(BOOT_SCHED);
    irq_enable();
    load_start();
    must(irq_start_rests(), "interrupt thread");
    must(boot_files(&machine), "first files");
    must(boot_builtin_programs(), "built-in programs");
    futex_init();
    oom_init();
    must(process_start_reaper(), "reaper");
    must(vdso_init(), "page of user code");
    must(console_tty_start(), "terminal");
    must(kmsg_start(), "log device");
    must(device_make_nodes(), "devices");
    filesystem_register(&tmpfs);
    filesystem_register(&devtmpfs);
    must(pty_start(), "pseudo-terminals");
    must(procfs_start(machine.bootargs), "/proc");
}

_Noreturn static void run(unsigned level, unsigned cpus_running)
{
    // An armed plan stays armed: what was not reached during boot is for the commands.
    debug_event("{\"event\":\"boot\",\"version\":\"%s\",\"cpus\":%u,\"memory\":%lu,\"el\":%u,\"checks\":%u,"
                "\"instructions\":%lu}",
                VERSION, cpus_running, machine.memory_size, level, (unsigned)FAULTLINE_CHECKS, timer_now());
    monitor_run_list(cmdline.run);
    struct thread *me = thread_current();
    format(me->name, sizeof(me->name), "monitor"); // the boot flow has nothing else to do and becomes it
    monitor_main(NULL);
    for (;;) {
        thread_yield();
    }
}

void kernel_main(const struct boot_info *info)
{
    cpu_set_local(&cpus[0].local);
    describe_machine(info);
    cpus[0].hw_id = machine.cpus[0];
    read_boot_line();
    start_memory(info);
    start_interrupts();
    start_threads();
    unsigned cpus_running = smp_start(&machine);
    boot_phase_advance(BOOT_SMP);
    if (machine.uart.size != 0) {
        must(uart_start(&console_uart, console_input), "serial port interrupt");
    }
    console_print("Faultline " VERSION ": %s, %u CPU%s, %lu MiB\n", cpu_name(), cpus_running,
                  cpus_running > 1 ? "s" : "", machine.memory_size >> 20);
    run(info->exception_level, cpus_running);
}
