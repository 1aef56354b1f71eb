// Shared by the files of the simulated machine; not for its users.
#pragma once

#include "hal/host/machine.h"

#include <setjmp.h>

#if MACHINE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define MACHINE_MSAN 1
#endif
#if __has_feature(thread_sanitizer) && !defined(MACHINE_TSAN)
#define MACHINE_TSAN 1
#endif
#if MACHINE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// The machine moves memory behind the sanitizers' backs.
#define MACHINE_RAW __attribute__((no_sanitize("address", "memory", "thread", "undefined")))

#define MACHINE_FRAMES ((uint32_t)(MACHINE_RAM_SIZE >> PAGE_SHIFT))
#define MACHINE_KERNEL_ROOT (MACHINE_RAM_BASE + MACHINE_RAM_SIZE - PAGE_SIZE)
#define MACHINE_TIMER_INTID 27u
#define MACHINE_LINES 256u
#define MACHINE_SPI_WORDS (MACHINE_LINES / 64)

enum machine_cpu_state { MACHINE_CPU_OFF, MACHINE_CPU_RUNNING, MACHINE_CPU_IDLE };

struct machine_tlb_entry {
    uint64_t va, size; // size 0: empty
    uint64_t pa;
    uint16_t asid;
    bool global, user, write;
};
#define MACHINE_TLB_ENTRIES 64u

struct machine_cpu {
    enum machine_cpu_state state;
    struct cpu_local *local;
    struct machine_flow *flow;
    uint32_t irq_depth;
    int32_t rank;                      // with MACHINE_PRIORITIES: the highest runs
    uint32_t pending, enabled, active; // private lines
    uint64_t deadline;
    uint64_t user_root;
    uint16_t asid;
    bool from_user; // what its next interrupt interrupts
    bool tlb_used, tlb_large;
    struct fp_state fp;
    struct machine_tlb_entry tlb[MACHINE_TLB_ENTRIES];
};

struct machine {
    const uint8_t *choices;
    size_t choices_left;
    unsigned self;     // index of the CPU that runs
    unsigned cpu_high; // CPUs ever started
    struct machine_cpu cpus[MAX_CPUS];
    uint64_t pending[MACHINE_SPI_WORDS], enabled[MACHINE_SPI_WORDS], active[MACHINE_SPI_WORDS];
    uint64_t now;
    uint64_t switches, points, relaxes, idle_steps;
    uint32_t race_skip;
    enum machine_schedule schedule;
    uint32_t changes_left, rescues;
    int32_t rank_low;
    bool scheduled;   // by the driver
    bool spurious;    // an interrupt without a line comes next
    bool overrun;     // the hook was called
    uint32_t nothing; // what a claim gives when no line is pending
    bool concurrent, double_fetch, user_changed;
    bool running, ended;
    bool powered; // by machine_power_on()
    int status;
    jmp_buf end;
};
extern struct machine machine;

static inline struct machine_cpu *machine_self(void)
{
    return &machine.cpus[machine.self];
}

// fiber.c
extern struct machine_flow machine_main_flow;
void machine_flows_reset(void);
void machine_flows_save(void);
void machine_flows_restore(void);
struct machine_flow *machine_flow_new(void (*entry)(void *), void *argument);
// same_cpu: what from did is visible to to.
void machine_flow_go(struct machine_flow *from, struct machine_flow *to, bool same_cpu);
// machine.c
void machine_copy_raw(void *to, const void *from, size_t size);
// What the sanitizer knows of [start, start + size), whole granules of 8 bytes.
#define MACHINE_MARKS(size_) ((size_) / 8)
void machine_marks_save(uint8_t *out, const void *start, size_t size);
void machine_marks_restore(const uint8_t *from, const void *start, size_t size);
// variables.c
void machine_variables_save(void);
void machine_pages_save(char *const *pages, uint32_t count); // after machine_variables_save(): RAM, as variables
void machine_variables_reset(void);
const char *machine_variables_changed(void); // the first byte that is not as saved, or NULL
// cpu.c
void machine_cpus_reset(void);
bool machine_interrupt_waiting(unsigned index);
void machine_go_to_cpu(unsigned index);
void machine_deliver(void); // what waits for this CPU, unless it is masked
// schedule.c
#define RELAXES_MAX 200000u      // spins with no context switch in between
unsigned machine_next_cpu(void); // after one that cannot go on; this one when there is none
// mmu.c
void machine_mmu_reset(void);
void machine_mmu_save(void);
void machine_mmu_restore(void);
void machine_tlb_settled(void); // it is a finding if the running flow owes something
void machine_mmu_freed(uint64_t pa, uint64_t size);
// report.c
void machine_report_reset(void);
void machine_remember_free(const void *start, size_t size);
