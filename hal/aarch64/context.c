// Flows and user registers: the parts that need no assembly.
#include <hal/context.h>
#include <hal/cpu.h>

#include "internal.h"

_Static_assert(offsetof(struct frame, regs.sp) == FRAME_SP && offsetof(struct frame, regs.pc) == FRAME_PC, "asm.inc");
_Static_assert(offsetof(struct frame, regs.pstate) == FRAME_PSTATE && offsetof(struct frame, esr) == FRAME_ESR,
               "asm.inc");
_Static_assert(offsetof(struct frame, far) == FRAME_FAR && offsetof(struct frame, record) == FRAME_RECORD, "asm.inc");
_Static_assert(sizeof(struct frame) == FRAME_SIZE && FRAME_SIZE % 16 == 0, "asm.inc");
_Static_assert(offsetof(struct context, fp) == 80 && offsetof(struct context, sp) == 96, "context.S");
_Static_assert(offsetof(struct context, tls) == 104 && offsetof(struct context, local) == 112 &&
                   offsetof(struct fp_state, fpcr) == 512,
               "context.S");
_Static_assert(offsetof(struct cpu_local, flow) == CPU_LOCAL_FLOW, "asm.inc");

void context_start(void);

void context_init(struct context *context, vaddr_t stack_top, size_t stack_size, void (*entry)(void *), void *argument,
                  void *local)
{
    *context = (struct context){
        .x19_to_x28 = {(uint64_t)entry, (uint64_t)argument},
        .lr = (uint64_t)context_start,
        .sp = stack_top.raw,
        .local = local,
    };
}

void flow_local_set(void *local)
{
    cpu_local()->flow = local;
    write_sysreg(sp_el0, (uint64_t)local);
}

void context_release(struct context *context)
{
}

void user_regs_init(struct user_regs *regs, uaddr_t pc, uaddr_t sp)
{
    *regs = (struct user_regs){.pc = pc.raw, .sp = sp.raw}; // pstate 0: EL0, interrupts on
}

uint64_t user_regs_syscall_number(const struct user_regs *regs)
{
    return regs->x[8];
}

uint64_t user_regs_argument(const struct user_regs *regs, unsigned index)
{
    return regs->x[index];
}

const uint64_t *user_regs_arguments(const struct user_regs *regs)
{
    return regs->x;
}

void user_regs_set_result(struct user_regs *regs, int64_t value)
{
    regs->x[0] = (uint64_t)value;
}

uint64_t user_regs_pc(const struct user_regs *regs)
{
    return regs->pc;
}

uint64_t user_regs_sp(const struct user_regs *regs)
{
    return regs->sp;
}

void user_regs_restart(struct user_regs *regs, uint64_t first_argument)
{
    regs->pc -= 4;
    regs->x[0] = first_argument;
}

void user_regs_skip_restart(struct user_regs *regs, int64_t result)
{
    regs->pc += 4;
    regs->x[0] = (uint64_t)result;
}

void user_regs_set_sp(struct user_regs *regs, uaddr_t sp)
{
    regs->sp = sp.raw;
}

uint64_t user_tls(void)
{
    return read_sysreg(tpidr_el0);
}

void user_tls_set(uint64_t value)
{
    write_sysreg(tpidr_el0, value);
}

void user_regs_read(const struct user_regs *regs, uint64_t words[USER_WORDS])
{
    __builtin_memcpy(words, regs->x, sizeof(regs->x));
    words[31] = regs->sp;
    words[32] = regs->pc;
    words[33] = regs->pstate;
}

static void write_all(struct user_regs *regs, const uint64_t words[USER_WORDS], uint64_t pstate)
{
    __builtin_memcpy(regs->x, words, sizeof(regs->x));
    regs->sp = words[31];
    regs->pc = words[32];
    regs->pstate = pstate;
}

int user_regs_write(struct user_regs *regs, const uint64_t words[USER_WORDS])
{
    if ((words[33] & PSTATE_REFUSED) != 0) {
        return -EINVAL;
    }
    write_all(regs, words, words[33] & PSTATE_USER);
    return 0;
}

void user_regs_write_handler(struct user_regs *regs, const uint64_t words[USER_WORDS])
{
    write_all(regs, words, words[33] & PSTATE_USER & ~PSTATE_NOT_IN_HANDLERS);
}
