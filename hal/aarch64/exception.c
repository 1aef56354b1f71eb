// What the vectors hand to C: faults of user space, recoverable faults of user copies, and reports of everything else.
// Sources: Arm ARM D19.2.37 (ESR_EL1), DDI 0487.
#include <hal/irq.h>
#include <hal/power.h>
#include <hal/trace.h>
#include <hal/upcall.h>

#include "internal.h"

#define EC(esr) ((unsigned)((esr) >> 26) & 0x3f)
#define EC_INSTRUCTION_USER 0x20
#define EC_INSTRUCTION_KERNEL 0x21
#define EC_PC_ALIGNMENT 0x22
#define EC_DATA_USER 0x24
#define EC_DATA_KERNEL 0x25
#define EC_SP_ALIGNMENT 0x26
#define EC_BRK 0x3c
#define STATUS_ALIGNMENT 0x21
#define FRAMES_MAX 24u
#define ISS_WRITE (1u << 6)
#define ISS_CACHE (1u << 8) // cache maintenance: counted as a write by the CPU, but nothing is written

void exception_kernel(struct frame *frame);
void exception_user(struct frame *frame);
void exception_serror(struct frame *frame);
void exception_sp0(struct frame *frame);
void exception_aarch32(struct frame *frame);
_Noreturn void exception_stack_overflow(struct frame *frame);

static const char *class_name(unsigned class)
{
    switch (class) {
    case 0x00:
        return "unknown instruction";
    case 0x01:
        return "trapped WFI or WFE";
    case 0x07:
        return "trapped FP or SIMD";
    case 0x0d:
        return "branch target exception";
    case 0x0e:
        return "illegal execution state";
    case 0x15:
        return "SVC";
    case 0x18:
        return "trapped system register access";
    case 0x19:
        return "trapped SVE";
    case 0x1c:
        return "pointer authentication failure";
    case 0x20:
        return "instruction abort from EL0";
    case 0x21:
        return "instruction abort";
    case 0x22:
        return "misaligned PC";
    case 0x24:
        return "data abort from EL0";
    case 0x25:
        return "data abort";
    case 0x26:
        return "misaligned SP";
    case 0x2c:
        return "trapped FP exception";
    case 0x2f:
        return "SError";
    case 0x30:
    case 0x31:
        return "breakpoint";
    case 0x32:
    case 0x33:
        return "software step";
    case 0x34:
    case 0x35:
        return "watchpoint";
    case 0x3c:
        return "BRK instruction";
    default:
        return "exception of a reserved class";
    }
}

static const char *fault_name(unsigned status)
{
    switch (status & 0x3c) {
    case 0x00:
        return "address size fault";
    case 0x04:
        return "translation fault";
    case 0x08:
        return "access flag fault";
    case 0x0c:
        return "permission fault";
    case 0x10:
        return "synchronous external abort";
    case 0x14:
        return "synchronous external abort on a table walk";
    case 0x20:
        return status == 0x21 ? "alignment fault" : "debug or tag fault";
    case 0x30:
        return status == 0x30 ? "TLB conflict" : "unsupported atomic update";
    default:
        return "fault of a reserved kind";
    }
}

static bool is_abort(unsigned class)
{
    return (class & ~5u) == EC_INSTRUCTION_USER; // 0x20, 0x21, 0x24, 0x25
}

static void print_registers(const void *subject)
{
    const struct frame *frame = subject;
    const struct user_regs *regs = &frame->regs;
    for (unsigned i = 0; i < 31; i++) {
        report_text("  x%-2u %016llx%s", i, (unsigned long long)regs->x[i], i % 4 == 3 ? "\n" : "");
    }
    report_text("  sp  %016llx\n  pc  %016llx  pstate %08llx  esr %08llx  far %016llx\n", (unsigned long long)regs->sp,
                (unsigned long long)regs->pc, (unsigned long long)regs->pstate, (unsigned long long)frame->esr,
                (unsigned long long)frame->far);
}

