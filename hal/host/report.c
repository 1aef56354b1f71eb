// Console, backtraces, and the one way in which the machine says that the kernel is wrong.
#include "hal/host/internal.h"

#include <hal/console.h>
#include <hal/power.h>
#include <hal/trace.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void __sanitizer_print_stack_trace(void) __attribute__((weak));
void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size) __attribute__((weak));

#define FREE_FRAMES 6u
#define FREE_RING 256u // power of two
struct free_record {
    const char *start;
    size_t size;
    void *pcs[FREE_FRAMES];
};
static struct free_record frees[FREE_RING];
static uint32_t free_next;

static char console[4096];
static size_t console_used;
static bool console_echo;
static void (*finding_hook)(void), (*standstill_hook)(void);

void machine_report_reset(void)
{
    free_next = 0;
    console_used = 0;
}

void machine_on_finding(void (*hook)(void))
{
    finding_hook = hook;
}

void machine_on_standstill(void (*hook)(void))
{
    standstill_hook = hook;
}

static bool is_standstill(const char *kind)
{
    return strcmp(kind, "deadlock") == 0 || strcmp(kind, "livelock") == 0 || strcmp(kind, "lost-wakeup") == 0;
}

void machine_console_echo(bool on)
{
    console_echo = on;
}

void console_write_early(const char *text, size_t size)
{
    if (console_echo && write(STDERR_FILENO, text, size) < 0) {
        console_echo = false; // nobody reads
    }
    for (size_t i = 0; i < size; i++) {
        if (console_used == sizeof(console) - 1) {
            memmove(console, console + sizeof(console) / 2, sizeof(console) / 2);
            console_used -= sizeof(console) / 2;
        }
        console[console_used++] = text[i];
    }
}

size_t machine_console_tail(char *out, size_t size)
{
    size_t length = console_used < size ? console_used : size;
    memcpy(out, console + console_used - length, length);
    return length;
}

MACHINE_RAW static size_t frames_from(void **frame, void **pcs, size_t max)
{
    size_t count = 0;
    while (count < max && frame != NULL && ((uintptr_t)frame & 7) == 0) {
        void **next = frame[0];
        if (frame[1] == NULL) {
            break;
        }
        pcs[count++] = frame[1];
        if (next <= frame || (char *)next - (char *)frame > (1 << 16)) {
            break; // left the frames that keep a pointer
        }
        frame = next;
    }
    return count;
}

MACHINE_RAW void machine_remember_free(const void *start, size_t size)
{
    struct free_record *record = &frees[free_next++ % FREE_RING];
    record->start = start;
    record->size = size;
    size_t count = frames_from(__builtin_frame_address(0), record->pcs, FREE_FRAMES);
    if (count < FREE_FRAMES) {
        record->pcs[count] = NULL;
    }
}

static void print_stack(void *const *pcs, size_t count)
{
    for (size_t i = 0; i < count && pcs[i] != NULL; i++) {
        char where[256] = "";
        void *call = (char *)pcs[i] - 1;
        Dl_info info;
        if (__sanitizer_symbolize_pc != NULL) {
            __sanitizer_symbolize_pc(call, "in %f %s:%l", where, sizeof(where));
        } else if (dladdr(call, &info) != 0 && info.dli_sname != NULL) {
            snprintf(where, sizeof(where), "in %s", info.dli_sname);
        }
        fprintf(stderr, "    #%zu %p %s\n", i, call, where);
    }
}

static void print_free_of(const void *address)
{
    uint32_t kept = free_next < FREE_RING ? free_next : FREE_RING;
    for (uint32_t back = 1; back <= kept; back++) {
        const struct free_record *record = &frees[(free_next - back) % FREE_RING];
        if ((const char *)address >= record->start && (const char *)address < record->start + record->size) {
            fprintf(stderr, "freed before, the last time here:\n");
            print_stack(record->pcs, FREE_FRAMES);
            return;
        }
    }
}

// Numbers in the kernel's own report that are addresses in RAM: whose free was it?
static void print_frees_named_in(const char *text)
{
    for (const char *at = strstr(text, "0x"); at != NULL; at = strstr(at + 2, "0x")) {
        uint64_t number = strtoull(at, NULL, 16);
        if (number - MACHINE_RAM_BASE < MACHINE_RAM_SIZE) {
            number = number - MACHINE_RAM_BASE + MACHINE_ARENA;
        }
        if (number - MACHINE_ARENA < MACHINE_RAM_SIZE) {
            print_free_of((const void *)(uintptr_t)number);
            return;
        }
    }
}

__attribute__((noreturn)) static void report(const char *kind, const char *sentence)
{
    fprintf(stderr, "FAULTLINE: %s: %s\n", kind, sentence);
    if (__sanitizer_print_stack_trace != NULL) {
        __sanitizer_print_stack_trace();
    } else {
        void *pcs[32];
        print_stack(pcs, (size_t)backtrace(pcs, 32));
    }
    print_frees_named_in(sentence);
    if (standstill_hook != NULL && is_standstill(kind)) {
        standstill_hook();
    }
    if (finding_hook != NULL) {
        finding_hook();
    }
    fflush(NULL);
    abort();
}

void machine_finding(const char *kind, const char *text, ...)
{
    char sentence[512];
    va_list args;
    va_start(args, text);
    vsnprintf(sentence, sizeof(sentence), text, args);
    va_end(args);
    report(kind, sentence);
}

void power_halt_on_bug(void)
{
    // The kernel has printed its report: the sentence is what follows the last "PANIC: ".
    console[console_used] = 0;
    char *sentence = console;
    for (char *at = console; (at = strstr(at, "PANIC: ")) != NULL;) {
        at += strlen("PANIC: ");
        sentence = at;
    }
    sentence[strcspn(sentence, "\r\n")] = 0;
    report("panic", sentence);
}

#if MACHINE_ASAN
// Called by ASan before it dies: adds what only the machine knows.
void __asan_on_error(void);
void __asan_on_error(void)
{
    void *address = __asan_get_report_address();
    if ((uintptr_t)address - MACHINE_ARENA < MACHINE_RAM_SIZE) {
        fprintf(stderr, "simulated RAM, physical 0x%llx\n",
                (unsigned long long)((uintptr_t)address - MACHINE_ARENA + MACHINE_RAM_BASE));
        print_free_of(address);
    }
    if (finding_hook != NULL) {
        finding_hook();
    }
}
#endif

void machine_bad_physical(uint64_t address)
{
    machine_finding("check", "phys_to_virt(0x%llx): not RAM", (unsigned long long)address);
}

void machine_bad_linear(const void *pointer)
{
    machine_finding("check", "%p is not an address in RAM", pointer);
}

void machine_unbalanced(uint32_t depth, uint64_t flags)
{
    machine_finding("irq", "irq_restore(%llu) at masking depth %u does not match its irq_save()",
                    (unsigned long long)flags, depth);
}

MACHINE_RAW size_t trace_capture(uint64_t *pcs, size_t max)
{
    return frames_from(__builtin_frame_address(0), (void **)pcs, max);
}

MACHINE_RAW size_t trace_capture_from(uint64_t frame_pointer, uint64_t *pcs, size_t max)
{
    return frames_from((void **)(uintptr_t)frame_pointer, (void **)pcs, max);
}

const char *trace_symbol(uint64_t pc, uint64_t *offset)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)pc, &info) == 0 || info.dli_sname == NULL) {
        return NULL;
    }
    *offset = pc - (uint64_t)(uintptr_t)info.dli_saddr;
    return info.dli_sname;
}
