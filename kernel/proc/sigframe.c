#include "kernel/proc/sigframe.h"

#include <hal/irq.h>

#include "kernel/mm/usercopy.h"

#define SA_SIGINFO 4ul
#define SA_ONSTACK 0x08000000ul
#define SA_RESTORER 0x04000000ul
#define SS_ONSTACK 1
#define SS_DISABLE 2
#define FP_MAGIC 0x46508001u

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

static uint64_t choose_stack(const struct signals *signals, uint64_t sp, uint64_t flags)
{
    bool on_it = sp - signals->stack < signals->stack_size;
    bool wants = (flags & SA_ONSTACK) != 0 && (signals->stack_flags & SS_DISABLE) == 0 && !on_it;
    return wants ? signals->stack + signals->stack_size : sp;
}

static void save_fp(struct process *process, struct fp_context *out)
{
    irqflags_t flags = irq_save();
    fp_save(&process->fp);
    irq_restore(flags);
    uint64_t control[2];
    __builtin_memcpy(out->v, &process->fp, sizeof(out->v));
    __builtin_memcpy(control, (const char *)&process->fp + sizeof(out->v), sizeof(control));
    out->magic = FP_MAGIC;
    out->size = sizeof(*out);
    out->fpcr = (uint32_t)control[0];
    out->fpsr = (uint32_t)control[1];
}

static void restore_fp(struct process *process, const struct fp_context *from)
{
    uint64_t control[2] = {from->fpcr, from->fpsr};
    irqflags_t flags = irq_save();
    __builtin_memcpy(&process->fp, from->v, sizeof(from->v));
    __builtin_memcpy((char *)&process->fp + sizeof(from->v), control, sizeof(control));
    fp_restore(&process->fp);
    irq_restore(flags);
}

int sigframe_push(struct process *process, struct user_regs *regs, const struct signal_info *info,
                  const struct signal_action *action, uint64_t mask)
{
    const struct signals *signals = &process->signals;
    uint64_t words[USER_WORDS];
    user_regs_read(regs, words);
    uint64_t top = choose_stack(signals, words[31], action->flags);
    uint64_t sp = round_down(top - sizeof(struct frame), 16);
    struct fp_context fp;
    save_fp(process, &fp);
    // By parts, since the whole is larger than a kernel stack should bear.
    struct user_siginfo siginfo = {
        .signal = info->signal, .error = info->error, .code = info->code, .value = {info->value[0], info->value[1]}};
    if (info->code <= 0) { // pid and uid share a word
        siginfo.value[0] = info->value[0] | info->value[1] << 32;
        siginfo.value[1] = 0;
    }
    struct {
        uint64_t flags, link, pointer;
        int32_t stack_flags, padding;
        uint64_t size, mask;
    } head = {0, 0, signals->stack, signals->stack_flags, 0, signals->stack_size, mask};
    uint64_t fault = info->code > 0 && info->code < 0x80 ? info->value[0] : 0;
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
    words[0] = (uint64_t)info->signal;
    words[1] = sp;
    words[2] = context;
    words[29] = sp + offsetof(struct frame, record);
    words[30] = (action->flags & SA_RESTORER) != 0 ? action->restorer : process->space->vdso;
    words[31] = sp;
    words[32] = action->handler;
    return user_regs_write(regs, words);
}

int sigframe_pop(struct process *process, struct user_regs *regs, uint64_t *mask)
{
    uint64_t context = user_regs_sp(regs) + offsetof(struct frame, context), words[USER_WORDS];
    struct fp_context fp;
    int error = copy_from_user(words, uaddr(context + offsetof(struct user_context, words)), sizeof(words));
    error =
        error != 0 ? error : copy_from_user(mask, uaddr(context + offsetof(struct user_context, mask)), sizeof(*mask));
    error = error != 0 ? error : copy_from_user(&fp, uaddr(context + offsetof(struct user_context, fp)), sizeof(fp));
    if (error == 0 && (!is_aligned(user_regs_sp(regs), 16) || fp.magic != FP_MAGIC || fp.size != sizeof(fp))) {
        error = -EINVAL;
    }
    error = error != 0 ? error : user_regs_write(regs, words);
    if (error == 0) {
        restore_fp(process, &fp);
    }
    return error;
}
