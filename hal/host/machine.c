// The arena, the choices and the reset.
#include "hal/host/internal.h"

#include <hal/entropy.h>
#include <hal/power.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct machine machine;

// What a reset owes a page: nothing, its marks, or its marks and its contents.
enum { CLEAN, MARKED, TOUCHED };
#define TOUCH_PAGES 16u // of one block; a larger block's owner in a test touches its start only
static uint8_t dirty[MACHINE_FRAMES];
static uint32_t dirty_list[MACHINE_FRAMES];
static uint32_t dirty_count;
static uint8_t closed[MACHINE_FRAMES]; // marked free in the snapshot
static uint8_t *kept[MACHINE_FRAMES];  // holds something in the snapshot: its marks there, else NULL
static bool have_snapshot;
// Of a world that runs:
static struct machine saved;
static struct cpu_local *saved_local;
static uint32_t saved_irq_depth;
static bool saved_attention;
static bool untouched; // nothing has run since the snapshot

MACHINE_RAW void machine_copy_raw(void *to, const void *from, size_t size)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory"); // never intercepted
}

MACHINE_RAW static void zero_raw(void *to, size_t size)
{
    size /= 8;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(size) : "a"(0) : "memory");
}

// The bytes at start become closed or open to the sanitizer.
#if MACHINE_ASAN
static uintptr_t shadow_offset;
#define SHADOW_SCALE 3u
#define SHADOW_CLOSED 0xf7 // "poisoned by user"
#define SHADOW_SHORT 16u   // below this, single stores are cheaper

// As __asan_poison_memory_region() and its opposite, which cost ten times as much, for what ends where a granule does.
MACHINE_RAW static void mark(const void *start, size_t size, bool close)
{
    uintptr_t first = (uintptr_t)start, partial = first & 7;
    if (((first + size) & 7) != 0 || partial >= size) {
        if (close) {
            __asan_poison_memory_region(start, size);
        } else {
            __asan_unpoison_memory_region(start, size);
        }
        return;
    }
    volatile int8_t *shadow = (int8_t *)((first >> SHADOW_SCALE) + shadow_offset); // volatile: no call of memset
    size_t granules = ((first + size) >> SHADOW_SCALE) - (first >> SHADOW_SCALE);
    if (partial != 0) {
        int8_t open = (int8_t)partial; // bytes before start keep their state
        *shadow = !close ? 0 : *shadow == 0 || *shadow > open ? open : *shadow;
        shadow++;
        granules--;
    }
    if (granules < SHADOW_SHORT) {
        for (size_t i = 0; i < granules; i++) {
            shadow[i] = close ? (int8_t)SHADOW_CLOSED : 0;
        }
        return;
    }
    __asm__ volatile("rep stosb" : "+D"(shadow), "+c"(granules) : "a"(close ? SHADOW_CLOSED : 0) : "memory");
}

static void find_shadow(void)
{
    size_t scale, offset;
    __asan_get_shadow_mapping(&scale, &offset);
    if (scale != SHADOW_SCALE) {
        fprintf(stderr, "the simulated machine does not know this shadow memory\n");
        exit(2);
    }
    shadow_offset = offset;
}
#elif MACHINE_MSAN
static void mark(const void *start, size_t size, bool close)
{
    if (close) {
        __msan_poison(start, size);
    } else {
        __msan_unpoison(start, size);
    }
}
#else
static void mark(const void *start, size_t size, bool close)
{
}
#endif

void machine_start(void)
{
#if MACHINE_ASAN
    find_shadow();
#endif
    void *wanted = (void *)(uintptr_t)MACHINE_ARENA; // SAFETY: fixed and checked below
    void *got = mmap(wanted, MACHINE_RAM_SIZE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != wanted) {
        fprintf(stderr, "the simulated machine cannot map its RAM at %p\n", wanted);
        exit(2);
    }
    machine_reset(NULL, 0);
}

static void *frame_memory(uint32_t frame)
{
    return (char *)(uintptr_t)MACHINE_ARENA + ((uint64_t)frame << PAGE_SHIFT);
}

static bool page_is_closed(uint32_t frame)
{
#if MACHINE_ASAN
    return __asan_address_is_poisoned(frame_memory(frame)) != 0;
#elif MACHINE_MSAN
    return __msan_test_shadow(frame_memory(frame), PAGE_SIZE) >= 0;
#else
    return false;
#endif
}

