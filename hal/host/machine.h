// The simulated machine as its driver sees it: one process, one thread, no state that survives machine_reset().
#pragma once

#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/memory.h>
#include <hal/mmu.h>
#include <hal/upcall.h>

#include "kernel/base/types.h"

// Once per process, before the kernel is touched.
void machine_start(void);
// Before machine_snapshot(): finds out by page faults which variables runs change, so that resets cost little. For
// drivers with many runs in one process; debuggers stop at each such fault.
void machine_lazy_reset(bool on);
// Remembers everything as it is now, variables, RAM, and if the power is on the flows and the machine's own state: what
// machine_reset() restores. With TSan and MSan a world that runs can be run on from its snapshot but once in a process.
void machine_snapshot(void);
// A new run from the snapshot. All that the machine decides comes from choices, used from the last byte to the first.
// Costs what the last run touched.
void machine_reset(const uint8_t *choices, size_t size);
// After machine_reset(): NULL when all variables, RAM and its marks are as in the snapshot. Slow.
const char *machine_reset_check(void);
uint64_t machine_variables_hash(void); // of the kernel's variables, as they are
// Runs body on CPU 0 with interrupts off, until it returns or the kernel powers off; the status of power_off(), else 0.
int machine_run(void (*body)(void *), void *argument);

// A world of its own, which its driver enters and leaves: CPU 0 begins with entry, on a flow of its own.
void machine_power_on(void (*entry)(void *), void *argument);
// The world goes on where it was, until machine_leave() or until the power is off; the status of either.
int machine_enter(void);
void machine_leave(int status); // from any flow; returns when the world is entered again
bool machine_is_off(void);      // the kernel has ended the run

// 0 to bound - 1; 0 for ever when the input has no more bytes.
uint32_t machine_choose(uint32_t bound);
void machine_choices(const uint8_t *choices, size_t size); // others from here on
// Where another CPU may run, the clock moves, interrupts arrive. Interrupts come only when unmasked.
void machine_switch_point(void);
// From here on; counts guest work anew. Without a call: MACHINE_CHOICES, at fewer points.
enum machine_schedule {
    MACHINE_TURNS,      // round-robin; a choice says how many points pass until something else happens
    MACHINE_CHOICES,    // each point chooses
    MACHINE_PRIORITIES, // the CPU of highest priority runs; depth times it becomes the lowest
};
void machine_schedule(enum machine_schedule mode, unsigned depth);
// Every CPU is idle and no interrupt to come will wake a thread. hook runs on one of them, interrupts off. True: it
// changed something, look again. False, or none: a deadlock.
void machine_on_stuck(bool (*hook)(void));
// After so many switch points of one schedule hook is called, once; interrupts are on, no lock is held.
void machine_on_overrun(uint64_t points, void (*hook)(void));

// What the kernel did wrong: prints the report and aborts.
_Noreturn void machine_finding(const char *kind, const char *text, ...) __attribute__((format(printf, 2, 3)));
void machine_on_finding(void (*hook)(void));    // more to print
void machine_on_standstill(void (*hook)(void)); // likewise, of findings that say that something does not go on

void machine_console_echo(bool on); // the kernel's output to stderr
size_t machine_console_tail(char *out, size_t size);

void machine_concurrency(bool on); // switch points do something
// Starts a CPU with a body of the test's own, which ends with cpu_stop().
void machine_cpu_run(unsigned index, struct cpu_local *local, void (*entry)(void *), void *argument);
void machine_irq_raise(uint32_t intid);
// An interrupt now, unmasked or not; where no line is pending the claim gives this special number.
void machine_interrupt(uint32_t nothing);
void machine_pass_time(uint64_t ns);
uint64_t machine_switches(void);
uint64_t machine_moment(void); // differs when two runs went in different ways

// Page tables and TLB. The kernel's half is watched from when its root is given until that is 0.
void machine_watch_kernel_root(paddr_t root);
// A load or store on this CPU: through its TLB, which keeps what it once saw; a miss walks and fills.
bool machine_tlb_access(vaddr_t va, enum mmu_access access, paddr_t *out);
// Translations that were valid, are no longer, and were not flushed. 0 is what every operation must leave.
size_t machine_tlb_owed(void);

struct machine_walk {
    bool valid;
    const char *malformed; // what no correct kernel would write, else NULL
    unsigned level;        // of the leaf
    uint64_t pa, size;
    bool user, write, exec_user, exec_kernel, device, global;
};
struct machine_walk machine_walk_from(paddr_t root, uint64_t va, bool upper);

// These bytes go to user space. Under MSan one that was never set is a finding.
void machine_user_sees(uint64_t va, const void *bytes, size_t size);
void machine_on_user_copy(void (*hook)(const void *bytes, size_t size)); // each time the kernel copies to user space
// User memory may change between two fetches, where the choices say so.
void machine_double_fetch(bool on);
bool machine_user_changed(void);                                        // since last asked
void machine_set_user_program(void (*program)(struct user_regs *regs)); // does not return

// User space that is a function on the flow's own stack. Each of these may find another pc in regs than it left there:
// then a signal handler is to run. May not return, when the kernel ends the thread.
void machine_user_call(struct user_regs *regs);  // SVC
void machine_user_point(struct user_regs *regs); // between two instructions: an interrupt may come
// The bytes behind va, up to the end of the page, through this CPU's TLB; NULL: a fault, and the kernel has been told.
void *machine_user_reach(struct user_regs *regs, uint64_t va, bool write);
// The next access to that is made to va, as the hardware's fault for it.
void machine_user_fault(struct user_regs *regs, enum user_fault_kind kind, uint64_t va);
void machine_user_data_set(void *data); // of the running flow
void *machine_user_data(void);
void machine_on_user_return(void (*hook)(void)); // each time before user space goes on; interrupts on
