#include "kernel/mm/usercopy.h"

#include <hal/irq.h>
#include <hal/memory.h>
#include <hal/mmu.h>
#include <hal/user.h>

#include "kernel/base/format.h"
#include "kernel/debug/ktest.h"
#include "kernel/mm/pagetable.h"
#include "kernel/sched/thread.h"

#define BASE 0x400000ul // two pages with rights to write, one to read, then nothing
#define END (BASE + 3 * PAGE_SIZE)
#define READ_ONLY (BASE + 2 * PAGE_SIZE)
#define TEST_ASID 255u // processes take the low ones

static struct pagetable table;
static paddr_t pages[3];
static char buffer[3 * PAGE_SIZE];

static void use(struct pagetable *now)
{
    irqflags_t flags = irq_save();
    thread_current()->user_table = now;
    mmu_activate(now != NULL ? now->root : paddr(0), now != NULL ? now->asid : 0);
    irq_restore(flags);
}

static char pattern(uint64_t va)
{
    return (char)('A' + (va - BASE) % 61);
}

static int set_up(void)
{
    int error = pagetable_init(&table, PAGETABLE_USER, TEST_ASID, &kernel_pages);
    for (unsigned i = 0; i < ARRAY_SIZE(pages) && error == 0; i++) {
        error = page_alloc_zeroed(&kernel_pages, &pages[i]);
        if (error == 0) {
            char *bytes = phys_to_virt(pages[i]);
            for (uint64_t at = 0; at < PAGE_SIZE; at++) {
                bytes[at] = pattern(BASE + i * PAGE_SIZE + at);
            }
            unsigned flags = MAP_USER | (i < 2 ? MAP_WRITE : 0);
            error = pagetable_map(&table, vaddr(BASE + i * PAGE_SIZE), pages[i], PAGE_SIZE, flags);
        }
    }
    use(&table);
    return error;
}

static void tear_down(void)
{
    use(NULL);
    pagetable_destroy(&table);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        page_free(&kernel_pages, pages[i], 0);
    }
}

// Leaves the test, but not the user's pages.
#define EXPECT_HERE(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            ktest_fail(__FILE__, __LINE__, "expected %s", #condition);                                                 \
            tear_down();                                                                                               \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

static bool holds_pattern(uint64_t va, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        if (buffer[i] != pattern(va + i)) {
            return false;
        }
    }
    return true;
}

TEST(usercopy, ranges)
{
    EXPECT(user_range_ok(uaddr(0), 0) && user_range_ok(uaddr(USER_LIMIT), 0) && user_range_ok(uaddr(0), USER_LIMIT));
    EXPECT(!user_range_ok(uaddr(USER_LIMIT), 1) && !user_range_ok(uaddr(1), USER_LIMIT));
    EXPECT(!user_range_ok(uaddr(UINT64_MAX), 1) && !user_range_ok(uaddr(1), UINT64_MAX));
    EXPECT(!user_range_ok(uaddr(USER_LIMIT + 1), 0));
    uint64_t word = 5;
    EXPECT_EQ(copy_to_user(uaddr(USER_LIMIT - 4), &word, sizeof(word)), -EFAULT);
    EXPECT_EQ(copy_from_user(&word, uaddr(USER_LIMIT - 4), sizeof(word)), -EFAULT);
    EXPECT_EQ(word, 0); // nothing stale
}

TEST(usercopy, every_alignment_and_length_across_a_page)
{
    EXPECT_EQ(set_up(), 0);
    for (uint64_t start = BASE + PAGE_SIZE - 40; start <= BASE + PAGE_SIZE; start++) {
        for (uint64_t size = 0; size <= 80; size++) {
            __builtin_memset(buffer, 0, 82);
            EXPECT_HERE(copy_from_user(buffer, uaddr(start), size) == 0);
            EXPECT_HERE(holds_pattern(start, size) && buffer[size] == 0);
            EXPECT_HERE(copy_to_user(uaddr(start), buffer, size) == 0);
        }
    }
    EXPECT_HERE(copy_from_user(buffer, uaddr(BASE), sizeof(buffer)) == 0 && holds_pattern(BASE, sizeof(buffer)));
    tear_down();
}

