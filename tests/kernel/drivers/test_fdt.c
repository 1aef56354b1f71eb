// Device trees made by libfdt's writer: good ones say what was written, bad ones are refused with a reason.
#include "kernel/drivers/fdt.h"

#include <libfdt.h>

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"

#define TREE_SIZE 4096

enum defect {
    GOOD,
    NO_MEMORY,
    NO_CPU,
    TWIN_CPUS,
    NO_GIC,
    GIC_WITHOUT_REG,
    NO_TIMER,
    TIMER_CUT_OFF,
    TIMER_NOT_PRIVATE,
    MEMORY_OVERLAPS,
    MEMORY_WRAPS,
    MEMORY_CUT_OFF,
    UART_WITHOUT_INTERRUPT,
    PSCI_BY_MAGIC,
    LONG_BOOTARGS,
    MANY_REGIONS,
    BAD_CELLS,
};

static uint64_t tree_words[TREE_SIZE / 8]; // 8-byte aligned
static struct machine_description found;

static char *tree(void)
{
    return (char *)tree_words;
}

static int cells(const char *name, const uint32_t *values, size_t count)
{
    fdt32_t big[40];
    for (size_t i = 0; i < count; i++) {
        big[i] = cpu_to_fdt32(values[i]);
    }
    return fdt_property(tree(), name, big, (int)(count * 4));
}
#define CELLS(name, ...) cells(name, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static int memory(enum defect defect)
{
    int error = fdt_begin_node(tree(), "memory@40000000");
    error |= fdt_property_string(tree(), "device_type", "memory");
    if (defect == MEMORY_OVERLAPS) {
        error |= CELLS("reg", 0, 0x40000000, 0, 0x4000000, 0, 0x43fff000, 0, 0x2000);
    } else if (defect == MEMORY_WRAPS) {
        error |= CELLS("reg", 0xffffffff, 0xfffff000, 0, 0x2000);
    } else if (defect == MEMORY_CUT_OFF) {
        error |= CELLS("reg", 0, 0x40000000, 0);
    } else if (defect == MANY_REGIONS) {
        uint32_t regions[36];
        for (uint32_t i = 0; i < 9; i++) {
            __builtin_memcpy(regions + 4 * i, (uint32_t[]){0, 0x40000000 + i * 0x200000, 0, 0x100000}, 16);
        }
        error |= cells("reg", regions, 36);
    } else { // the second comes first, and has half a page at each end that cannot be used
        error |= CELLS("reg", 0, 0x48000000, 0, 0x1000000, 0, 0x40000800, 0, 0x4000000);
    }
    return error | fdt_end_node(tree());
}

static int processors(enum defect defect)
{
    static const char *const names[] = {"cpu@0", "cpu@1", "cpu@2"};
    int error = fdt_begin_node(tree(), "cpus");
    error |= CELLS("#address-cells", 1) | CELLS("#size-cells", 0);
    for (uint32_t i = 0; i < 3 && defect != NO_CPU; i++) {
        error |= fdt_begin_node(tree(), names[i]);
        error |= fdt_property_string(tree(), "device_type", "cpu");
        error |= CELLS("reg", defect == TWIN_CPUS ? 0 : i);
        error |= i == 2 ? fdt_property_string(tree(), "status", "disabled") : 0;
        error |= fdt_end_node(tree());
    }
    return error | fdt_end_node(tree());
}

static int controller(enum defect defect)
{
    int error = fdt_begin_node(tree(), "intc@8000000");
    error |= fdt_property_string(tree(), "compatible", "arm,gic-v3");
    if (defect != GIC_WITHOUT_REG) {
        error |= CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000);
    }
    return error | fdt_end_node(tree());
}

static int timer(enum defect defect)
{
    int error = fdt_begin_node(tree(), "timer");
    error |= fdt_property_string(tree(), "compatible", "arm,armv8-timer");
    if (defect == TIMER_CUT_OFF) {
        error |= CELLS("interrupts", 1, 13, 4, 1, 14, 4, 1, 11);
    } else {
        error |= CELLS("interrupts", 1, 13, 4, 1, 14, 4, defect == TIMER_NOT_PRIVATE ? 0 : 1, 11, 4);
    }
    return error | fdt_end_node(tree());
}

static int rest(enum defect defect)
{
    int error = fdt_begin_node(tree(), "serial@9000000");
    error |= fdt_property_string(tree(), "compatible", "arm,pl011");
    error |= CELLS("reg", 0, 0x9000000, 0, 0x1000);
    error |= defect == UART_WITHOUT_INTERRUPT ? 0 : CELLS("interrupts", 0, 1, 4);
    error |= fdt_end_node(tree());
    error |= fdt_begin_node(tree(), "pl031@9010000");
    error |= fdt_property_string(tree(), "compatible", "arm,pl031");
    error |= CELLS("reg", 0, 0x9010000, 0, 0x1000);
    error |= fdt_end_node(tree());
    error |= fdt_begin_node(tree(), "psci");
    error |= fdt_property_string(tree(), "compatible", "arm,psci-1.0");
    error |= fdt_property_string(tree(), "method", defect == PSCI_BY_MAGIC ? "magic" : "hvc");
    error |= fdt_end_node(tree());
    error |= fdt_begin_node(tree(), "chosen");
    static char arguments[MACHINE_BOOTARGS_MAX + 2];
    __builtin_memset(arguments, 'a', sizeof(arguments) - 1);
    error |= fdt_property_string(tree(), "bootargs", defect == LONG_BOOTARGS ? arguments : "quiet fault=all");
    return error | fdt_end_node(tree());
}

