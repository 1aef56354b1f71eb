// Sets of files: what is ready rises through them, what is closed leaves them.
#include "kernel/events/epoll.h"

#include "kernel/debug/ktest.h"
#include "kernel/events/eventfd.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/condition.h"

static const struct epoll_event in = {.events = POLL_IN}, in_exclusive = {.events = POLL_IN | EPOLL_EXCLUSIVE};

static int64_t move(struct file *file, bool write)
{
    uint64_t value = 1;
    struct io io = {.kernel = (char *)&value, .left = sizeof(value)};
    return write ? file_write(file, &io) : file_read(file, &io);
}

static bool is_ready(struct file *set)
{
    struct condition *changed;
    return (file_poll(set, &changed) & POLL_IN) != 0;
}

TEST(epoll, readiness_rises_through_sets)
{
    struct file *event, *sets[EPOLL_DEPTH_MAX + 1];
    uint64_t before = heap_used_objects(&kernel_heap);
    EXPECT_EQ(eventfd_create(0, false, O_NONBLOCK, &event), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
        EXPECT_EQ(epoll_create(0, &sets[i]), 0);
        EXPECT_EQ(epoll_add(sets[i], i == 0 ? event : sets[i - 1], 3, &in), i < EPOLL_DEPTH_MAX ? 0 : -ELOOP);
        EXPECT(epoll_check(sets[i]) == NULL);
    }
    EXPECT_EQ(epoll_add(sets[0], sets[2], 4, &in), -ELOOP);
    EXPECT_EQ(epoll_add(sets[0], event, 3, &in), -EEXIST);
    EXPECT_EQ(epoll_add(sets[0], event, 4, &in), 0); // another descriptor of it
    EXPECT(!is_ready(sets[EPOLL_DEPTH_MAX - 1]));
    EXPECT_EQ(move(event, true), 8);
    EXPECT(is_ready(sets[EPOLL_DEPTH_MAX - 1]));
    EXPECT(is_ready(sets[1]));
    EXPECT_EQ(move(event, false), 8);
    EXPECT(!is_ready(sets[EPOLL_DEPTH_MAX - 1]));
    EXPECT_EQ(epoll_change(sets[0], event, 3, &in_exclusive), -EINVAL);
    EXPECT_EQ(epoll_remove(sets[0], event, 5), -ENOENT);
    EXPECT_EQ(epoll_remove(sets[0], event, 4), 0);
    file_put(sets[2]); // in the middle: it takes its watches along, both ways
    EXPECT(epoll_check(sets[3]) == NULL && epoll_check(sets[1]) == NULL);
    EXPECT_EQ(move(event, true), 8);
    EXPECT(is_ready(sets[1]) && !is_ready(sets[3]));
    file_put(event);
    EXPECT(!is_ready(sets[1]));
    for (unsigned i = 0; i < ARRAY_SIZE(sets); i++) {
        if (i != 2) {
            file_put(sets[i]);
        }
    }
    EXPECT_EQ(heap_used_objects(&kernel_heap), before);
}

static bool heard(struct listener *listener)
{
    return true;
}

TEST(epoll, exclusive_watches_take_turns)
{
    struct file *event, *one, *other;
    EXPECT_EQ(eventfd_create(0, false, O_NONBLOCK, &event), 0);
    EXPECT_EQ(epoll_create(0, &one), 0);
    EXPECT_EQ(epoll_create(0, &other), 0);
    EXPECT_EQ(epoll_add(one, event, 3, &in_exclusive), 0);
    EXPECT_EQ(epoll_add(other, event, 3, &in_exclusive), 0);
    struct condition *changed;
    struct listener waiting[2] = {{.notify = heard}, {.notify = heard}};
    (void)file_poll(one, &changed);
    condition_add_listener(changed, &waiting[0]); // somebody waits for each
    struct condition *changed_too;
    (void)file_poll(other, &changed_too);
    condition_add_listener(changed_too, &waiting[1]);
    uint32_t seen[2] = {condition_seen(changed), condition_seen(changed_too)};
    EXPECT_EQ(move(event, true), 8);
    EXPECT(condition_seen(changed) != seen[0] && condition_seen(changed_too) == seen[1]); // the first one alone
    EXPECT_EQ(move(event, true), 8);
    EXPECT(condition_seen(changed_too) != seen[1]);
    condition_stop_listening(changed, &waiting[0]);
    condition_stop_listening(changed_too, &waiting[1]);
    file_put(event);
    file_put(other);
    file_put(one);
}

static struct file *watched;

static void raise_often(void *argument)
{
    for (unsigned i = 0; i < 200; i++) {
        (void)move(watched, true);
        thread_yield();
    }
}

TEST(epoll, no_wakeup_is_lost)
{
    struct file *inner, *outer;
    struct thread *thread;
    struct condition *changed;
    uint64_t sum = 0;
    EXPECT_EQ(eventfd_create(0, false, O_NONBLOCK, &watched), 0);
    EXPECT_EQ(epoll_create(0, &inner), 0);
    EXPECT_EQ(epoll_create(0, &outer), 0);
    EXPECT_EQ(epoll_add(inner, watched, 3, &in), 0);
    EXPECT_EQ(epoll_add(outer, inner, 4, &in), 0);
    EXPECT_EQ(thread_create("raise", raise_often, NULL, &thread), 0);
    while (sum < 200) {
        (void)file_poll(outer, &changed);
        uint32_t seen = condition_seen(changed);
        if (!is_ready(outer)) {
            (void)condition_wait_after(changed, seen, UINT64_MAX);
        }
        uint64_t value = 0;
        struct io io = {.kernel = (char *)&value, .left = sizeof(value)};
        sum += file_read(watched, &io) == 8 ? value : 0;
    }
    EXPECT_EQ(sum, 200);
    (void)thread_join(thread);
    file_put(outer);
    file_put(inner);
    file_put(watched);
}
