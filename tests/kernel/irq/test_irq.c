#include "kernel/irq/irq.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/ktest.h"
#include "kernel/sched/sched.h"

#define FREE_SGI 9u

static uint32_t arrived;

static bool count(uint32_t intid, void *argument)
{
    atomic_add((uint32_t *)argument, 1);
    return true;
}

TEST(irq, bad_numbers_are_refused)
{
    EXPECT_EQ(irq_register(irq_line_count(), count, &arrived), -EINVAL);
    EXPECT_EQ(irq_register(INTID_SPURIOUS, count, &arrived), -EINVAL);
    EXPECT_EQ(irq_register(UINT32_MAX, count, &arrived), -EINVAL);
    EXPECT_EQ(irq_unregister(irq_line_count()), -EINVAL);
    EXPECT_EQ(irq_unregister(UINT32_MAX), -EINVAL);
    EXPECT_EQ(irq_unmask(irq_line_count()), -EINVAL);
    EXPECT_EQ(irq_unmask(UINT32_MAX), -EINVAL);
    EXPECT_EQ(irq_unmask(timer_intid()), -EINVAL); // it is not masked
    EXPECT_SOUND(irq_check());
}

TEST(irq, a_line_has_one_handler)
{
    EXPECT_EQ(irq_register(timer_intid(), count, &arrived), -EBUSY);
    EXPECT_EQ(irq_register(SGI_RESCHEDULE, count, &arrived), -EBUSY);
    EXPECT(irq_line(timer_intid()).handled);
    EXPECT_SOUND(irq_check());
}

TEST(irq, a_handler_is_called_once_for_each_interrupt)
{
    store_release(&arrived, 0);
    EXPECT_EQ(irq_register(FREE_SGI, count, &arrived), 0);
    EXPECT_EQ(irq_register(FREE_SGI, count, &arrived), -EBUSY);
    uint64_t before = irq_line(FREE_SGI).count;
    uint32_t seen = 0;
    for (uint32_t i = 1; i <= 5; i++) {
        irqflags_t flags = irq_save();
        ipi_send(1u << cpu_self(), FREE_SGI);
        bool early = load_acquire(&arrived) != i - 1; // masked: not yet
        irq_restore(flags);
        uint64_t deadline = timer_now() + 1000000000;
        while (load_acquire(&arrived) < i && timer_now() < deadline) {
            cpu_relax();
        }
        seen += !early && load_acquire(&arrived) == i;
    }
    EXPECT_EQ(irq_unregister(FREE_SGI), 0);
    EXPECT_EQ(irq_unregister(FREE_SGI), -EINVAL);
    EXPECT_EQ(seen, 5);
    EXPECT_EQ(irq_line(FREE_SGI).count - before, 5);
    EXPECT_SOUND(irq_check());
}
