#include <fault/fault.h>
#include <hal/timer.h>

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/irq/irq.h"
#include "kernel/sched/thread.h"

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

TEST(fault_engine, an_observed_site_is_counted_and_never_fails)
{
    fault_disarm();
    fault_observe(false);
    fault_reset_counters();
    uint64_t before = fault_status().arrivals;
    EXPECT(!fault_here(FAULT_BOOT_ALLOC)); // off: not even counted
    for (size_t i = 0; i < fault_site_count(); i++) {
        EXPECT_EQ(fault_site_at(i)->reached, 0);
    }
    fault_observe(true);
    bool failed = false;
    for (unsigned i = 0; i < 3; i++) {
        failed |= fault_here(FAULT_BOOT_ALLOC);
    }
    fault_observe(false);
    EXPECT(!failed);
    uint32_t reached = 0;
    for (size_t i = 0; i < fault_site_count(); i++) {
        const struct fault_site *site = fault_site_at(i);
        if (text_equal(site->function, __func__)) {
            reached = reached > site->reached ? reached : site->reached;
            EXPECT_EQ(site->failed_transient + site->failed_persistent, 0);
            EXPECT(text_equal(fault_kind_name(site->kind), "boot_alloc"));
        }
    }
    EXPECT_EQ(reached, 3);
    EXPECT_EQ(fault_status().arrivals, before);
    fault_reset_counters();
}

TEST(fault_engine, a_failure_is_counted_as_once_or_for_good)
{
    static const struct {
        const char *plan;
        uint32_t transient, persistent;
    } cases[] = {{"boot_alloc,times=2", 2, 0}, {"boot_alloc,persistent", 0, 5}, {"all,nth=2", 1, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fault_reset_counters();
        (void)failures(cases[i].plan, 5);
        uint32_t transient = 0, persistent = 0;
        for (size_t at = 0; at < fault_site_count(); at++) {
            transient += fault_site_at(at)->failed_transient;
            persistent += fault_site_at(at)->failed_persistent;
        }
        EXPECT_EQ(transient, cases[i].transient);
        EXPECT_EQ(persistent, cases[i].persistent);
    }
    fault_reset_counters();
}

static bool failed_in_interrupt;

static void arrive(void)
{
    failed_in_interrupt |= fault_here(FAULT_BOOT_ALLOC);
}

TEST(fault_engine, interrupts_consume_nothing)
{
    struct fault_plan plan = {.kinds = 1u << FAULT_BOOT_ALLOC};
    uint64_t interrupts = irq_statistics().total;
    failed_in_interrupt = false;
    irq_set_probe(arrive);
    fault_arm(&plan);
    while (irq_statistics().total < interrupts + 3) {
        thread_sleep_until(timer_now() + 1000000);
    }
    irq_set_probe(NULL);
    struct fault_status status = fault_status();
    fault_disarm();
    EXPECT(!failed_in_interrupt);
    EXPECT_EQ(status.arrivals, 0);
}

TEST(fault_plan, a_short_buffer_is_not_overrun)
{
    struct fault_plan plan = {.kinds = 3, .nth = 2, .interval = 3, .times = 4, .probability = 5, .seed = 6, .task = 7};
    char whole[128], part[128];
    size_t length = fault_plan_format(&plan, whole, sizeof(whole));
    EXPECT(length < sizeof(whole));
    for (size_t size = 0; size <= length; size++) {
        __builtin_memset(part, 'x', sizeof(part));
        EXPECT_EQ(fault_plan_format(&plan, part, size), length);
        EXPECT(size == 0 || part[size - 1] == 0);
        EXPECT(size == 0 || __builtin_memcmp(part, whole, size - 1) == 0);
        EXPECT_EQ(part[size], 'x');
    }
}

TEST(fault_engine, a_plan_for_one_task)
{
    char text[64];
    format(text, sizeof(text), "boot_alloc,persistent,task=%u", thread_current()->id);
    EXPECT_EQ(failures(text, 4), 0xf);
    format(text, sizeof(text), "boot_alloc,persistent,task=%u", thread_current()->id + 1);
    EXPECT_EQ(failures(text, 4), 0);
}

TEST(fault_plan, forms_that_mean_the_same)
{
    struct fault_plan plan = {.times = 1}; // no kind is every kind
    char text[64];
    (void)fault_plan_format(&plan, text, sizeof(text));
    EXPECT(text_equal(text, "all"));
    plan.kinds = (1u << FAULT_KINDS) - 1;
    plan.probability = 100;
    plan.nth = plan.interval = 1;
    (void)fault_plan_format(&plan, text, sizeof(text));
    EXPECT(text_equal(text, "all"));
    EXPECT_EQ(error_at("page_alloc=3"), 10);
    EXPECT_EQ(error_at("page_alloc,nth=1+"), 16);
    EXPECT_EQ(error_at("page_alloc,persistent=1"), 21);
    EXPECT_EQ(error_at("page_alloc,nth=0000000000000000000000000001"), 38); // longer than any number
    EXPECT_EQ(error_at("page_alloc,probability=0"), 23);
}
