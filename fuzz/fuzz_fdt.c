// Device trees: any bytes give a description that keeps its promises, or an error with a reason; nothing beyond them is
// read.
#include "harness/fuzz.h"

#include "kernel/drivers/fdt.h"

#include <string.h>

#define WIDE unsigned __int128

static struct machine_description found;

static void check_memory(void)
{
    uint64_t sum = 0;
    EXPECT_MODEL(found.memory_count >= 1 && found.memory_count <= MACHINE_REGIONS_MAX, "%u regions",
                 found.memory_count);
    for (unsigned i = 0; i < found.memory_count; i++) {
        const struct machine_range *range = &found.memory[i];
        OP("memory 0x%llx + 0x%llx", (unsigned long long)range->start.raw, (unsigned long long)range->size);
        EXPECT_MODEL(range->size != 0 && ((range->start.raw | range->size) & PAGE_MASK) == 0,
                     "region %u is empty or not whole pages", i);
        EXPECT_MODEL((WIDE)range->start.raw + range->size <= (WIDE)1 << 64, "region %u wraps", i);
        EXPECT_MODEL(i == 0 || (WIDE)found.memory[i - 1].start.raw + found.memory[i - 1].size <= range->start.raw,
                     "regions %u and %u overlap or fall", i - 1, i);
        sum += range->size;
    }
    EXPECT_MODEL(sum == found.memory_size, "the sum of memory is wrong");
}

static void check_rest(size_t size)
{
    EXPECT_MODEL(found.reserved_count <= MACHINE_RESERVED_MAX, "%u reservations", found.reserved_count);
    EXPECT_MODEL(found.cpu_count >= 1 && found.cpu_count <= MAX_CPUS, "%u CPUs", found.cpu_count);
    EXPECT_MODEL(memchr(found.bootargs, 0, sizeof(found.bootargs)) != NULL, "the boot arguments do not end");
    EXPECT_MODEL(found.tree_size <= size, "a tree of %llu bytes in %zu", (unsigned long long)found.tree_size, size);
    EXPECT_MODEL(found.psci == PSCI_NONE || found.psci == PSCI_HVC || found.psci == PSCI_SMC, "an unknown PSCI method");
}

static void run(struct input *input)
{
    size_t size = input->size - input->at;
    // Rounded up to 8, for its start is aligned; a closed page follows.
    size_t aligned = round_up(size, 8), room = round_up(aligned + 1, PAGE_SIZE);
    uint8_t *end = (uint8_t *)phys_to_virt(paddr(HARNESS_POOL_BASE)) + room;
    uint8_t *tree = end - aligned;
    memory_allocated(end - room, room);
    memcpy(tree, input->data + input->at, size);
    memory_freed(end, PAGE_SIZE);
    int error = fdt_describe(tree, size, &found);
    OP("describe %zu bytes = %d", size, error);
    if (error != 0) {
        EXPECT_MODEL(error == -EINVAL || error == -ENODEV || error == -E2BIG, "describe gave %d", error);
        EXPECT_MODEL(found.reason != NULL && found.reason[0] != 0, "an error without a reason");
        OP("reason: %s", found.reason);
        return;
    }
    check_memory();
    check_rest(size);
}

const struct fuzz_target fuzz_target = {.name = "fuzz_fdt", .run = run};
