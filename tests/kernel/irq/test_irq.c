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

static bool not_mine(uint32_t intid, void *argument)
{
    atomic_add((uint32_t *)argument, 1);
    return false;
}

static void send_to_self(void)
{
    uint32_t before = load_acquire(&arrived);
    irqflags_t flags = irq_save();
    ipi_send(1u << cpu_self(), FREE_SGI);
    irq_restore(flags);
    uint64_t deadline = timer_now() + 20000000;
    while (load_acquire(&arrived) == before && timer_now() < deadline && !irq_line(FREE_SGI).masked) {
        cpu_relax();
    }
}

// A device that interrupts and has nothing to say is masked, and its line is of use again afterwards.
TEST(irq, a_line_that_storms_is_masked_and_comes_back)
{
    uint64_t storms = irq_statistics().storms, line_storms = irq_line(FREE_SGI).storms;
    EXPECT_EQ(irq_register(FREE_SGI, not_mine, &arrived), 0);
    uint32_t sent = 0;
    irqflags_t flags = irq_save(); // the interrupts of this CPU, wherever the thread was before
    unsigned cpu = cpu_self();
    irq_restore(flags);
    while (sent < 20 * IRQ_UNCLAIMED_LIMIT && irq_line(FREE_SGI).storms == line_storms) {
        send_to_self();
        sent++;
    }
    bool stormed = irq_line(FREE_SGI).storms > line_storms;
    bool counted = irq_statistics().storms > storms;
    (void)irq_unmask(FREE_SGI); // the thread that ends rests may have been faster, and is not there everywhere
    bool masked = irq_line(FREE_SGI).masked;
    uint32_t before = load_acquire(&arrived);
    ipi_send(1u << cpu, FREE_SGI);
    uint64_t deadline = timer_now() + 1000000000;
    while (load_acquire(&arrived) == before && timer_now() < deadline) {
        cpu_relax();
    }
    bool again = load_acquire(&arrived) > before;
    EXPECT_EQ(irq_unregister(FREE_SGI), 0);
    EXPECT(stormed && counted);
    EXPECT(sent > IRQ_UNCLAIMED_LIMIT);
    EXPECT(!masked && again);
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

// What CPUs tell each other may come as often as programs like.
TEST(irq, a_private_line_that_is_heard_is_no_storm)
{
    EXPECT_EQ(irq_register(FREE_SGI, count, &arrived), 0);
    uint64_t storms = irq_line(FREE_SGI).storms;
    uint64_t start = timer_now();
    uint32_t sent = 0;
    while (sent < IRQ_STORM_LIMIT + 100 && timer_now() - start < IRQ_STORM_WINDOW_NS && !irq_line(FREE_SGI).masked) {
        send_to_self();
        sent++;
    }
    bool masked = irq_line(FREE_SGI).masked || irq_line(FREE_SGI).storms > storms;
    (void)irq_unmask(FREE_SGI);
    EXPECT_EQ(irq_unregister(FREE_SGI), 0);
    EXPECT(!masked);
}
