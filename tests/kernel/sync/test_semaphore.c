#include "kernel/debug/ktest.h"
#include "kernel/sync/semaphore.h"

TEST(semaphore, try_down_takes_what_there_is)
{
    struct semaphore semaphore;
    semaphore_init(&semaphore, 2);
    EXPECT(semaphore_try_down(&semaphore));
    EXPECT(semaphore_try_down(&semaphore));
    EXPECT(!semaphore_try_down(&semaphore));
    semaphore_up(&semaphore);
    EXPECT(semaphore_try_down(&semaphore));
}
