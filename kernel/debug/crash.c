#include "kernel/debug/crash.h"

#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/mmu.h>
#include <hal/timer.h>
#include <hal/upcall.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/console.h"
#include "kernel/debug/monitor.h"
#include "kernel/debug/output.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/pagetable.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/mutex.h"

static void crash_assert(void)
{
    uint32_t two = 2;
    ASSERT(READ_ONCE(two) == 3);
}

static uint8_t *hidden(const void *pointer) // so that the compiler does not see what is done to it
{
    const void *box = pointer;
    return (uint8_t *)READ_ONCE(box);
}

static void crash_null(void)
{
    WRITE_ONCE(*hidden(NULL), 1);
}

static void crash_text_write(void)
{
    WRITE_ONCE(*hidden((const void *)crash_null), 1);
}

static void crash_rodata_write(void)
{
    static const uint8_t constant[16] = "constant";
    WRITE_ONCE(*hidden(constant), 1);
}

static void crash_data_exec(void)
{
    static uint32_t code[4] = {0xd65f03c0, 0xd65f03c0}; // ret
    void (*function)(void) = (void (*)(void))(void *)hidden(code);
    function();
}

static void crash_undefined(void)
{
    static const uint32_t code[4] __attribute__((section(".text.no_instruction"))) = {0}; // UDF #0
    void (*function)(void) = (void (*)(void))(void *)hidden(code);
    function();
}

static void crash_trap(void)
{
    __builtin_trap();
}

// A page that user space may read and write, touched as if it were the kernel's own.
static void crash_user_deref(void)
{
    const uint64_t va = MIB(4);
    const uint16_t asid = 253; // processes take the low ones
    struct pagetable table;
    paddr_t page;
    if (page_alloc_zeroed(&kernel_pages, &page) != 0) {
        return;
    }
    if (pagetable_init(&table, PAGETABLE_USER, asid, &kernel_pages) == 0) {
        if (pagetable_map(&table, vaddr(va), page, PAGE_SIZE, MAP_USER | MAP_WRITE) == 0) {
            irqflags_t flags = irq_save();
            mmu_activate(table.root, asid);
            WRITE_ONCE(*(hidden(NULL) + va), 1);
            mmu_activate(paddr(0), 0);
            irq_restore(flags);
        }
        pagetable_destroy(&table);
    }
    page_free(&kernel_pages, page, 0);
    if (!cpu_has_pan()) {
        output_line("crash: this CPU has no Privileged Access Never: user memory lies open to the kernel");
    }
}

static uint32_t recurse(uint32_t depth)
{
    uint32_t frame[64];
    WRITE_ONCE(frame[depth % 64], depth);
    return depth == UINT32_MAX ? 0 : recurse(depth + 1) + READ_ONCE(frame[depth % 64]);
}

static void crash_stack_overflow(void)
{
    output_line("%u", recurse(0));
}

static void crash_double_free(void)
{
    void *memory;
    if (kmalloc(64, &memory) == 0) {
        kfree(memory);
        kfree(hidden(memory)); // NOLINT(clang-analyzer-unix.Malloc): this is the bug to provoke
    }
}

static void crash_deadlock(void) NO_LOCK_ANALYSIS
{
    static struct mutex mutex;
    mutex_init(&mutex, "crash");
    mutex_lock(&mutex);
    mutex_lock(&mutex);
}

// --- panics at bad moments -----------------------------------------------------------------------------------------

static void output_that_panics(const char *text, size_t size)
{
    panic("the console's driver is broken");
}

static void crash_console(void) // the console's lock is held then
{
    console_set_output(output_that_panics);
    console_print("never seen\n");
}

static void panic_in_interrupt(void)
{
    panic("an interrupt handler is broken");
}

static void crash_interrupt(void)
{
    irq_set_probe(panic_in_interrupt);
    thread_sleep_until(timer_now() + 1000000);
}

static void details_that_panic(const void *subject)
{
    ASSERT(subject != NULL);
}

static void crash_nested(void)
{
    panic_at(NULL, 0, details_that_panic, NULL, "the first panic");
}

static void chatter(void *unused)
{
    for (;;) {
        console_print("chatter chatter chatter chatter chatter chatter chatter chatter chatter chatter\n");
    }
}

static void chatter_deaf(void *talking)
{
    irq_disable();
    store_release((bool *)talking, true);
    chatter(NULL);
}

static void panic_too(void *unused)
{
    panic("several CPUs panic");
}

// One more flow for each CPU: all are busy with it, this one soon too.
static void start_everywhere(void (*entry)(void *))
{
    for (unsigned id = 0; id < MAX_CPUS; id++) {
        struct thread *thread;
        if (READ_ONCE(cpus[id].online) && thread_create("crash", entry, NULL, &thread) == 0) {
            thread_detach(thread);
        }
    }
}

static void crash_chatter(void)
{
    start_everywhere(chatter);
    thread_sleep_until(timer_now() + 20000000);
    panic("the others talk");
}

// Needs a second CPU. Stays awake meanwhile, or this one would take the deaf thread.
static void crash_deaf(void)
{
    static bool talking;
    struct thread *thread;
    if (thread_create("deaf", chatter_deaf, &talking, &thread) == 0) {
        uint64_t end = timer_now() + 20000000;
        while (!load_acquire(&talking) || timer_now() < end) {
            cpu_relax();
        }
        panic("another CPU talks with its interrupts off");
    }
}

static void crash_together(void)
{
    start_everywhere(panic_too);
    thread_sleep_until(timer_now() + 1000000000);
}

static const struct {
    const char *name;
    void (*run)(void);
} kinds[] = {
    {"assert", crash_assert},
    {"null", crash_null},
    {"text-write", crash_text_write},
    {"rodata-write", crash_rodata_write},
    {"data-exec", crash_data_exec},
    {"undefined", crash_undefined},
    {"trap", crash_trap},
    {"user-deref", crash_user_deref},
    {"stack-overflow", crash_stack_overflow},
    {"double-free", crash_double_free},
    {"deadlock", crash_deadlock},
    {"console", crash_console},
    {"interrupt", crash_interrupt},
    {"nested", crash_nested},
    {"chatter", crash_chatter},
    {"deaf", crash_deaf},
    {"together", crash_together},
};

int crash_command(char *arguments)
{
    const char *wanted = monitor_next_word(&arguments);
    for (size_t i = 0; wanted != NULL && i < ARRAY_SIZE(kinds); i++) {
        if (text_equal(wanted, kinds[i].name)) {
            kinds[i].run();
            output_line("crash: %s went unnoticed", wanted);
            return -EIO;
        }
    }
    output_line("crash: wants one of:");
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        output_line("  %s", kinds[i].name);
    }
    return -EINVAL;
}
