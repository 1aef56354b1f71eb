// User copies through real page tables: the right bytes, no byte more, -EFAULT exactly when a page is missing. Between
// two fetches user space may change under the kernel's hands.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "harness/userspace.h"
#include "kernel/mm/usercopy.h"

#include <string.h>

#define FRAMES 64u
#define ROOM (3 * PAGE_SIZE)

static struct page pages[FRAMES];
static struct page_pool pool;
static struct userspace space;
static uint8_t buffer[ROOM + 16];
static uint8_t counter;

static void setup(void)
{
    harness_pool(&pool, pages, FRAMES);
}

static void copy_in(uint64_t start, uint64_t size)
{
    uint64_t fired = fault_status().fired, reach = userspace_reach(&space, start, size, USERSPACE_READ);
    bool fits = start <= USER_LIMIT && size <= USER_LIMIT - start;
    if (size > ROOM) {
        return; // the kernel zeroes what it did not copy
    }
    memset(buffer + size, 0x5a, 16);
    int error = copy_from_user(buffer, uaddr(start), size);
    OP("copy from 0x%llx + 0x%llx = %d", (unsigned long long)start, (unsigned long long)size, error);
    bool faulted = fault_status().fired > fired;
    EXPECT_MODEL(error == (faulted || !fits || reach < size ? -EFAULT : 0), "the copy gave %d", error);
    for (uint64_t i = 0; i < size; i++) {
        uint8_t expected = !faulted && fits && i < reach ? *userspace_byte(&space, start + i) : 0;
        EXPECT_MODEL(buffer[i] == expected, "byte %llu is 0x%x, not 0x%x", (unsigned long long)i, buffer[i], expected);
    }
    EXPECT_MODEL(buffer[size] == 0x5a, "a byte behind the buffer changed");
}

static void copy_out(uint64_t start, uint64_t size)
{
    uint64_t fired = fault_status().fired, reach = userspace_reach(&space, start, size, USERSPACE_WRITE);
    bool fits = start <= USER_LIMIT && size <= USER_LIMIT - start;
    if (size > ROOM && fits) {
        return; // the buffer is shorter
    }
    memset(buffer, ++counter, sizeof(buffer));
    if (size > 0 && size <= ROOM) {
        buffer[size / 2] = buffer[size - 1] = 0; // ends of strings
    }
    int error = copy_to_user(uaddr(start), buffer, size);
    OP("copy to 0x%llx + 0x%llx = %d", (unsigned long long)start, (unsigned long long)size, error);
    bool bad = fault_status().fired > fired || !fits || reach < size;
    EXPECT_MODEL(error == (bad ? -EFAULT : 0), "the copy gave %d", error);
    for (uint64_t i = 0; i < size && !bad; i++) {
        *userspace_byte(&space, start + i) = buffer[i];
    }
    if (bad) {
        userspace_relearn(&space);
    }
}

static void string(uint64_t start, size_t limit)
{
    uint64_t fired = fault_status().fired, reach = userspace_reach(&space, start, limit, USERSPACE_READ), length = 0;
    while (length < reach && *userspace_byte(&space, start + length) != 0) {
        length++;
    }
    size_t out = 0;
    buffer[limit] = 0x5a;
    int error = copy_string_from_user((char *)buffer, uaddr(start), limit, &out);
    OP("string 0x%llx limit %zu = %d, length %zu", (unsigned long long)start, limit, error, out);
    int expected = limit == 0 ? -EINVAL : length < reach ? 0 : reach == limit ? -ENAMETOOLONG : -EFAULT;
    expected = fault_status().fired > fired ? -EFAULT : expected;
    EXPECT_MODEL(error == expected, "the string gave %d, not %d", error, expected);
    EXPECT_MODEL(error != 0 || out == length, "the string's length is %zu, not %llu", out, (unsigned long long)length);
    for (uint64_t i = 0; i <= length && error == 0; i++) {
        EXPECT_MODEL(buffer[i] == *userspace_byte(&space, start + i), "byte %llu of the string is wrong",
                     (unsigned long long)i);
    }
    EXPECT_MODEL(buffer[limit] == 0x5a, "a byte behind the buffer changed");
}

static uint64_t address(struct input *input)
{
    uint8_t how = input_u8(input);
    uint64_t va =
        (how & 0xf8) == 0xf8 ? input_u64(input) : userspace_va(how % USERSPACE_PAGES) + (how & 0x80 ? PAGE_SIZE : 0);
    return (how & 0x40) != 0 ? va - input_u8(input) % 9 : va + input_range(input, PAGE_SIZE);
}

static void run(struct input *input)
{
    userspace_init(&space, &pool);
    if (space.table.root.raw == 0) {
        return; // the plan wanted it so
    }
    machine_double_fetch(true);
    userspace_allow(&space, 0, USERSPACE_WRITE);
    userspace_allow(&space, 1, USERSPACE_WRITE);
    userspace_allow(&space, USERSPACE_PAGES - 1, USERSPACE_WRITE);
    while (input_more(input)) {
        uint8_t op = input_u8(input);
        if (op < 0x40) {
            userspace_allow(&space, op % USERSPACE_PAGES, (op >> 3 & 3) == 2 ? USERSPACE_NOTHING : op >> 3 & 3);
            continue;
        }
        uint64_t start = address(input);
        uint64_t size = op < 0xc0 && (op & 0x3e) == 0x3e ? input_u64(input) : input_range(input, ROOM);
        if (op >= 0xc0) {
            string(start, size);
        } else if ((op & 1) != 0) {
            copy_in(start, size);
        } else {
            copy_out(start, size);
        }
        if (machine_user_changed()) {
            userspace_relearn(&space);
        }
    }
}

static void finish(void)
{
    userspace_finish(&space);
    page_pool_drain(&pool);
    EXPECT_CHECK(page_pool_check(&pool));
    EXPECT_NO_LEAK(pool.buddy.free_frames == FRAMES, "%u of %u pages came back", pool.buddy.free_frames, FRAMES);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_usercopy", .setup = setup, .run = run, .finish = finish};
