#include "kernel/debug/crash.h"

#include <hal/user.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/monitor.h"
#include "kernel/debug/output.h"
#include "kernel/mm/kmalloc.h"
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
    {"assert", crash_assert},           {"null", crash_null},
    {"text-write", crash_text_write},   {"rodata-write", crash_rodata_write},
    {"data-exec", crash_data_exec},     {"stack-overflow", crash_stack_overflow},
    {"double-free", crash_double_free}, {"deadlock", crash_deadlock},
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
