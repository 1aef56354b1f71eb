// Policies, priorities and CPUs of tasks. Source: sched(7), sched_setscheduler(2), sched_setattr(2), getpriority(2),
// sched_setaffinity(2), getcpu(2).
#include "kernel/mm/usercopy.h"
#include "kernel/proc/access.h"
#include "kernel/proc/task.h"
#include "kernel/sched/policy.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/time.h"

#define SCHED_RESET_ON_FORK 0x40000000u

// --- policies ------------------------------------------------------------------------------------------------------

static int check_policy(unsigned kind, int priority)
{
    switch (kind) {
    case SCHED_FIFO:
    case SCHED_RR:
        return priority >= 1 && priority <= (int)SCHED_PRIORITY_MAX ? 0 : -EINVAL;
    case SCHED_OTHER:
    case SCHED_BATCH:
    case SCHED_IDLE:
        return priority == 0 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

static bool nice_is_allowed(const struct process *process, int nice)
{
    return (uint64_t)(20 - nice) <= process_limit(process, RLIMIT_NICE);
}

// Whether it is more than a task may take for itself: RLIMIT_NICE, RLIMIT_RTPRIO.
static bool takes_more(const struct process *process, const struct sched_policy *now, const struct sched_policy *wanted)
{
    uint64_t realtime_limit = process_limit(process, RLIMIT_RTPRIO);
    bool realtime =
        policy_is_realtime(wanted) && ((wanted->kind != now->kind && realtime_limit == 0) ||
                                       (wanted->priority > now->priority && wanted->priority > realtime_limit));
    bool back = now->kind == SCHED_IDLE && wanted->kind != SCHED_IDLE && !nice_is_allowed(process, now->nice);
    bool nicer = wanted->nice < now->nice && !nice_is_allowed(process, wanted->nice);
    return realtime || back || nicer || (now->reset_on_fork && !wanted->reset_on_fork);
}

static int set_policy(struct task *task, void *argument)
{
    const struct sched_policy *now = &task->thread->policy;
    struct sched_policy wanted = *(const struct sched_policy *)argument;
    if (wanted.kind != SCHED_OTHER && wanted.kind != SCHED_BATCH) {
        wanted.nice = now->nice; // for when it is of those again
    }
    if (task_may_schedule(task) != 0 || (takes_more(task->process, now, &wanted) && !capable(CAP_SYS_NICE))) {
        return -EPERM;
    }
    thread_set_policy(task->thread, &wanted);
    return 0;
}

static int get_policy(struct task *task, void *argument)
{
    *(struct sched_policy *)argument = task->thread->policy;
    return 0;
}

// policy: what it is now, or -1 to leave the kind as it is.
static int64_t set_kind(int32_t tid, int policy, uint64_t parameters)
{
    struct sched_policy now, wanted;
    int32_t priority;
    int error = parameters == 0 || tid < 0 ? -EINVAL : 0;
    error = error != 0 ? error : copy_from_user(&priority, uaddr(parameters), sizeof(priority));
    error = error != 0 ? error : task_visit(tid, get_policy, &now);
    if (error != 0) {
        return error;
    }
    wanted = now;
    if (policy != -1) {
        wanted.reset_on_fork = ((unsigned)policy & SCHED_RESET_ON_FORK) != 0;
        wanted.kind = (uint8_t)((unsigned)policy & 0xff);
    }
    wanted.priority = (uint8_t)priority;
    bool known = policy == -1 || ((unsigned)policy & ~(SCHED_RESET_ON_FORK | 0xffu)) == 0;
    error = known ? check_policy(wanted.kind, priority) : -EINVAL;
    return error != 0 ? error : task_visit(tid, set_policy, &wanted);
}

int64_t sys_sched_setscheduler(const uint64_t arguments[6])
{
    return (int)arguments[1] < 0 ? -EINVAL : set_kind((int32_t)arguments[0], (int)arguments[1], arguments[2]);
}

int64_t sys_sched_setparam(const uint64_t arguments[6])
{
    return set_kind((int32_t)arguments[0], -1, arguments[1]);
}

int64_t sys_sched_getscheduler(const uint64_t arguments[6])
{
    struct sched_policy now;
    int error = (int32_t)arguments[0] < 0 ? -EINVAL : task_visit((int32_t)arguments[0], get_policy, &now);
    return error != 0 ? error : (int64_t)(now.kind | (now.reset_on_fork ? SCHED_RESET_ON_FORK : 0));
}

int64_t sys_sched_getparam(const uint64_t arguments[6])
{
    struct sched_policy now;
    bool bad = (int32_t)arguments[0] < 0 || arguments[1] == 0;
    int error = bad ? -EINVAL : task_visit((int32_t)arguments[0], get_policy, &now);
    int32_t priority = error == 0 ? now.priority : 0;
    return error != 0 ? error : copy_to_user(uaddr(arguments[1]), &priority, sizeof(priority));
}

int64_t sys_sched_get_priority_max(const uint64_t arguments[6])
{
    bool realtime = arguments[0] == SCHED_FIFO || arguments[0] == SCHED_RR;
    return realtime                                   ? (int64_t)SCHED_PRIORITY_MAX
           : (unsigned)arguments[0] == SCHED_DEADLINE ? 0
                                                      : check_policy((unsigned)arguments[0], 0);
}

int64_t sys_sched_get_priority_min(const uint64_t arguments[6])
{
    bool realtime = arguments[0] == SCHED_FIFO || arguments[0] == SCHED_RR;
    bool deadline = (unsigned)arguments[0] == SCHED_DEADLINE; // has no priorities
    return realtime ? 1 : deadline ? 0 : check_policy((unsigned)arguments[0], 0);
}

int64_t sys_sched_rr_get_interval(const uint64_t arguments[6])
{
    struct sched_policy now;
    int error = (int32_t)arguments[0] < 0 ? -EINVAL : task_visit((int32_t)arguments[0], get_policy, &now);
    return error != 0 ? error : time_to_user(arguments[1], now.kind == SCHED_FIFO ? 0 : policy_slice_ns(&now));
}

struct user_sched_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
static_assert(sizeof(struct user_sched_attr) == 48, "struct sched_attr");

int64_t sys_sched_setattr(const uint64_t arguments[6])
{
    struct user_sched_attr user;
    uint32_t size;
    int error = (int32_t)arguments[0] < 0 || arguments[1] == 0 || arguments[2] != 0 ? -EINVAL : 0;
    error = error != 0 ? error : copy_from_user(&size, uaddr(arguments[1]), sizeof(size));
    if (error == 0 && size != 0 && size < sizeof(user)) {
        error = -E2BIG;
    }
    error = error != 0 ? error : copy_from_user(&user, uaddr(arguments[1]), sizeof(user));
    if (error == 0 && (user.flags & ~1ull) != 0) { // SCHED_FLAG_RESET_ON_FORK
        error = -EINVAL;
    }
    error = error != 0 ? error : check_policy(user.policy, (int)min_u64(user.priority, 1000));
    if (error != 0) {
        return error;
    }
    int nice = user.nice < NICE_MIN ? NICE_MIN : user.nice > NICE_MAX ? NICE_MAX : user.nice;
    struct sched_policy wanted = {(uint8_t)user.policy, (uint8_t)user.priority, (int8_t)nice, (user.flags & 1) != 0};
    return task_visit((int32_t)arguments[0], set_policy, &wanted);
}

int64_t sys_sched_getattr(const uint64_t arguments[6])
{
    struct sched_policy now;
    if ((int32_t)arguments[0] < 0 || arguments[1] == 0 || arguments[2] < sizeof(struct user_sched_attr) ||
        arguments[2] > PAGE_SIZE || arguments[3] != 0) {
        return -EINVAL;
    }
    int error = task_visit((int32_t)arguments[0], get_policy, &now);
    struct user_sched_attr user = {.size = sizeof(user)};
    if (error == 0) {
        user.policy = now.kind;
        user.flags = now.reset_on_fork;
        user.nice = policy_is_realtime(&now) ? 0 : now.nice;
        user.priority = now.priority;
    }
    return error != 0 ? error : copy_to_user(uaddr(arguments[1]), &user, sizeof(user));
}

// --- niceness ------------------------------------------------------------------------------------------------------

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

struct search {
    int which;
    int32_t who;
    bool set;
    int nice;  // to set; or the best that was found
    int error; // -ESRCH: nobody
};

static int visit_nice(struct task *task, void *argument)
{
    struct search *search = argument;
    struct sched_policy policy = task->thread->policy;
    if (!search->set) {
        search->nice = search->error != 0 || policy.nice < search->nice ? policy.nice : search->nice;
        search->error = 0;
        return 0;
    }
    bool more = search->nice < policy.nice && !nice_is_allowed(task->process, search->nice);
    int error = task_may_renice(task);
    error = error == 0 && more && !capable(CAP_SYS_NICE) ? -EACCES : error;
    if (error == 0) {
        policy.nice = (int8_t)search->nice;
        thread_set_policy(task->thread, &policy);
    }
    search->error = search->error == -ESRCH || error != 0 ? error : search->error;
    return 0;
}

static bool visit_process(struct process *process, void *argument)
{
    struct search *search = argument;
    bool meant =
        search->which == PRIO_PGRP ? process->group == search->who : process->as->real_uid == (uint32_t)search->who;
    if (meant) {
        list_for_each(at, &process->tasks)
        {
            (void)visit_nice(container_of(at, struct task, sibling), search);
        }
    }
    return true;
}

static int search(struct search *search)
{
    const struct process *me = process_current();
    if (search->which == PRIO_PROCESS) {
        int error = task_visit(search->who, visit_nice, search);
        return error != 0 ? error : search->error;
    }
    if (search->who == 0) {
        search->who = search->which == PRIO_PGRP ? me->group : (int32_t)credentials_current()->real_uid;
    }
    process_for_each(visit_process, search);
    return search->error;
}

int64_t sys_setpriority(const uint64_t arguments[6])
{
    int nice = (int)arguments[2];
    nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
    struct search all = {(int)arguments[0], (int32_t)arguments[1], true, nice, -ESRCH};
    return search(&all);
}

int64_t sys_getpriority(const uint64_t arguments[6])
{
    struct search all = {(int)arguments[0], (int32_t)arguments[1], false, 0, -ESRCH};
    int error = search(&all);
    return error != 0 ? error : 20 - all.nice; // never negative; the C library turns it round
}

// --- CPUs ----------------------------------------------------------------------------------------------------------

#define MASK_SIZE 8u

static int set_allowed(struct task *task, void *argument)
{
    if (task_may_schedule(task) != 0) {
        return -EPERM;
    }
    if (*(uint32_t *)argument == 0) {
        return -EINVAL; // no such CPU
    }
    if (task != task_current()) {
        thread_set_allowed(task->thread, *(uint32_t *)argument);
    }
    return 0;
}

static int get_allowed(struct task *task, void *argument)
{
    *(uint64_t *)argument = __atomic_load_n(&task->thread->allowed, __ATOMIC_RELAXED) & sched_online_mask();
    return 0;
}

int64_t sys_sched_setaffinity(const uint64_t arguments[6])
{
    uint64_t mask = 0;
    int32_t tid = (int32_t)arguments[0];
    int error = copy_from_user(&mask, uaddr(arguments[2]), min_u64(arguments[1], sizeof(mask)));
    uint32_t allowed = (uint32_t)mask & sched_online_mask();
    error = error != 0 ? error : task_visit(tid, set_allowed, &allowed);
    if (error == 0 && (tid == 0 || tid == task_current()->tid)) {
        thread_set_allowed(thread_current(), allowed);
    }
    return error;
}

int64_t sys_sched_getaffinity(const uint64_t arguments[6])
{
    uint64_t mask;
    if (arguments[1] < MASK_SIZE || arguments[1] % sizeof(mask) != 0) {
        return -EINVAL;
    }
    int error = task_visit((int32_t)arguments[0], get_allowed, &mask);
    error = error != 0 ? error : copy_to_user(uaddr(arguments[2]), &mask, sizeof(mask));
    return error != 0 ? error : (int64_t)sizeof(mask);
}

int64_t sys_getcpu(const uint64_t arguments[6])
{
    uint32_t cpu = cpu_self(), node = 0; // it may be another one by the time the caller looks
    int error = arguments[0] != 0 ? copy_to_user(uaddr(arguments[0]), &cpu, sizeof(cpu)) : 0;
    return error == 0 && arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), &node, sizeof(node)) : error;
}

int64_t sys_sched_yield(const uint64_t arguments[6])
{
    thread_yield();
    return 0;
}
