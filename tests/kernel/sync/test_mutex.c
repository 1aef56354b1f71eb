#include "kernel/sync/mutex.h"

#include "kernel/debug/ktest.h"
#include "kernel/sched/thread.h"

static struct mutex mutex;

static void try(void *out) NO_LOCK_ANALYSIS
{
    *(bool *)out = mutex_trylock(&mutex);
    if (*(bool *)out) {
        mutex_unlock(&mutex);
    }
}

static int try_elsewhere(bool *out)
{
    struct thread *thread;
    int error = thread_create("try", try, out, &thread);
    return error != 0 ? error : thread_join(thread);
}

struct outcome {
    bool free, first, again, other;
    int error;
};

static struct outcome tries(void) NO_LOCK_ANALYSIS
{
    struct outcome outcome = {0};
    outcome.error = try_elsewhere(&outcome.free);
    outcome.first = mutex_trylock(&mutex);
    outcome.again = mutex_trylock(&mutex); // not even its owner
    outcome.error = outcome.error != 0 ? outcome.error : try_elsewhere(&outcome.other);
    mutex_unlock(&mutex);
    return outcome;
}

TEST(mutex, a_try_never_waits)
{
    mutex_init(&mutex, "try");
    struct outcome outcome = tries();
    EXPECT_EQ(outcome.error, 0);
    EXPECT(outcome.free && outcome.first);
    EXPECT(!outcome.again && !outcome.other);
    EXPECT(mutex.owner == NULL);
    EXPECT_SOUND(mutex_check(&mutex));
}

TEST(mutex, waiters_without_an_owner_are_found)
{
    struct list waiter;
    mutex_init(&mutex, "orphans");
    list_push_back(&mutex.waiters.waiters, &waiter);
    const char *broken = mutex_check(&mutex);
    list_remove(&waiter);
    EXPECT(broken != NULL);
    EXPECT_SOUND(mutex_check(&mutex));
}
