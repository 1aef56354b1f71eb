// The ELF reader: whatever it accepts keeps every promise of its header, and it reads nothing outside the image.
#include "harness/fuzz.h"

#include "kernel/mm/pagetable.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/elf.h"

#include <string.h>

#define WIDE unsigned __int128

static struct elf_image image;

static void check_segment(unsigned i, size_t size)
{
    const struct elf_segment *segment = &image.segments[i];
    EXPECT_MODEL((WIDE)segment->va + segment->memory_size <= USER_LIMIT, "segment %u leaves user space", i);
    EXPECT_MODEL((WIDE)segment->offset + segment->file_size <= size, "segment %u leaves the image", i);
    EXPECT_MODEL(segment->file_size <= segment->memory_size, "segment %u holds more than its size", i);
    unsigned both = MAP_WRITE | MAP_EXEC;
    EXPECT_MODEL((segment->flags & both) != both, "segment %u is writable and executable", i);
    EXPECT_MODEL((segment->flags & ~(both | MAP_USER)) == 0, "segment %u has flags 0x%x", i, segment->flags);
    if (i == 0) {
        return;
    }
    const struct elf_segment *before = &image.segments[i - 1];
    WIDE end = (WIDE)before->va + before->memory_size;
    EXPECT_MODEL(end <= segment->va, "segments %u and %u overlap or fall", i - 1, i);
    EXPECT_MODEL(before->flags == segment->flags || (end + PAGE_MASK) / PAGE_SIZE <= segment->va / PAGE_SIZE,
                 "segments %u and %u share a page and differ in rights", i - 1, i);
}

static void check_entry(void)
{
    for (unsigned i = 0; i < image.segment_count; i++) {
        const struct elf_segment *segment = &image.segments[i];
        if ((segment->flags & MAP_EXEC) != 0 && image.entry - segment->va < segment->memory_size) {
            return;
        }
    }
    machine_finding("model", "entry 0x%llx is not in an executable segment", (unsigned long long)image.entry);
}

static void check_headers(const uint8_t *file)
{
    uint64_t phoff;
    memcpy(&phoff, file + 32, sizeof(phoff));
    uint64_t bytes = image.phdr_count * 56ull;
    for (unsigned i = 0; image.phdr_va != 0 && i < image.segment_count; i++) {
        const struct elf_segment *segment = &image.segments[i];
        if (image.phdr_va - segment->va < segment->file_size) {
            uint64_t inside = image.phdr_va - segment->va;
            EXPECT_MODEL(segment->offset + inside == phoff && (WIDE)inside + bytes <= segment->file_size,
                         "the program headers are not at 0x%llx", (unsigned long long)image.phdr_va);
            return;
        }
    }
    EXPECT_MODEL(image.phdr_va == 0, "the program headers are in no segment");
}

static void run(struct input *input)
{
    size_t size = input->size - input->at;
    // At the end of a page, and its neighbour closed: one byte too far is seen.
    size_t room = round_up(size + 1, PAGE_SIZE);
    uint8_t *end = (uint8_t *)phys_to_virt(paddr(HARNESS_POOL_BASE)) + room;
    uint8_t *file = end - size;
    memory_allocated(end - room, room);
    memcpy(file, input->data + input->at, size);
    memory_freed(end, PAGE_SIZE);
    int error = elf_parse(file, size, size, &image);
    OP("parse %zu bytes = %d", size, error);
    EXPECT_MODEL(error == 0 || error == -ENOEXEC, "parse gave %d", error);
    if (error == 0) {
        EXPECT_MODEL(image.segment_count >= 1 && image.segment_count <= ELF_SEGMENTS_MAX, "%u segments",
                     image.segment_count);
        for (unsigned i = 0; i < image.segment_count; i++) {
            OP("segment 0x%llx + 0x%llx flags 0x%x", (unsigned long long)image.segments[i].va,
               (unsigned long long)image.segments[i].memory_size, image.segments[i].flags);
            check_segment(i, size);
        }
        check_entry();
        check_headers(file);
    }
}

const struct fuzz_target fuzz_target = {.name = "fuzz_elf", .run = run};
