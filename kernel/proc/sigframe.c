#include "kernel/proc/sigframe.h"

#include <hal/irq.h>

#include "kernel/mm/usercopy.h"
#include "kernel/proc/sigaction.h"

#define FP_MAGIC 0x46508001u
#define FAULTS                                                                                                         \
    (signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGFPE))

struct user_siginfo {
    int32_t signal, error, code, padding;
    uint64_t value[2];
    uint8_t rest[96];
};
static_assert(sizeof(struct user_siginfo) == 128, "siginfo_t");

struct fp_context {
    uint32_t magic, size, fpsr, fpcr;
    uint8_t v[32][16];
};

struct user_context {
    uint64_t flags, link;
    struct {
        uint64_t pointer;
        int32_t flags, padding;
        uint64_t size;
    } stack;
    uint64_t mask;
    uint8_t unused[120];
    uint64_t padding; // the machine context is aligned to 16
    uint64_t fault_address;
    uint64_t words[USER_WORDS];
    uint64_t alignment;
    struct fp_context fp;
    uint32_t end_magic, end_size;
    uint8_t reserved[4096 - sizeof(struct fp_context) - 8];
};
static_assert(offsetof(struct user_context, fault_address) == 176, "struct ucontext");
static_assert(offsetof(struct user_context, fp) == 464, "struct sigcontext: __reserved");

struct frame {
    struct user_siginfo info;
    struct user_context context;
    uint64_t record[2]; // fp and lr, so that backtraces go on
};

struct head { // of the context
    uint64_t flags, link, pointer;
    int32_t stack_flags, padding;
    uint64_t size, mask;
};
static_assert(offsetof(struct head, mask) == offsetof(struct user_context, mask), "struct ucontext");

static int32_t stack_flags(const struct task_signals *signals, uint64_t sp)
{
    bool on_it = sp - signals->stack - 1 < signals->stack_size && (signals->stack_flags & SS_AUTODISARM) == 0;
    return signals->stack_flags | (on_it ? SS_ONSTACK : 0);
}

static uint64_t choose_stack(const struct task_signals *signals, uint64_t sp, uint64_t flags)
{
    bool on_it = sp - signals->stack - 1 < signals->stack_size;
    bool wants = (flags & SA_ONSTACK) != 0 && (signals->stack_flags & SS_DISABLE) == 0 && !on_it;
    return wants ? signals->stack + signals->stack_size : sp;
}

static void save_fp(struct task *task, struct fp_context *out)
{
    irqflags_t flags = irq_save();
    fp_save(&task->fp);
    irq_restore(flags);
    uint64_t control[2];
    __builtin_memcpy(out->v, &task->fp, sizeof(out->v));
    __builtin_memcpy(control, (const char *)&task->fp + sizeof(out->v), sizeof(control));
    out->magic = FP_MAGIC;
    out->size = sizeof(*out);
    out->fpcr = (uint32_t)control[0];
    out->fpsr = (uint32_t)control[1];
}

static void restore_fp(struct task *task, const struct fp_context *from)
{
    uint64_t control[2] = {from->fpcr, from->fpsr};
    irqflags_t flags = irq_save();
    __builtin_memcpy(&task->fp, from->v, sizeof(from->v));
    __builtin_memcpy((char *)&task->fp + sizeof(from->v), control, sizeof(control));
    fp_restore(&task->fp);
    irq_restore(flags);
}