// The one line that says what happened, for panic().
static _Noreturn void report(const struct frame *frame, const char *what)
{
    static uint32_t reports;
    if (__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED) >= 4) {
        power_halt_on_bug(); // the reporting itself is broken
    }
    unsigned class = EC(frame->esr), status = (unsigned)frame->esr & 0x3f;
    uint64_t offset = 0;
    const char *symbol = trace_symbol(frame->regs.pc, &offset);
    symbol = symbol != NULL ? symbol : "?";
    uint64_t pcs[FRAMES_MAX] = {frame->regs.pc};
    size_t count = 1 + trace_capture_from(frame->regs.x[29], pcs + 1, FRAMES_MAX - 1);
    if (!is_abort(class)) {
        panic_at(pcs, count, print_registers, frame, "%s at %s+0x%llx (esr 0x%llx)",
                 what != NULL ? what : class_name(class), symbol, (unsigned long long)offset,
                 (unsigned long long)frame->esr);
    }
    bool execute = class == EC_INSTRUCTION_USER || class == EC_INSTRUCTION_KERNEL;
    const char *verb = execute ? "executing" : (frame->esr & ISS_WRITE) != 0 ? "writing" : "reading";
    panic_at(pcs, count, print_registers, frame, "%s: %s, level %u, %s 0x%llx at %s+0x%llx (esr 0x%llx)",
             what != NULL ? what : class_name(class), fault_name(status), status & 3, verb,
             (unsigned long long)frame->far, symbol, (unsigned long long)offset, (unsigned long long)frame->esr);
}

struct extable_entry {
    int32_t instruction, continuation; // relative to themselves
};
extern const struct extable_entry extable_start[], extable_end[];

static uint64_t continuation(uint64_t pc)
{
    for (const struct extable_entry *entry = extable_start; entry < extable_end; entry++) {
        if ((uint64_t)&entry->instruction + (uint64_t)(int64_t)entry->instruction == pc) {
            return (uint64_t)&entry->continuation + (uint64_t)(int64_t)entry->continuation;
        }
    }
    return 0;
}

// A user copy hit a page that is not there, or is not the user's.
static bool recover_copy(struct frame *frame)
{
    uint64_t next = EC(frame->esr) == EC_DATA_KERNEL ? continuation(frame->regs.pc) : 0;
    if (next == 0) {
        return false;
    }
    unsigned status = (unsigned)frame->esr & 0x3c;
    bool write = (frame->esr & (ISS_WRITE | ISS_CACHE)) == ISS_WRITE;
    bool retry = false;
    // Only what the kernel could repair: translation, access flag and permission faults of the lower half.
    if (frame->far >> 48 == 0 && status >= 0x04 && status <= 0x0f && (frame->regs.pstate & DAIF_I) == 0) {
        asm volatile("msr daifclr, #3" ::: "memory");
        retry = kernel_copy_fault(frame->far, write);
        asm volatile("msr daifset, #3" ::: "memory");
    }
    if (!retry) {
        frame->regs.pc = next;
    }
    return true;
}

void exception_kernel(struct frame *frame)
{
    if (!recover_copy(frame)) {
        report(frame, NULL);
    }
}

void exception_serror(struct frame *frame)
{
    report(frame, "SError");
}

void exception_sp0(struct frame *frame)
{
    report(frame, "exception on SP_EL0");
}

void exception_aarch32(struct frame *frame)
{
    report(frame, "exception from AArch32");
}

_Noreturn void exception_stack_overflow(struct frame *frame)
{
    report(frame, EC(frame->esr) == EC_SP_ALIGNMENT ? "misaligned kernel stack" : "kernel stack overflow");
}

void exception_user(struct frame *frame)
{
    // Also what is trapped because user space is not to have it (system registers, SVE, SME, 64-byte accesses, …), and
    // classes that a later architecture adds: to the program those are instructions that there are not.
    enum user_fault_kind kind = USER_FAULT_UNDEFINED;
    switch (EC(frame->esr)) {
    case EC_PC_ALIGNMENT:
    case EC_SP_ALIGNMENT:
        kind = USER_FAULT_ALIGNMENT;
        break;
    case EC_BRK:
        kind = USER_FAULT_BREAKPOINT;
        break;
    case EC_INSTRUCTION_USER:
        kind = USER_FAULT_EXECUTE;
        break;
    case EC_DATA_USER:
        kind = (frame->esr & (ISS_WRITE | ISS_CACHE)) == ISS_WRITE ? USER_FAULT_WRITE : USER_FAULT_READ;
        break;
    default:
        break;
    }
    if (EC(frame->esr) == EC_DATA_USER && ((unsigned)frame->esr & 0x3f) == STATUS_ALIGNMENT) {
        kind = USER_FAULT_ALIGNMENT;
    }
    bool address = is_abort(EC(frame->esr)) || EC(frame->esr) == EC_PC_ALIGNMENT; // FAR_EL1 says something
    uint64_t where = address ? frame->far : frame->regs.pc;
    if (EC(frame->esr) == EC_SP_ALIGNMENT) {
        where = frame->regs.sp;
    } else if ((where >> 55 & 1) == 0) {
        where &= (1UL << 56) - 1; // TCR_EL1.TBI0: the top byte is the program's own
    }
    asm volatile("msr daifclr, #7" ::: "memory");
    kernel_user_fault(&frame->regs, kind, where);
}
