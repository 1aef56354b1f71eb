// Signals. Source: the man pages, section 2.
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/sigframe.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/bodies.h"

#include "kernel/base/atomic.h"

#define SET_SIZE 8u
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
#define UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))
#define SS_DISABLE 2
#define STACK_MIN 5120u // MINSIGSTKSZ

int64_t sys_rt_sigaction(const uint64_t arguments[6])
{
    struct process *process = process_current();
    int signal = (int)arguments[0];
    struct signal_action action, old;
    if (arguments[3] != SET_SIZE) {
        return -EINVAL;
    }
    if (arguments[1] != 0) {
        int error = copy_from_user(&action, uaddr(arguments[1]), sizeof(action));
        if (error != 0 || signal == SIGKILL || signal == SIGSTOP) {
            return error != 0 ? error : -EINVAL;
        }
    }
    irqflags_t flags = spin_lock(&family.lock);
    old = process->signals.actions[signal - 1];
    if (arguments[1] != 0) {
        action.mask &= ~UNBLOCKABLE;
        process->signals.actions[signal - 1] = action;
    }
    spin_unlock(&family.lock, flags);
    return arguments[2] != 0 ? copy_to_user(uaddr(arguments[2]), &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigprocmask(const uint64_t arguments[6])
{
    struct process *process = process_current();
    uint64_t old = process->signals.blocked, set;
    if (arguments[3] != SET_SIZE) {
        return -EINVAL;
    }
    if (arguments[1] != 0) {
        int error = copy_from_user(&set, uaddr(arguments[1]), sizeof(set));
        if (error != 0) {
            return error;
        }
        switch ((int)arguments[0]) {
        case SIG_BLOCK:
            set |= old;
            break;
        case SIG_UNBLOCK:
            set = old & ~set;
            break;
        case SIG_SETMASK:
            break;
        default:
            return -EINVAL;
        }
        signals_set_mask(process, set);
    }
    return arguments[2] != 0 ? copy_to_user(uaddr(arguments[2]), &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigpending(const uint64_t arguments[6])
{
    const struct signals *signals = &process_current()->signals;
    uint64_t pending = signals->pending & signals->blocked;
    return arguments[1] > SET_SIZE ? -EINVAL : copy_to_user(uaddr(arguments[0]), &pending, arguments[1]);
}

int64_t sys_rt_sigsuspend(const uint64_t arguments[6])
{
    struct process *process = process_current();
    uint64_t mask;
    if (arguments[1] != SET_SIZE) {
        return -EINVAL;
    }
    int error = copy_from_user(&mask, uaddr(arguments[0]), sizeof(mask));
    if (error != 0) {
        return error;
    }
    signals_mask_for_now(process, mask);
    WRITE_ONCE(process->thread->interrupted, signals_waiting());
    while (!signals_waiting()) {
        process_pause();
        WRITE_ONCE(process->thread->interrupted, signals_waiting());
    }
    return -EINTR;
}

int64_t sys_rt_sigreturn(const uint64_t arguments[6])
{
    struct process *process = process_current();
    uint64_t mask;
    if (sigframe_pop(process, process->current, &mask) != 0) {
        signal_force(&(struct signal_info){.signal = SIGSEGV, .code = 0x80});
        return 0;
    }
    signals_set_mask(process, mask);
    return (int64_t)user_regs_argument(process->current, 0); // as it was
}

int64_t sys_kill(const uint64_t arguments[6])
{
    return (uint32_t)arguments[1] > SIGNAL_MAX ? -EINVAL : signal_send_pid((int32_t)arguments[0], (int)arguments[1]);
}

int64_t sys_tkill(const uint64_t arguments[6])
{
    bool bad = (int32_t)arguments[0] <= 0 || (uint32_t)arguments[1] > SIGNAL_MAX;
    return bad ? -EINVAL : signal_send_pid((int32_t)arguments[0], (int)arguments[1]);
}

int64_t sys_tgkill(const uint64_t arguments[6])
{
    int32_t group = (int32_t)arguments[0], thread = (int32_t)arguments[1];
    if (group <= 0 || thread <= 0 || (uint32_t)arguments[2] > SIGNAL_MAX) {
        return -EINVAL;
    }
    return group != thread ? -ESRCH : signal_send_pid(thread, (int)arguments[2]);
}

int64_t sys_sigaltstack(const uint64_t arguments[6])
{
    struct {
        uint64_t pointer;
        int32_t flags, padding;
        uint64_t size;
    } new, old;
    struct process *process = process_current();
    struct signals *signals = &process->signals;
    uint64_t sp = user_regs_sp(process->current);
    bool on_it = sp - signals->stack < signals->stack_size;
    old.pointer = signals->stack;
    old.flags = on_it ? 1 : signals->stack_flags;
    old.padding = 0;
    old.size = signals->stack_size;
    if (arguments[0] != 0) {
        int error = copy_from_user(&new, uaddr(arguments[0]), sizeof(new));
        if (error != 0) {
            return error;
        }
        if (on_it) {
            return -EPERM;
        }
        bool off = (new.flags &SS_DISABLE) != 0;
        if ((new.flags & ~(SS_DISABLE | 1)) != 0) {
            return -EINVAL;
        }
        if (!off && new.size < STACK_MIN) {
            return -ENOMEM;
        }
        signals->stack = off ? 0 : new.pointer;
        signals->stack_size = off ? 0 : new.size;
        signals->stack_flags = off ? SS_DISABLE : 0;
    }
    return arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), &old, sizeof(old)) : 0;
}
