// Signals. Source: the man pages, section 2.
#include "kernel/base/atomic.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/sigaction.h"
#include "kernel/proc/sigframe.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"

#define SET_SIZE 8u
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

int64_t sys_rt_sigaction(const uint64_t arguments[6])
{
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
    signal_set_action(signal, arguments[1] != 0 ? &action : NULL, &old);
    return arguments[2] != 0 ? copy_to_user(uaddr(arguments[2]), &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigprocmask(const uint64_t arguments[6])
{
    uint64_t old = task_current()->signals.blocked, set;
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
        signals_set_mask(set);
    }
    return arguments[2] != 0 ? copy_to_user(uaddr(arguments[2]), &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigpending(const uint64_t arguments[6])
{
    uint64_t pending = signals_pending() & task_current()->signals.blocked;
    return arguments[1] > SET_SIZE ? -EINVAL : copy_to_user(uaddr(arguments[0]), &pending, arguments[1]);
}

int64_t sys_rt_sigsuspend(const uint64_t arguments[6])
{
    uint64_t mask;
    struct signal_info none;
    if (arguments[1] != SET_SIZE) {
        return -EINVAL;
    }
    int error = copy_from_user(&mask, uaddr(arguments[0]), sizeof(mask));
    if (error != 0) {
        return error;
    }
    signals_mask_for_now(mask);
    return signal_wait(0, UINT64_MAX, &none) == -EINTR ? -ERESTART_NOHAND : 0;
}

// As siginfo_t begins.
struct user_siginfo {
    int32_t signal, error, code, padding;
    uint64_t value[2];
    uint8_t rest[96];
};
static_assert(sizeof(struct user_siginfo) == 128, "siginfo_t");

int64_t sys_rt_sigtimedwait(const uint64_t arguments[6])
{
    uint64_t set, span = 0, deadline = UINT64_MAX;
    struct signal_info info;
    if (arguments[3] != SET_SIZE) {
        return -EINVAL;
    }
    int error = copy_from_user(&set, uaddr(arguments[0]), sizeof(set));
    if (error == 0 && arguments[2] != 0) {
        error = time_from_user(arguments[2], &span);
        deadline = time_deadline(span);
    }
    if (error != 0) {
        return error;
    }
    int signal = arguments[2] != 0 && span == 0 ? signal_take(set, &info) : signal_wait(set, deadline, &info);
    if (signal <= 0) {
        return signal == 0 ? -EAGAIN : signal;
    }
    struct user_siginfo user = {
        .signal = signal, .error = info.error, .code = info.code, .value = {info.value[0], info.value[1]}};
    error = arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), &user, sizeof(user)) : 0;
    return error != 0 ? error : signal;
}

// What the caller says of a signal, except what only the kernel may say to others.
static int info_from_user(uint64_t from, int signal, bool to_myself, struct signal_info *out)
{
    struct user_siginfo user;
    int error = copy_from_user(&user, uaddr(from), sizeof(user));
    if (error != 0) {
        return error;
    }
    *out = (struct signal_info){
        .signal = signal, .error = user.error, .code = user.code, .value = {user.value[0], user.value[1]}};
    return !to_myself && (user.code >= 0 || user.code == SI_TKILL) ? -EPERM : 0;
}

int64_t sys_rt_sigqueueinfo(const uint64_t arguments[6])
{
    struct signal_info info;
    int32_t pid = (int32_t)arguments[0];
    int error = info_from_user(arguments[2], (int)arguments[1], pid == task_current()->tid, &info);
    if (error != -EFAULT && (uint32_t)arguments[1] > SIGNAL_MAX) {
        return -EINVAL;
    }
    struct process *process = error == 0 ? process_find_any(pid) : NULL;
    if (error == 0) {
        error = process == NULL ? -ESRCH : signal_queue_send(process, 0, &info);
    }
    process_put(process);
    return error;
}

int64_t sys_rt_tgsigqueueinfo(const uint64_t arguments[6])
{
    struct signal_info info;
    int32_t pid = (int32_t)arguments[0], tid = (int32_t)arguments[1];
    int error = info_from_user(arguments[3], (int)arguments[2], tid == task_current()->tid, &info);
    if (error != -EFAULT && (pid <= 0 || tid <= 0 || (uint32_t)arguments[2] > SIGNAL_MAX)) {
        return -EINVAL;
    }
    struct process *process = error == 0 ? process_find(pid) : NULL;
    if (error == 0) {
        error = process == NULL ? -ESRCH : signal_queue_send(process, tid, &info);
    }
    process_put(process);
    return error;
}

int64_t sys_rt_sigreturn(const uint64_t arguments[6])
{
    struct task *task = task_current();
    uint64_t mask;
    if (sigframe_pop(task, task->current, &mask) != 0) {
        signal_force(&(struct signal_info){.signal = SIGSEGV, .code = SI_KERNEL});
        return 0;
    }
    signals_set_mask(mask);
    task->restart = 0;
    task->returned = true;
    return (int64_t)user_regs_argument(task->current, 0);
}

int64_t sys_kill(const uint64_t arguments[6])
{
    return (uint32_t)arguments[1] > SIGNAL_MAX ? -EINVAL : signal_send_pid((int32_t)arguments[0], (int)arguments[1]);
}

static int64_t send_to_task(int32_t pid, int32_t tid, uint32_t signal)
{
    const struct process *me = process_current();
    struct signal_info info = {
        .signal = (int)signal, .code = SI_TKILL, .value = {signal_sender(me->pid, credentials_current()->real_uid)}};
    return tid <= 0 || signal > SIGNAL_MAX ? -EINVAL : signal_send_tid(pid, tid, &info);
}

int64_t sys_tkill(const uint64_t arguments[6])
{
    return send_to_task(0, (int32_t)arguments[0], (uint32_t)arguments[1]);
}

int64_t sys_tgkill(const uint64_t arguments[6])
{
    int32_t pid = (int32_t)arguments[0];
    return pid <= 0 ? -EINVAL : send_to_task(pid, (int32_t)arguments[1], (uint32_t)arguments[2]);
}

int64_t sys_sigaltstack(const uint64_t arguments[6])
{
    struct {
        uint64_t pointer;
        int32_t flags, padding;
        uint64_t size;
    } new, old = {0};
    struct task *task = task_current();
    struct task_signals *signals = &task->signals;
    bool disarms = (signals->stack_flags & SS_AUTODISARM) != 0;
    bool on_it = user_regs_sp(task->current) - signals->stack - 1 < signals->stack_size && !disarms;
    old.pointer = signals->stack;
    old.flags = signals->stack_flags | (on_it ? SS_ONSTACK : 0);
    old.size = signals->stack_size;
    if (arguments[0] != 0) {
        int error = copy_from_user(&new, uaddr(arguments[0]), sizeof(new));
        if (error != 0 || on_it) {
            return error != 0 ? error : -EPERM;
        }
        int32_t mode = new.flags & ~SS_AUTODISARM;
        if (mode != 0 && mode != SS_DISABLE && mode != SS_ONSTACK) {
            return -EINVAL;
        }
        bool off = mode == SS_DISABLE;
        if (!off && new.size < SIGNAL_STACK_MIN) {
            return -ENOMEM;
        }
        signals->stack = off ? 0 : new.pointer;
        signals->stack_size = off ? 0 : new.size;
        signals->stack_flags = off ? SS_DISABLE : new.flags & SS_AUTODISARM;
    }
    return arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), &old, sizeof(old)) : 0;
}
