#include "kernel/fs/pipe.h"

#include "kernel/debug/ktest.h"
#include "kernel/sched/thread.h"
#include "kernel/sync/condition.h"

static char bytes[3 * PAGE_SIZE], back[3 * PAGE_SIZE];

static int64_t put(struct file *file, uint64_t size)
{
    struct io io = {.kernel = bytes, .left = size};
    return file_write(file, &io);
}

static int64_t take(struct file *file, uint64_t size)
{
    struct io io = {.kernel = back, .left = size};
    return file_read(file, &io);
}

TEST(pipe, keeps_order_and_ends)
{
    struct file *reader, *writer;
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7);
    }
    EXPECT_EQ(pipe_create(O_NONBLOCK, &reader, &writer), 0);
    EXPECT_EQ(take(reader, 10), -EAGAIN);
    EXPECT_EQ(put(writer, sizeof(bytes)), (int64_t)sizeof(bytes));
    EXPECT_EQ(take(reader, 5000), 5000);
    EXPECT(__builtin_memcmp(back, bytes, 5000) == 0);
    EXPECT_EQ(take(reader, sizeof(back)), (int64_t)sizeof(bytes) - 5000);
    EXPECT(__builtin_memcmp(back, bytes + 5000, sizeof(bytes) - 5000) == 0);
    EXPECT_EQ(file_seek(reader, 0, 0), -ESPIPE);
    EXPECT_EQ(put(reader, 1), -EBADF);
    file_put(writer);
    EXPECT_EQ(take(reader, 10), 0);
    file_put(reader);
}

TEST(pipe, full_and_without_readers)
{
    struct file *reader, *writer;
    int64_t total = 0, put_now;
    EXPECT_EQ(pipe_create(O_NONBLOCK, &reader, &writer), 0);
    while ((put_now = put(writer, sizeof(bytes))) > 0) {
        total += put_now;
    }
    EXPECT_EQ(put_now, -EAGAIN);
    EXPECT_EQ(total, (int64_t)PIPE_CAPACITY);
    EXPECT_EQ(take(reader, 100), 100);
    EXPECT_EQ(put(writer, 101), -EAGAIN); // not torn
    EXPECT_EQ(put(writer, 100), 100);
    struct condition *changed;
    EXPECT_EQ(writer->ops->poll(writer, &changed), 0);
    EXPECT_EQ(reader->ops->poll(reader, &changed), POLL_IN);
    file_put(reader);
    EXPECT_EQ(put(writer, 1), -EPIPE);
    EXPECT_EQ(writer->ops->poll(writer, &changed), POLL_ERROR);
    file_put(writer);
}

static void write_much(void *argument)
{
    for (unsigned i = 0; i < 20; i++) {
        (void)put(argument, sizeof(bytes));
    }
    file_put(argument);
}

TEST(pipe, a_writer_waits_for_room)
{
    struct file *reader, *writer;
    struct thread *thread;
    int64_t total = 0, got;
    EXPECT_EQ(pipe_create(0, &reader, &writer), 0);
    EXPECT_EQ(thread_create("writer", write_much, writer, &thread), 0);
    while ((got = take(reader, 4000)) > 0) {
        total += got;
    }
    EXPECT_EQ(got, 0);
    EXPECT_EQ(total, 20 * (int64_t)sizeof(bytes));
    (void)thread_join(thread);
    file_put(reader);
}

static struct condition condition;
static struct mutex mutex;
static int turn;

static void take_turns(void *argument)
{
    mutex_lock(&mutex);
    for (int i = 0; i < 50; i++) {
        while (turn % 2 == 0) {
            condition_wait(&condition, &mutex);
        }
        turn++;
        condition_signal(&condition);
    }
    mutex_unlock(&mutex);
}

TEST(condition, two_threads_take_turns)
{
    struct thread *thread;
    struct semaphore heard;
    struct listener listener;
    mutex_init(&mutex, "turns");
    condition_init(&condition, "turns");
    semaphore_init(&heard, 0);
    turn = 0;
    condition_listen(&condition, &listener, &heard);
    EXPECT_EQ(thread_create("turns", take_turns, NULL, &thread), 0);
    mutex_lock(&mutex);
    for (int i = 0; i < 50; i++) {
        while (turn % 2 != 0) {
            condition_wait(&condition, &mutex);
        }
        turn++;
        condition_signal(&condition);
    }
    mutex_unlock(&mutex);
    (void)thread_join(thread);
    condition_stop_listening(&condition, &listener);
    EXPECT_EQ(turn, 100);
    EXPECT_EQ(heard.count, 100);
}

TEST(pipe, grows_and_shrinks_with_what_is_in_it)
{
    struct file *reader, *writer;
    EXPECT_EQ(pipe_create(O_NONBLOCK, &reader, &writer), 0);
    EXPECT_EQ(put(writer, 6000), 6000);
    EXPECT_EQ(take(reader, 5000), 5000);
    EXPECT_EQ(put(writer, sizeof(bytes)), (int64_t)sizeof(bytes));
    EXPECT_EQ(pipe_set_capacity(reader, 2 * PAGE_SIZE), -EBUSY);
    EXPECT_EQ(pipe_set_capacity(reader, 5 * PAGE_SIZE), 8 * (int64_t)PAGE_SIZE);
    EXPECT_EQ(pipe_set_capacity(writer, 128 * PAGE_SIZE), 128 * (int64_t)PAGE_SIZE);
    EXPECT_EQ(take(reader, 1000), 1000);
    EXPECT(__builtin_memcmp(back, bytes + 5000, 1000) == 0);
    EXPECT_EQ(take(reader, sizeof(back)), (int64_t)sizeof(bytes));
    EXPECT(__builtin_memcmp(back, bytes, sizeof(bytes)) == 0);
    EXPECT_EQ(pipe_set_capacity(writer, MIB(2)), MIB(2)); // by who may
    file_put(writer);
    file_put(reader);
}
