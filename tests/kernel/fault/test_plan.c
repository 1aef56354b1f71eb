#include <fault/fault.h>

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"

static bool round_trips(const char *text)
{
    struct fault_plan plan;
    const char *error;
    char out[128];
    return fault_plan_parse(text, &plan, &error) == 0 &&
           fault_plan_format(&plan, out, sizeof(out)) == __builtin_strlen(text) && text_equal(text, out);
}

TEST(fault_plan, round_trips)
{
    EXPECT(round_trips("all"));
    EXPECT(round_trips("page_alloc"));
    EXPECT(round_trips("page_alloc+user_copy,nth=3,interval=2,times=5"));
    EXPECT(round_trips("slab_alloc,persistent"));
    EXPECT(round_trips("boot_alloc,probability=10,seed=99,task=4"));
}

static size_t error_at(const char *text)
{
    struct fault_plan plan = {.nth = 77};
    const char *error;
    if (fault_plan_parse(text, &plan, &error) == 0 || plan.nth != 77) {
        return 999;
    }
    return (size_t)(error - text);
}

TEST(fault_plan, errors_name_the_character)
{
    EXPECT_EQ(error_at(""), 0);
    EXPECT_EQ(error_at("disk"), 0);
    EXPECT_EQ(error_at("page_alloc+disk"), 11);
    EXPECT_EQ(error_at("page_allocator"), 0);
    EXPECT_EQ(error_at("page_alloc,nth"), 11);
    EXPECT_EQ(error_at("page_alloc,nth="), 15);
    EXPECT_EQ(error_at("page_alloc,nth=99999999999999999999999"), 15);
    EXPECT_EQ(error_at("page_alloc,times=0"), 17);
    EXPECT_EQ(error_at("page_alloc,probability=101"), 23);
    EXPECT_EQ(error_at("page_alloc "), 0);
    EXPECT_EQ(error_at("page_alloc,nth=1x"), 16);
}

// One line that can be made to fail, as often as asked: which of count arrivals fail, as bits.
static uint64_t failures(const char *text, unsigned count)
{
    struct fault_plan plan;
    const char *error;
    uint64_t bits = 0;
    if (fault_plan_parse(text, &plan, &error) != 0) {
        return UINT64_MAX;
    }
    fault_arm(&plan);
    for (unsigned i = 0; i < count; i++) {
        bits |= (uint64_t)fault_here(FAULT_BOOT_ALLOC) << i;
    }
    fault_disarm();
    return bits;
}

TEST(fault_engine, nth_interval_times)
{
    EXPECT_EQ(failures("boot_alloc", 8), 0x1);
    EXPECT_EQ(failures("boot_alloc,nth=3", 8), 0x4);
    EXPECT_EQ(failures("boot_alloc,nth=3,persistent", 8), 0xfc);
    EXPECT_EQ(failures("boot_alloc,nth=2,interval=3,times=2", 12), 0x12);
    EXPECT_EQ(failures("page_alloc,persistent", 8), 0);
    EXPECT_EQ(failures("boot_alloc,task=4294967295,persistent", 8), 0);
}

TEST(fault_engine, probability_is_a_share_and_repeats)
{
    uint64_t once = failures("boot_alloc,probability=50,seed=7,persistent", 64);
    EXPECT(once == failures("boot_alloc,probability=50,seed=7,persistent", 64));
    EXPECT(once != failures("boot_alloc,probability=50,seed=8,persistent", 64));
    int hits = __builtin_popcountll(once);
    EXPECT(hits > 16 && hits < 48);
}

TEST(fault_engine, reports_what_fired)
{
    (void)failures("boot_alloc,nth=2,times=3", 10);
    struct fault_status status = fault_status();
    EXPECT(!status.armed);
    EXPECT_EQ(status.arrivals, 10);
    EXPECT_EQ(status.fired, 3);
    EXPECT(status.last_site != NULL && text_equal(status.last_site->function, "failures"));
}