int sigframe_push(struct task *task, struct user_regs *regs, const struct signal_info *info,
                  const struct signal_action *action, uint64_t mask)
{
    struct task_signals *signals = &task->signals;
    uint64_t words[USER_WORDS];
    user_regs_read(regs, words);
    uint64_t top = choose_stack(signals, words[31], action->flags);
    uint64_t sp = round_down(top - sizeof(struct frame), 16);
    if (top - signals->stack - 1 < signals->stack_size && sp < signals->stack) {
        return -EFAULT; // the alternate stack is full
    }
    struct fp_context fp;
    save_fp(task, &fp);
    // By parts, since the whole is larger than a kernel stack should bear.
    struct user_siginfo siginfo = {
        .signal = info->signal, .error = info->error, .code = info->code, .value = {info->value[0], info->value[1]}};
    struct head head = {0, 0, signals->stack, stack_flags(signals, words[31]), 0, signals->stack_size, mask};
    bool is_fault = (signal_bit(info->signal) & FAULTS) != 0 && info->code > 0 && info->code < SI_KERNEL;
    uint64_t fault = is_fault ? info->value[0] : 0;
    uint32_t end[2] = {0, 0};
    uint64_t record[2] = {words[29], words[30]};
    uint64_t context = sp + offsetof(struct frame, context);
    int error = copy_to_user(uaddr(sp), &siginfo, sizeof(siginfo));
    error = error != 0 ? error : copy_to_user(uaddr(context), &head, sizeof(head));
    error = error != 0
                ? error
                : copy_to_user(uaddr(context + offsetof(struct user_context, fault_address)), &fault, sizeof(fault));
    error =
        error != 0 ? error : copy_to_user(uaddr(context + offsetof(struct user_context, words)), words, sizeof(words));
    error = error != 0 ? error : copy_to_user(uaddr(context + offsetof(struct user_context, fp)), &fp, sizeof(fp));
    error =
        error != 0 ? error : copy_to_user(uaddr(context + offsetof(struct user_context, end_magic)), end, sizeof(end));
    error = error != 0 ? error : copy_to_user(uaddr(sp + offsetof(struct frame, record)), record, sizeof(record));
    if (error != 0) {
        return error;
    }
    if ((signals->stack_flags & SS_AUTODISARM) != 0) {
        signals->stack = signals->stack_size = 0;
        signals->stack_flags = SS_DISABLE;
    }
    words[0] = (uint64_t)info->signal;
    words[1] = sp;
    words[2] = context;
    words[29] = sp + offsetof(struct frame, record);
    words[30] = (action->flags & SA_RESTORER) != 0 ? action->restorer : task->process->space->sigreturn;
    words[31] = sp;
    words[32] = action->handler;
    user_regs_write_handler(regs, words);
    return 0;
}

// Back to the alternate stack that was; one that cannot be is left as it is.
static void restore_stack(struct task_signals *signals, const struct head *head)
{
    int32_t flags = head->stack_flags & ~SS_ONSTACK;
    if (flags == SS_DISABLE) {
        signals->stack = signals->stack_size = 0;
        signals->stack_flags = SS_DISABLE;
    } else if ((flags == 0 || flags == SS_AUTODISARM) && head->size >= SIGNAL_STACK_MIN) {
        signals->stack = head->pointer;
        signals->stack_size = head->size;
        signals->stack_flags = flags;
    }
}

int sigframe_pop(struct task *task, struct user_regs *regs, uint64_t *mask)
{
    uint64_t context = user_regs_sp(regs) + offsetof(struct frame, context), words[USER_WORDS];
    struct head head;
    struct fp_context fp;
    int error = copy_from_user(words, uaddr(context + offsetof(struct user_context, words)), sizeof(words));
    error = error != 0 ? error : copy_from_user(&head, uaddr(context), sizeof(head));
    error = error != 0 ? error : copy_from_user(&fp, uaddr(context + offsetof(struct user_context, fp)), sizeof(fp));
    if (error == 0 && (!is_aligned(user_regs_sp(regs), 16) || fp.magic != FP_MAGIC || fp.size != sizeof(fp))) {
        error = -EINVAL;
    }
    error = error != 0 ? error : user_regs_write(regs, words);
    if (error == 0) {
        *mask = head.mask;
        restore_stack(&task->signals, &head);
        restore_fp(task, &fp);
    }
    return error;
}