MACHINE_RAW static bool is_zero(uint32_t frame)
{
    const uint64_t *words = frame_memory(frame);
    uint64_t any = 0;
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*words); i++) {
        any |= words[i];
    }
    return any == 0;
}

void machine_marks_save(uint8_t *out, const void *start, size_t size)
{
#if MACHINE_ASAN
    machine_copy_raw(out, (const void *)(((uintptr_t)start >> SHADOW_SCALE) + shadow_offset), MACHINE_MARKS(size));
#endif
}

void machine_marks_restore(const uint8_t *from, const void *start, size_t size)
{
#if MACHINE_ASAN
    machine_copy_raw((void *)(((uintptr_t)start >> SHADOW_SCALE) + shadow_offset), from, MACHINE_MARKS(size));
#endif
}

static unsigned char resident[MACHINE_FRAMES];

static void find_resident(void)
{
    if (mincore(frame_memory(0), MACHINE_RAM_SIZE, resident) != 0) {
        machine_finding("check", "mincore is refused");
    }
}

// Without a world that runs a reset restores zeroes.
static void mark_pages(void)
{
    for (uint32_t i = 0; i < dirty_count; i++) {
        closed[dirty_list[i]] = page_is_closed(dirty_list[i]);
        if (!is_zero(dirty_list[i])) {
            machine_finding("check", "set-up wrote to RAM at %p: a reset restores zeroes", frame_memory(dirty_list[i]));
        }
    }
}

// RAM as it is, also what nobody has declared to be touched.
static void save_pages(void)
{
    static char *pages[MACHINE_FRAMES];
    uint32_t count = 0;
    find_resident();
    for (uint32_t frame = 0; frame < MACHINE_FRAMES; frame++) {
        bool written = (resident[frame] & 1) != 0 && !is_zero(frame);
        if (!written && dirty[frame] == CLEAN) {
            continue;
        }
        closed[frame] = page_is_closed(frame);
        if (!written && closed[frame]) {
            continue;
        }
        kept[frame] = malloc(MACHINE_MARKS(PAGE_SIZE));
        machine_marks_save(kept[frame], frame_memory(frame), PAGE_SIZE);
        pages[count++] = frame_memory(frame);
    }
    machine_pages_save(pages, count);
}

void machine_snapshot(void)
{
    machine_variables_save();
    if (machine.powered) {
        save_pages();
    } else {
        mark_pages();
    }
    for (uint32_t i = 0; i < dirty_count; i++) {
        dirty[dirty_list[i]] = CLEAN;
    }
    dirty_count = 0;
    have_snapshot = true;
    if (machine.powered) {
        machine_flows_save();
        machine_mmu_save();
        saved = machine;
        saved_local = machine_local;
        saved_irq_depth = machine_irq_depth;
        saved_attention = machine_attention;
        untouched = true;
    }
}

static void dirty_page(uint32_t frame, uint8_t how)
{
    if (dirty[frame] == CLEAN) {
        dirty_list[dirty_count++] = frame;
    }
    if (dirty[frame] < how) {
        dirty[frame] = how;
    }
}

static void dirty_range(const void *start, size_t size)
{
    uint64_t first = ((uintptr_t)start - MACHINE_ARENA) >> PAGE_SHIFT;
    uint64_t last = ((uintptr_t)start + size - 1 - MACHINE_ARENA) >> PAGE_SHIFT;
    if (first >= MACHINE_FRAMES || last >= MACHINE_FRAMES) {
        machine_bad_linear(start);
    }
    for (uint64_t at = first; at <= last; at++) {
        dirty_page((uint32_t)at, at - first < TOUCH_PAGES ? TOUCHED : MARKED);
    }
}

void machine_mark_allocated(void *start, size_t size)
{
    if (size == 0) {
        return;
    }
    dirty_range(start, size);
#if MACHINE_MSAN
    __msan_allocated_memory(start, size); // given, but with undefined contents
#else
    mark(start, size, false);
#endif
}

void machine_mark_freed(void *start, size_t size)
{
    if (size == 0) {
        return;
    }
    dirty_range(start, size);
    machine_remember_free(start, size);
    machine_mmu_freed(virt_to_phys(start).raw, size);
    mark(start, size, true);
}

