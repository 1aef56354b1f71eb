#include "harness/execmodel.h"

#include <hal/memory.h>

#include "harness/fuzz.h"

#define WIDE unsigned __int128
#define AT_PHDR 3
#define AT_BASE 7
#define AT_ENTRY 9

// The byte there as a program that reads it would see it; -1: it cannot.
static int byte_at(struct space *space, uint64_t va)
{
    struct mapping mapping;
    if (space_touch(space, va, SPACE_READ) != 0 || pagetable_query(&space->table, vaddr(va), &mapping) != 0) {
        return -1;
    }
    return *(uint8_t *)phys_to_virt(mapping.pa);
}

// What the last segment that covers va says; -1: none does. Behind a writable segment's part of the file lie zeroes, to
// the end of that page; behind another's what the file holds there, or nothing is said (-2).
static int expected_byte(const struct exec_image *image, const struct elf_segment *segment, uint64_t va)
{
    uint64_t inside = va - (segment->va + image->bias);
    if (inside < segment->file_size) {
        return image->bytes[segment->offset + inside];
    }
    bool last_page =
        segment->file_size > 0 && va / PAGE_SIZE == (segment->va + image->bias + segment->file_size - 1) / PAGE_SIZE;
    if (last_page && ((segment->flags & MAP_WRITE) == 0 || segment->memory_size == segment->file_size)) {
        return -2;
    }
    return 0;
}

static void verify_byte(struct space *space, const struct exec_image *image, const struct elf_segment *segment,
                        uint64_t va)
{
    int wanted = expected_byte(image, segment, va), seen = byte_at(space, va);
    bool excused = seen < 0 && (harness_faulted() || page_pool_free_pages(&kernel_pages) < 64);
    EXPECT_MODEL(excused || wanted == -2 || seen == wanted, "0x%llx holds %d, not %d", (unsigned long long)va, seen,
                 wanted);
}

static void verify_rights(struct space *space, const struct elf_segment *segment, uint64_t va)
{
    const struct area *area = areas_find(&space->areas, va);
    EXPECT_MODEL(area != NULL && area->start <= va, "0x%llx is not mapped", (unsigned long long)va);
    unsigned wanted = AREA_READ | ((segment->flags & MAP_WRITE) != 0 ? AREA_WRITE : 0) |
                      ((segment->flags & MAP_EXEC) != 0 ? AREA_EXEC : 0);
    EXPECT_MODEL((area->flags & AREA_RIGHTS) == wanted && (area->flags & AREA_SHARED) == 0,
                 "0x%llx has rights 0x%x, not 0x%x", (unsigned long long)va, area->flags, wanted);
}

void exec_verify_image(struct space *space, const struct exec_image *image)
{
    for (unsigned i = 0; i < image->elf->segment_count; i++) {
        const struct elf_segment *segment = &image->elf->segments[i];
        uint64_t start = segment->va + image->bias, file_end = start + segment->file_size;
        uint64_t last = start + segment->memory_size - 1;
        const uint64_t places[] = {start,
                                   last,
                                   file_end - (segment->file_size > 0),
                                   file_end,
                                   round_up(file_end, PAGE_SIZE),
                                   start + segment->memory_size / 2,
                                   last | PAGE_MASK};
        for (unsigned at = 0; at < ARRAY_SIZE(places); at++) {
            if (places[at] >= start && places[at] <= (last | PAGE_MASK)) {
                verify_rights(space, segment, places[at]);
                verify_byte(space, image, segment, places[at]);
            }
        }
    }
}

static bool is_of_image(uint64_t va, const struct exec_image *image)
{
    for (unsigned i = 0; i < image->elf->segment_count; i++) {
        const struct elf_segment *segment = &image->elf->segments[i];
        WIDE start = (WIDE)segment->va + image->bias, end = start + segment->memory_size;
        if (va / PAGE_SIZE >= start / PAGE_SIZE && va / PAGE_SIZE <= (end - 1) / PAGE_SIZE) {
            return true;
        }
    }
    return false;
}

void exec_verify_areas(struct space *space, const struct exec_image *images, unsigned count)
{
    for (struct area *area = areas_first(&space->areas); area != NULL; area = areas_next(area)) {
        const uint64_t places[] = {area->start, area->end - PAGE_SIZE, area->start / 2 + area->end / 2};
        for (unsigned at = 0; at < ARRAY_SIZE(places); at++) { // neighbours that say the same are one area
            bool known = (area->flags & (AREA_STACK | AREA_VDSO | AREA_VVAR)) != 0;
            for (unsigned i = 0; i < count; i++) {
                known = known || is_of_image(places[at], &images[i]);
            }
            EXPECT_MODEL(known, "0x%llx is mapped, and nobody has asked for it", (unsigned long long)places[at]);
        }
    }
}

static uint64_t word_at(struct space *space, uint64_t va)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < sizeof(word); i++) {
        int byte = byte_at(space, va + i);
        EXPECT_MODEL(byte >= 0, "the stack ends at 0x%llx", (unsigned long long)(va + i));
        word |= (uint64_t)byte << (8 * i);
    }
    return word;
}

void exec_verify_stack(struct space *space, uint64_t sp, uint64_t argc, const struct exec_image *program, uint64_t base)
{
    EXPECT_MODEL(is_aligned(sp, 16), "the stack pointer is 0x%llx", (unsigned long long)sp);
    EXPECT_MODEL(word_at(space, sp) == argc, "%llu arguments", (unsigned long long)word_at(space, sp));
    uint64_t at = sp + 8 + argc * 8;
    EXPECT_MODEL(word_at(space, at) == 0 && word_at(space, at + 8) == 0, "the vectors have no end");
    for (at += 16; word_at(space, at) != 0; at += 16) {
        uint64_t type = word_at(space, at), value = word_at(space, at + 8);
        uint64_t headers = program->elf->phdr_va != 0 ? program->elf->phdr_va + program->bias : 0;
        EXPECT_MODEL(type != AT_ENTRY || value == program->elf->entry + program->bias, "AT_ENTRY is 0x%llx",
                     (unsigned long long)value);
        EXPECT_MODEL(type != AT_BASE || value == base, "AT_BASE is 0x%llx, not 0x%llx", (unsigned long long)value,
                     (unsigned long long)base);
        EXPECT_MODEL(type != AT_PHDR || value == headers, "AT_PHDR is 0x%llx", (unsigned long long)value);
    }
}
