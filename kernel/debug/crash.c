#include "kernel/debug/crash.h"

#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/mmu.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/monitor.h"
#include "kernel/debug/output.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/pagetable.h"
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
        kfree(hidden(memory));
    }
}

static void crash_deadlock(void) NO_LOCK_ANALYSIS
{
    static struct mutex mutex;
    mutex_init(&mutex, "crash");
    mutex_lock(&mutex);
    mutex_lock(&mutex);
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