TEST(usercopy, a_fault_stops_at_the_exact_byte)
{
    EXPECT_EQ(set_up(), 0);
    for (uint64_t readable = 0; readable < 80; readable++) {
        for (uint64_t extra = 1; extra < 40; extra += 13) {
            __builtin_memset(buffer, '#', 160);
            uint64_t size = readable + extra;
            EXPECT_HERE(user_copy_in(buffer, uaddr(END - readable), size) == readable);
            EXPECT_HERE(holds_pattern(END - readable, readable) && buffer[size] == '#');
            EXPECT_HERE(copy_from_user(buffer, uaddr(END - readable), size) == -EFAULT);
            for (uint64_t i = readable; i < size; i++) {
                EXPECT_HERE(buffer[i] == 0); // no stale bytes
            }
            EXPECT_HERE(user_copy_out(uaddr(READ_ONLY - readable), buffer, readable + extra) == readable);
        }
        for (uint64_t i = 0; i < 80; i++) {
            buffer[i] = pattern(READ_ONLY - 80 + i);
        }
        EXPECT_HERE(copy_to_user(uaddr(READ_ONLY - 80), buffer, 80) == 0);
    }
    EXPECT_HERE(copy_to_user(uaddr(READ_ONLY), buffer, 1) == -EFAULT);
    EXPECT_HERE(copy_to_user(uaddr(END), buffer, 1) == -EFAULT);
    EXPECT_HERE(copy_from_user(buffer, uaddr(0), 8) == -EFAULT);
    tear_down();
}

TEST(usercopy, strings)
{
    size_t length = 77;
    EXPECT_EQ(set_up(), 0);
    EXPECT_HERE(copy_to_user(uaddr(BASE + PAGE_SIZE - 3), "abcdef", 7) == 0);
    EXPECT_HERE(copy_string_from_user(buffer, uaddr(BASE + PAGE_SIZE - 3), 7, &length) == 0);
    EXPECT_HERE(length == 6 && text_equal(buffer, "abcdef"));
    EXPECT_HERE(copy_string_from_user(buffer, uaddr(BASE + PAGE_SIZE - 3), 6, &length) == -ENAMETOOLONG);
    EXPECT_HERE(buffer[0] == 0);
    EXPECT_HERE(copy_string_from_user(buffer, uaddr(END - 9), 9, &length) == -ENAMETOOLONG); // all of it readable
    EXPECT_HERE(copy_string_from_user(buffer, uaddr(END - 9), 10, &length) == -EFAULT);
    EXPECT_HERE(copy_string_from_user(buffer, uaddr(BASE), 0, &length) == -EINVAL);
    EXPECT_HERE(copy_string_from_user(buffer, uaddr(USER_LIMIT), 10, &length) == -EFAULT);
    tear_down();
}

TEST(usercopy, compare_exchange)
{
    uint32_t seen = 0, word = 41;
    EXPECT_EQ(set_up(), 0);
    EXPECT_HERE(copy_to_user(uaddr(BASE), &word, 4) == 0);
    EXPECT_HERE(user_compare_exchange(uaddr(BASE), 41, 42, &seen) == 0 && seen == 41);
    EXPECT_HERE(user_compare_exchange(uaddr(BASE), 41, 43, &seen) == 0 && seen == 42);
    EXPECT_HERE(copy_from_user(&word, uaddr(BASE), 4) == 0 && word == 42);
    seen = 7;
    EXPECT_HERE(user_compare_exchange(uaddr(END), 0, 1, &seen) == -EFAULT && seen == 7);
    EXPECT_HERE(user_compare_exchange(uaddr(0), 0, 1, &seen) == -EFAULT && seen == 7);
    // Readable, not writable: what it holds matches, so that the store is tried.
    EXPECT_HERE(copy_from_user(&word, uaddr(READ_ONLY), 4) == 0);
    EXPECT_HERE(user_compare_exchange(uaddr(READ_ONLY), word, 1, &seen) == -EFAULT);
    uint32_t after;
    EXPECT_HERE(copy_from_user(&after, uaddr(READ_ONLY), 4) == 0 && after == word);
    tear_down();
}

struct adder {
    struct pagetable *table;
    uint32_t failures;
};

static void add_many(void *argument)
{
    struct adder *adder = argument;
    use(adder->table);
    for (unsigned i = 0; i < 300; i++) {
        uint32_t seen, expected = 0;
        int error;
        do {
            error = copy_from_user(&expected, uaddr(BASE), 4);
            error = error != 0 ? error : user_compare_exchange(uaddr(BASE), expected, expected + 1, &seen);
            if (error != 0 && error != -EAGAIN) {
                adder->failures++;
                break;
            }
        } while (error != 0 || seen != expected);
    }
    use(NULL);
}

TEST(usercopy, compare_exchange_is_atomic_across_threads)
{
    uint32_t word = 0;
    struct thread *threads[4];
    struct adder adder = {&table, 0};
    EXPECT_EQ(set_up(), 0);
    EXPECT_HERE(copy_to_user(uaddr(BASE), &word, 4) == 0);
    unsigned count = 0;
    while (count < ARRAY_SIZE(threads) && thread_create("adder", add_many, &adder, &threads[count]) == 0) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        (void)thread_join(threads[i]);
    }
    EXPECT_HERE(count == ARRAY_SIZE(threads) && adder.failures == 0);
    EXPECT_HERE(copy_from_user(&word, uaddr(BASE), 4) == 0);
    tear_down();
    EXPECT_EQ(word, 1200);
}