// False: libfdt's writer did not take it.
static bool build(enum defect defect)
{
    int error = fdt_create(tree(), TREE_SIZE);
    error |= fdt_add_reservemap_entry(tree(), 0x41000100, 0x100);
    error |= fdt_finish_reservemap(tree());
    error |= fdt_begin_node(tree(), "");
    error |= CELLS("#address-cells", defect == BAD_CELLS ? 3 : 2) | CELLS("#size-cells", 2);
    error |= defect == NO_MEMORY ? 0 : memory(defect);
    error |= processors(defect);
    error |= defect == NO_GIC ? 0 : controller(defect);
    error |= defect == NO_TIMER ? 0 : timer(defect);
    error |= rest(defect);
    error |= fdt_end_node(tree());
    error |= fdt_finish(tree());
    return error == 0;
}

TEST(fdt, a_good_tree_is_described)
{
    EXPECT(build(GOOD));
    EXPECT_EQ(fdt_describe(tree(), TREE_SIZE, &found), 0);
    EXPECT_EQ(found.memory_count, 2);
    EXPECT_EQ(found.memory[0].start.raw, 0x40001000);
    EXPECT_EQ(found.memory[0].size, 0x3fff000);
    EXPECT_EQ(found.memory[1].start.raw, 0x48000000);
    EXPECT_EQ(found.memory_size, 0x3fff000 + 0x1000000);
    EXPECT_EQ(found.reserved_count, 1);
    EXPECT_EQ(found.reserved[0].start.raw, 0x41000000);
    EXPECT_EQ(found.reserved[0].size, PAGE_SIZE);
    EXPECT_EQ(found.cpu_count, 2);
    EXPECT_EQ(found.cpus[1], 1);
    EXPECT_EQ(found.distributor.start.raw, 0x8000000);
    EXPECT_EQ(found.redistributors.size, 0xf60000);
    EXPECT_EQ(found.uart.start.raw, 0x9000000);
    EXPECT_EQ(found.uart_intid, 33);
    EXPECT_EQ(found.rtc.start.raw, 0x9010000);
    EXPECT_EQ(found.timer_intid, 27);
    EXPECT_EQ(found.psci, PSCI_HVC);
    EXPECT(text_equal(found.bootargs, "quiet fault=all"));
    EXPECT(found.tree_size > 0 && found.tree_size <= fdt_totalsize(tree()));
}

TEST(fdt, bad_trees_are_refused_with_a_reason)
{
    static const struct {
        enum defect defect;
        int error;
    } cases[] = {
        {NO_MEMORY, -ENODEV},       {NO_CPU, -ENODEV},
        {TWIN_CPUS, -EINVAL},       {NO_GIC, -ENODEV},
        {GIC_WITHOUT_REG, -EINVAL}, {NO_TIMER, -ENODEV},
        {TIMER_CUT_OFF, -EINVAL},   {TIMER_NOT_PRIVATE, -EINVAL},
        {MEMORY_OVERLAPS, -EINVAL}, {MEMORY_WRAPS, -EINVAL},
        {MEMORY_CUT_OFF, -EINVAL},  {UART_WITHOUT_INTERRUPT, -EINVAL},
        {PSCI_BY_MAGIC, -EINVAL},   {LONG_BOOTARGS, -EINVAL},
        {MANY_REGIONS, -E2BIG},     {BAD_CELLS, -EINVAL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        EXPECT(build(cases[i].defect));
        int error = fdt_describe(tree(), TREE_SIZE, &found);
        if (error != cases[i].error || found.reason == NULL || found.reason[0] == 0) {
            ktest_fail(__FILE__, __LINE__, "defect %d: error %d, reason %s", (int)cases[i].defect, error,
                       found.reason != NULL ? found.reason : "none");
            return;
        }
    }
}

TEST(fdt, a_tree_cut_off_anywhere_is_refused)
{
    EXPECT(build(GOOD));
    size_t size = fdt_totalsize(tree());
    EXPECT_EQ(fdt_describe(tree(), size, &found), 0);
    for (size_t limit = 0; limit < size; limit++) {
        EXPECT_EQ(fdt_describe(tree(), limit, &found), -EINVAL);
        EXPECT(found.reason != NULL);
    }
    EXPECT_EQ(fdt_describe(tree() + 4, size, &found), -EINVAL); // misaligned
}

TEST(fdt, a_damaged_byte_gives_a_description_or_a_reason)
{
    EXPECT(build(GOOD));
    size_t size = fdt_totalsize(tree());
    for (size_t at = 0; at < size; at++) {
        char kept = tree()[at];
        tree()[at] = (char)(kept ^ (1 << at % 8));
        int error = fdt_describe(tree(), TREE_SIZE, &found);
        tree()[at] = kept;
        EXPECT(error == 0 ? found.memory_count > 0 && found.cpu_count > 0 : found.reason != NULL);
        EXPECT(error == 0 || error == -EINVAL || error == -ENODEV || error == -E2BIG);
    }
    EXPECT_EQ(fdt_describe(tree(), TREE_SIZE, &found), 0);
}
