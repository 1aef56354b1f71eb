// What a program may ask about the machine and itself. Source: the man pages, section 2.
#include <hal/power.h>
#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/mm/page_alloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/access.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/bodies.h"
#include "kernel/syscall/capabilities.h"
#include "kernel/time/clock.h"

enum prctl_option {
    PR_SET_PDEATHSIG = 1,
    PR_GET_PDEATHSIG = 2,
    PR_GET_DUMPABLE = 3,
    PR_SET_DUMPABLE = 4,
    PR_SET_NAME = 15,
    PR_GET_NAME = 16,
    PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK = 30,
    PR_SET_CHILD_SUBREAPER = 36,
    PR_GET_CHILD_SUBREAPER = 37,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS = 39,
    PR_SET_THP_DISABLE = 41,
    PR_GET_THP_DISABLE = 42,
};
static int int_to_user(uint64_t to, int value)
{
    return copy_to_user(uaddr(to), &value, sizeof(value));
}

// The flags of a process.
static int64_t set_or_tell(const uint64_t arguments[6])
{
    struct process *me = process_current();
    struct task *task = task_current();
    uint64_t value = arguments[1], rest = arguments[2] | arguments[3] | arguments[4];
    switch ((int)arguments[0]) {
    case PR_SET_PDEATHSIG:
        if (value > SIGNAL_MAX) {
            return -EINVAL;
        }
        me->death_signal = (uint8_t)value;
        return 0;
    case PR_GET_PDEATHSIG:
        return int_to_user(value, me->death_signal);
    case PR_GET_DUMPABLE:
        return READ_ONCE(me->space->dumpable);
    case PR_SET_DUMPABLE:
        if (value > DUMPABLE_USER) {
            return -EINVAL;
        }
        WRITE_ONCE(me->space->dumpable, (unsigned)value);
        return 0;
    case PR_SET_CHILD_SUBREAPER:
        me->subreaper = value != 0;
        return 0;
    case PR_GET_CHILD_SUBREAPER:
        return int_to_user(value, me->subreaper);
    case PR_SET_NO_NEW_PRIVS:
        if (value != 1 || rest != 0) {
            return -EINVAL;
        }
        task->no_new_privileges = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return value == 0 && rest == 0 ? task->no_new_privileges : -EINVAL;
    case PR_SET_TIMERSLACK:
        task->timer_slack_ns = (int64_t)value <= 0 ? task->timer_slack_usual_ns : value;
        return 0;
    case PR_GET_TIMERSLACK:
        return (int64_t)task->timer_slack_ns;
    case PR_SET_THP_DISABLE: // there are no huge pages to do without
        if (rest != 0) {
            return -EINVAL;
        }
        WRITE_ONCE(me->space->no_huge_pages, value != 0);
        return 0;
    case PR_GET_THP_DISABLE:
        return value == 0 && rest == 0 ? (int64_t)READ_ONCE(me->space->no_huge_pages) : -EINVAL;
    default:
        return -EINVAL;
    }
}

int64_t sys_prctl(const uint64_t arguments[6])
{
    char name[16] = {0};
    switch ((int)arguments[0]) {
    case PR_SET_NAME:
        for (unsigned i = 0; i < sizeof(name) - 1; i++) { // a longer one is cut
            int error = copy_from_user(&name[i], uaddr(arguments[1] + i), 1);
            if (error != 0) {
                return error;
            }
            if (name[i] == 0) {
                break;
            }
        }
        thread_set_name(thread_current(), name);
        return 0;
    case PR_GET_NAME:
        format(name, sizeof(name), "%s", thread_current()->name);
        return copy_to_user(uaddr(arguments[1]), name, sizeof(name));
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
    case PR_GET_SECUREBITS:
    case PR_SET_SECUREBITS:
    case PR_CAP_AMBIENT:
        return capabilities_control(arguments);
    default:
        return set_or_tell(arguments);
    }
}

int64_t sys_prlimit64(const uint64_t arguments[6])
{
    struct limit set, old;
    bool sets = arguments[2] != 0;
    unsigned which = (unsigned)arguments[1];
    int error = sets ? copy_from_user(&set, uaddr(arguments[2]), sizeof(set)) : 0;
    if (error == 0) {
        error = which < RLIMITS ? process_prlimit((int32_t)arguments[0], which, sets ? &set : NULL, &old) : -EINVAL;
    }
    if (error == 0 && arguments[3] != 0) {
        error = copy_to_user(uaddr(arguments[3]), &old, sizeof(old));
    }
    return error;
}

int64_t sys_getrlimit(const uint64_t arguments[6])
{
    const uint64_t words[6] = {0, arguments[0], 0, arguments[1], 0, 0};
    return arguments[1] != 0 ? sys_prlimit64(words) : -EFAULT;
}

int64_t sys_setrlimit(const uint64_t arguments[6])
{
    const uint64_t words[6] = {0, arguments[0], arguments[1], 0, 0, 0};
    return arguments[1] != 0 ? sys_prlimit64(words) : -EFAULT;
}

int64_t sys_sysinfo(const uint64_t arguments[6])
{
    struct {
        int64_t uptime;
        uint64_t loads[3], total, free, shared, buffers, swap_total, swap_free;
        uint16_t processes, padding;
        uint32_t padding_two;
        uint64_t high_total, high_free;
        uint32_t unit;
        uint8_t rest[4];
    } info = {0};
    static_assert(sizeof(info) == 112, "struct sysinfo");
    struct page_stats stats = page_pool_stats(&kernel_pages);
    info.uptime = (int64_t)(timer_now() / NS_PER_SECOND);
    info.total = stats.total * PAGE_SIZE;
    info.free = (stats.free + stats.cached) * PAGE_SIZE;
    info.processes = (uint16_t)thread_count();
    info.unit = 1;
    return copy_to_user(uaddr(arguments[0]), &info, sizeof(info));
}

int64_t sys_personality(const uint64_t arguments[6])
{
    struct process *process = process_current();
    uint32_t old = READ_ONCE(process->personality), wanted = (uint32_t)arguments[0];
    if (wanted != UINT32_MAX) {
        WRITE_ONCE(process->personality, wanted);
    }
    return old;
}

#define REBOOT_MAGIC 0xfee1deadu
#define REBOOT_RESTART 0x01234567u
#define REBOOT_HALT 0xcdef0123u
#define REBOOT_POWER_OFF 0x4321fedcu
#define REBOOT_CAD_ON 0x89abcdefu
#define REBOOT_CAD_OFF 0u

int64_t sys_reboot(const uint64_t arguments[6])
{
    static const uint32_t second[] = {672274793, 85072278, 369367448, 537993216}; // birthdays, by reboot(2)
    bool known = false;
    for (unsigned i = 0; i < ARRAY_SIZE(second); i++) {
        known |= (uint32_t)arguments[1] == second[i];
    }
    if (!capable(CAP_SYS_BOOT)) {
        return -EPERM;
    }
    if ((uint32_t)arguments[0] != REBOOT_MAGIC || !known) {
        return -EINVAL;
    }
    switch ((uint32_t)arguments[2]) {
    case REBOOT_RESTART:
        power_reset();
    case REBOOT_HALT: // there is nobody to look at a machine that stands still
    case REBOOT_POWER_OFF:
        power_off(0);
    case REBOOT_CAD_ON: // no keyboard
    case REBOOT_CAD_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}