static void reset_page(uint32_t frame)
{
    void *page = frame_memory(frame);
    if (kept[frame] != NULL) { // its contents are the variables' affair
        machine_marks_restore(kept[frame], page, PAGE_SIZE);
        dirty[frame] = CLEAN;
        return;
    }
    if (dirty[frame] == TOUCHED) {
        zero_raw(page, PAGE_SIZE);
    }
    mark(page, PAGE_SIZE, closed[frame]);
    dirty[frame] = CLEAN;
}

static void reset_memory(void)
{
    for (uint32_t i = 0; i < dirty_count; i++) {
        reset_page(dirty_list[i]);
    }
    dirty_count = 0;
}

void machine_choices(const uint8_t *choices, size_t size)
{
    machine.choices = choices;
    machine.choices_left = size;
}

static void restore_world(void)
{
#if MACHINE_TSAN || MACHINE_MSAN
    if (!untouched) {
        fprintf(stderr, "with TSan and MSan a process runs a world but once\n");
        exit(2);
    }
#endif
    if (!untouched) {
        reset_memory();
        machine_variables_reset();
        machine_flows_restore();
        machine_mmu_reset();
        machine_mmu_restore();
        machine_report_reset();
        machine = saved;
        machine_local = saved_local;
        machine_irq_depth = saved_irq_depth;
        machine_attention = saved_attention;
        machine_quiet = 0;
    }
    untouched = false;
}

void machine_reset(const uint8_t *choices, size_t size)
{
    if (have_snapshot && saved.powered) {
        restore_world();
    } else {
        reset_memory();
        machine_flows_reset();
        machine_cpus_reset();
        machine_mmu_reset();
        machine_report_reset();
        if (have_snapshot) {
            machine_variables_reset();
        }
    }
    machine_choices(choices, size);
}

const char *machine_reset_check(void)
{
    static char text[128];
    const char *changed = machine_variables_changed();
    if (changed != NULL) {
        snprintf(text, sizeof(text), "a reset does not restore the variable at %p", (const void *)changed);
        return text;
    }
    find_resident();
    for (uint32_t frame = 0; frame < MACHINE_FRAMES; frame++) { // also those that nobody declared to be touched
        if (kept[frame] != NULL) {
            continue; // seen with the variables
        }
        if ((resident[frame] & 1) != 0 && !is_zero(frame)) {
            snprintf(text, sizeof(text), "a reset leaves RAM changed at %p", frame_memory(frame));
            return text;
        }
        if ((resident[frame] & 1) != 0 && page_is_closed(frame) != (closed[frame] != 0)) {
            snprintf(text, sizeof(text), "a reset leaves the marks of %p changed", frame_memory(frame));
            return text;
        }
    }
    return NULL;
}

int machine_run(void (*body)(void *), void *argument)
{
    machine.running = true;
    machine.status = 0;
    if (setjmp(machine.end) == 0) {
        body(argument);
    }
    machine.running = false;
    return machine.status;
}

uint32_t machine_choose(uint32_t bound)
{
    uint32_t value = 0;
    for (uint32_t span = 1; span < bound && machine.choices_left > 0; span <<= 8) {
        value = value << 8 | machine.choices[--machine.choices_left];
        if (span >= 1u << 24) {
            break;
        }
    }
    return bound < 2 ? 0 : value % bound;
}

void entropy_fill(void *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = (uint8_t)machine_choose(256);
    }
}

int memory_map_ram(const struct memory_region *regions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = regions[i].start.raw - MACHINE_RAM_BASE;
        if (!is_aligned(regions[i].start.raw | regions[i].size, PAGE_SIZE) || offset >= MACHINE_RAM_SIZE ||
            regions[i].size > MACHINE_RAM_SIZE - offset) {
            return -EINVAL;
        }
    }
    return 0; // the arena is mapped as a whole
}

void page_zero(void *page)
{
    memset(page, 0, PAGE_SIZE);
}

void page_copy(void *to, const void *from)
{
    memcpy(to, from, PAGE_SIZE);
}

// Ends the run from any flow: the driver's own stack is the only one that may return.
__attribute__((noreturn)) static void end_run(int status)
{
    machine.status = status;
    machine.ended = true;
    if (!machine.running) {
        exit(status);
    }
    if (machine_self()->flow != &machine_main_flow) {
        machine_flow_go(machine_self()->flow, &machine_main_flow, true);
    }
    longjmp(machine.end, 1);
}

void power_off(int status)
{
    end_run(status);
}

void power_reset(void)
{
    end_run(0);
}
