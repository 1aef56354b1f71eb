#include "kernel/sched/policy.h"

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/sched/sched.h"

static struct thread threads[4];

static void make(unsigned index, uint8_t kind, uint8_t priority, int8_t nice)
{
    threads[index] = (struct thread){.policy = {kind, priority, nice, false}};
    list_init(&threads[index].run_link);
}

TEST(policy, realtime_comes_first_in_order_of_priority)
{
    struct list ready;
    list_init(&ready);
    make(0, SCHED_OTHER, 0, 0);
    make(1, SCHED_RR, 5, 0);
    make(2, SCHED_FIFO, 50, 0);
    make(3, SCHED_RR, 5, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++) {
        policy_enqueue(&ready, &threads[i], false);
    }
    static const unsigned order[] = {2, 1, 3, 0};
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        EXPECT(list_first(&ready, struct thread, run_link) == &threads[order[i]]);
        list_remove(&threads[order[i]].run_link);
    }
    policy_enqueue(&ready, &threads[1], false);
    policy_enqueue(&ready, &threads[3], true); // it was in the middle of its turn
    EXPECT(list_first(&ready, struct thread, run_link) == &threads[3]);
}

TEST(policy, who_gives_way)
{
    make(0, SCHED_OTHER, 0, 0);
    make(1, SCHED_RR, 5, 0);
    make(2, SCHED_FIFO, 5, 0);
    EXPECT(policy_yields(&threads[0], &threads[1], false));
    EXPECT(!policy_yields(&threads[1], &threads[0], true));
    EXPECT(!policy_yields(&threads[1], &threads[2], false));
    EXPECT(policy_yields(&threads[1], &threads[2], true));
    EXPECT(!policy_yields(&threads[2], &threads[1], true)); // until it sleeps
    EXPECT(policy_yields(&threads[0], &threads[0], true));
}

TEST(policy, niceness_makes_slices)
{
    struct sched_policy even = {.kind = SCHED_OTHER}, kind = {.nice = 19}, selfish = {.nice = -20},
                        little = {.nice = 1};
    EXPECT_EQ(policy_slice_ns(&even), SCHED_SLICE_NS);
    EXPECT_EQ(policy_slice_ns(&little), SCHED_SLICE_NS / 5 * 4);
    EXPECT_EQ(policy_slice_ns(&kind), SCHED_SLICE_NS / 10);
    EXPECT_EQ(policy_slice_ns(&selfish), SCHED_SLICE_NS * 10);
}

// Goes round all CPUs.
TEST(policy, a_thread_goes_where_it_may)
{
    uint32_t online = sched_online_mask();
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned id = 0; id < MAX_CPUS; id++) {
            if ((online >> id & 1) != 0) {
                thread_set_allowed(thread_current(), 1u << id);
                EXPECT_EQ(cpu_self(), id);
                thread_yield();
                EXPECT_EQ(cpu_self(), id);
            }
        }
    }
    thread_set_allowed(thread_current(), UINT32_MAX);
    EXPECT_SOUND(sched_check());
}
