// User copies through real page tables: the right bytes, no byte more, -EFAULT exactly when a page is missing.
#include "harness/fuzz.h"

#include <fault/fault.h>

#include "kernel/mm/pagetable.h"
#include "kernel/mm/usercopy.h"

#include <string.h>

#define FRAMES 64u
#define USER_PAGES 8u
#define ROOM (3 * PAGE_SIZE)

static struct page pages[FRAMES];
static struct page_pool pool;
static struct pagetable table;
static uint8_t mirror[USER_PAGES][PAGE_SIZE]; // the model: what user space holds
static uint8_t rights[USER_PAGES];            // 0 nothing, 1 readable, 3 writable too
static paddr_t frames[USER_PAGES];
static uint8_t buffer[ROOM + 16];
static uint8_t counter;

// Pages at the bottom, and four at the very top of user space.
static uint64_t page_va(unsigned index)
{
    return index < 4 ? 0x10000 + index * PAGE_SIZE : USER_LIMIT - (USER_PAGES - index) * PAGE_SIZE;
}

static int index_of(uint64_t va)
{
    for (unsigned i = 0; i < USER_PAGES; i++) {
        if (va - page_va(i) < PAGE_SIZE) {
            return (int)i;
        }
    }
    return -1;
}

static void setup(void)
{
    harness_pool(&pool, pages, FRAMES);
}

static void set_rights(unsigned index, unsigned wanted)
{
    if (rights[index] != 0 && pagetable_unmap(&table, vaddr(page_va(index)), PAGE_SIZE) != 0) {
        machine_finding("model", "a page cannot be unmapped");
    }
    rights[index] = 0;
    unsigned flags = MAP_USER | (wanted == 3 ? MAP_WRITE : 0);
    OP("page %u at 0x%llx: rights %u", index, (unsigned long long)page_va(index), wanted);
    if (wanted != 0 && pagetable_map(&table, vaddr(page_va(index)), frames[index], PAGE_SIZE, flags) == 0) {
        rights[index] = (uint8_t)wanted;
    }
}

// How many of the bytes from start on user space lets through.
static uint64_t model_reach(uint64_t start, uint64_t size, unsigned need)
{
    uint64_t done = 0;
    while (done < size) {
        int index = start + done < USER_LIMIT ? index_of(start + done) : -1;
        if (index < 0 || (rights[index] & need) != need) {
            break;
        }
        done += PAGE_SIZE - ((start + done) & PAGE_MASK);
    }
    return done < size ? done : size;
}

static uint8_t *model_byte(uint64_t va)
{
    return &mirror[index_of(va)][va & PAGE_MASK];
}

static void copy(bool in, uint64_t start, uint64_t size)
{
    uint64_t fired = fault_status().fired, reach = model_reach(start, size, in ? 1 : 3);
    bool fits = start <= USER_LIMIT && size <= USER_LIMIT - start;
    size_t real = size <= ROOM ? size : 0; // a size that cannot succeed must not touch the buffer beyond it
    if (!in) {
        memset(buffer, ++counter, sizeof(buffer));
    } else if (size > ROOM) {
        return; // the kernel zeroes what it did not copy
    }
    if (size > ROOM && fits) {
        return;
    }
    memset(buffer + real, 0x5a, in ? 16 : 0);
    int error = in ? copy_from_user(buffer, uaddr(start), size) : copy_to_user(uaddr(start), buffer, size);
    OP("copy %s 0x%llx + 0x%llx = %d", in ? "from" : "to", (unsigned long long)start, (unsigned long long)size, error);
    bool faulted = fault_status().fired > fired;
    EXPECT_MODEL(size == 0 || error == (faulted || !fits || reach < size ? -EFAULT : 0), "the copy gave %d", error);
    for (uint64_t i = 0; i < real && in; i++) {
        uint8_t expected = !faulted && fits && i < reach ? *model_byte(start + i) : 0;
        EXPECT_MODEL(buffer[i] == expected, "byte %llu is 0x%x, not 0x%x", (unsigned long long)i, buffer[i], expected);
    }
    EXPECT_MODEL(!in || buffer[real] == 0x5a, "a byte behind the buffer changed");
    for (uint64_t i = 0; !in && error == 0 && i < size; i++) {
        *model_byte(start + i) = counter;
    }
    for (unsigned i = 0; !in && error != 0 && i < USER_PAGES; i++) {
        memcpy(mirror[i], phys_to_virt(frames[i]), PAGE_SIZE); // any prefix is allowed
    }
}

static void string(uint64_t start, size_t limit)
{
    uint64_t fired = fault_status().fired, reach = model_reach(start, limit, 1), length = 0;
    while (length < reach && *model_byte(start + length) != 0) {
        length++;
    }
    size_t out = 0;
    buffer[limit] = 0x5a;
    int error = copy_string_from_user((char *)buffer, uaddr(start), limit, &out);
    OP("string 0x%llx limit %zu = %d, length %zu", (unsigned long long)start, limit, error, out);
    int expected = limit == 0 ? -EINVAL : length < reach ? 0 : reach == limit ? -ENAMETOOLONG : -EFAULT;
    expected = fault_status().fired > fired ? -EFAULT : expected;
    EXPECT_MODEL(error == expected, "the string gave %d, not %d", error, expected);
    EXPECT_MODEL(error != 0 || (out == length && buffer[length] == 0), "the string's length is %zu, not %llu", out,
                 (unsigned long long)length);
    EXPECT_MODEL(buffer[limit] == 0x5a, "a byte behind the buffer changed");
}

static uint64_t address(struct input *input)
{
    uint8_t how = input_u8(input);
    uint64_t va = (how & 0xf8) == 0xf8 ? input_u64(input) : page_va(how % USER_PAGES) + (how & 0x80 ? PAGE_SIZE : 0);
    return (how & 0x40) != 0 ? va - input_u8(input) % 9 : va + input_range(input, PAGE_SIZE);
}

static void run(struct input *input)
{
    for (unsigned i = 0; i < USER_PAGES; i++) {
        if (buddy_alloc(&pool.buddy, 0, &frames[i]) != 0) {
            machine_finding("model", "no page");
        }
        memory_allocated(phys_to_virt(frames[i]), PAGE_SIZE);
        memset(phys_to_virt(frames[i]), 'a' + (int)i, PAGE_SIZE);
        memset(mirror[i], 'a' + (int)i, PAGE_SIZE);
    }
    if (pagetable_init(&table, PAGETABLE_USER, 1, &pool) != 0) {
        return; // the plan wanted it so
    }
    mmu_activate(table.root, 1);
    set_rights(0, 3);
    set_rights(1, 3);
    set_rights(USER_PAGES - 1, 3);
    while (input_more(input)) {
        uint8_t op = input_u8(input);
        if (op < 0x40) {
            set_rights(op % USER_PAGES, (op >> 3 & 3) == 2 ? 0 : op >> 3 & 3);
        } else if (op < 0xc0) {
            uint64_t start = address(input);
            uint64_t size = (op & 0x3e) == 0x3e ? input_u64(input) : input_range(input, ROOM);
            copy((op & 1) != 0, start, size);
        } else {
            uint64_t start = address(input);
            string(start, input_range(input, ROOM));
        }
    }
    pagetable_destroy((mmu_activate(paddr(0), 0), &table));
}

const struct fuzz_target fuzz_target = {.name = "fuzz_usercopy", .setup = setup, .run = run};
