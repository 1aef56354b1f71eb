// The kernel's variables, and the RAM that a snapshot of a running world holds, put back before each run at the cost of
// what runs change.
//
// Whole pages of them are cold at first: write-protected. The first write to one makes it warm for the rest of the
// process, and a reset copies the warm pages. So no change can be missed, and large tables that a target never writes
// cost nothing.
#include "hal/host/internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// See machine/sections.h.
extern char __start_kernel_data[] __attribute__((weak)), __stop_kernel_data[] __attribute__((weak));
extern char __start_kernel_bss[] __attribute__((weak)), __stop_kernel_bss[] __attribute__((weak));

#define PARTS_MAX 8192u
#define SAME_FOR_LONG 8u
struct part { // a page, or what is left at an end of a section
    char *start, *saved;
    uint32_t size;
    bool cold;
    uint8_t same; // looks in a row that found it as it was saved
};
static struct part parts[PARTS_MAX];
static uint32_t part_count;
static struct part *warm[PARTS_MAX];
static uint32_t warm_count;
static char *saved[2];
static char *saved_pages;
static bool lazy, handling;
static struct sigaction handler_before;

void machine_lazy_reset(bool on)
{
#if !defined(MACHINE_TSAN) && !defined(MACHINE_MSAN) // their run-time defers signals, or writes what it checks
    lazy = on;
#endif
}

MACHINE_RAW static struct part *part_of(const char *address)
{
    for (uint32_t i = 0; i < part_count; i++) {
        if ((size_t)(address - parts[i].start) < parts[i].size) {
            return &parts[i];
        }
    }
    return NULL;
}

MACHINE_RAW static void on_fault(int number, siginfo_t *info, void *context)
{
    struct part *part = part_of(info->si_addr);
    if (part != NULL && part->cold) {
        part->cold = false;
        warm[warm_count++] = part;
        mprotect(part->start, part->size, PROT_READ | PROT_WRITE);
    } else if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
        handler_before.sa_sigaction(number, info, context);
    } else {
        sigaction(number, &handler_before, NULL); // faults again, and then for its owner
    }
}

static void handle_faults(void)
{
    if (!handling) {
        struct sigaction mine = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigaction(SIGSEGV, &mine, &handler_before);
        handling = true;
    }
}

MACHINE_RAW static bool is_same(const struct part *part)
{
    const uint64_t *now = (const uint64_t *)(const void *)part->start,
                   *then = (const uint64_t *)(const void *)part->saved;
    uint64_t different = 0;
    for (unsigned i = 0; i < PAGE_SIZE / sizeof(*now); i++) {
        different |= now[i] ^ then[i];
    }
    return different == 0;
}

MACHINE_RAW static void add_part(char *start, char *copy, uint32_t size)
{
    if (part_count == PARTS_MAX) {
        machine_finding("check", "a snapshot has more than %u pages", PARTS_MAX);
    }
    struct part *part = &parts[part_count++];
    *part = (struct part){.start = start, .saved = copy, .size = size, .cold = lazy && size == PAGE_SIZE};
    machine_copy_raw(copy, start, size);
    if (part->cold) {
        mprotect(start, size, PROT_READ);
    } else {
        warm[warm_count++] = part;
    }
}

static char *split(char *start, const char *stop, char *copy)
{
    free(copy);
    copy = malloc((size_t)(stop - start) + 1);
    for (char *at = start; at < stop;) {
        size_t left = (size_t)(stop - at), to_end = PAGE_SIZE - ((uintptr_t)at & PAGE_MASK);
        uint32_t size = (uint32_t)min_u64(left, to_end);
        add_part(at, copy + (at - start), size);
        at += size;
    }
    return copy;
}

void machine_pages_save(char *const *pages, uint32_t count)
{
    free(saved_pages);
    saved_pages = malloc((size_t)count * PAGE_SIZE);
    for (uint32_t i = 0; i < count; i++) {
        add_part(pages[i], saved_pages + (size_t)i * PAGE_SIZE, PAGE_SIZE);
    }
}

void machine_variables_save(void)
{
    for (uint32_t i = 0; i < part_count; i++) {
        if (parts[i].cold) {
            mprotect(parts[i].start, parts[i].size, PROT_READ | PROT_WRITE);
        }
    }
    part_count = warm_count = 0;
    if (lazy) {
        handle_faults();
    }
    saved[0] = split(__start_kernel_data, __stop_kernel_data, saved[0]);
    saved[1] = split(__start_kernel_bss, __stop_kernel_bss, saved[1]);
}

// One page a reset is looked at before it is put back: what has not changed for long gets cold again.
MACHINE_RAW static void cool_down(void)
{
    static uint32_t next;
    if (!lazy || warm_count == 0) {
        return;
    }
    next = (next + 1) % warm_count;
    struct part *part = warm[next];
    if (part->size != PAGE_SIZE || !is_same(part)) {
        part->same = 0;
    } else if (++part->same == SAME_FOR_LONG) {
        part->same = 0;
        part->cold = true;
        warm[next] = warm[--warm_count];
        mprotect(part->start, part->size, PROT_READ);
    }
}

MACHINE_RAW void machine_variables_reset(void)
{
    cool_down();
    for (uint32_t i = 0; i < warm_count; i++) {
        machine_copy_raw(warm[i]->start, warm[i]->saved, warm[i]->size);
#if MACHINE_MSAN
        __msan_unpoison(warm[i]->start, warm[i]->size);
#endif
    }
}

// By hand: memcmp is intercepted, and the sections hold ASan's red zones.
MACHINE_RAW static const char *first_difference(const char *one, const char *other, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (one[i] != other[i]) {
            return one + i;
        }
    }
    return NULL;
}

const char *machine_variables_changed(void)
{
    const char *found = NULL;
    for (uint32_t i = 0; i < part_count && found == NULL; i++) {
        found = first_difference(parts[i].start, parts[i].saved, parts[i].size);
    }
    return found;
}

MACHINE_RAW uint64_t machine_variables_hash(void)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (uint32_t i = 0; i < part_count; i++) {
        for (uint32_t at = 0; at < parts[i].size; at++) {
            hash = (hash ^ (uint8_t)parts[i].start[at]) * 0x100000001b3;
        }
    }
    return hash;
}
