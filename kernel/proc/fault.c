// What a program's faults come to.
#include <hal/upcall.h>

#include "kernel/debug/log.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/process.h"

// What a touch that the space refused means to the program.
static void describe(int error, struct signal_info *info)
{
    switch (error) {
    case -ENOMEM:
        info->signal = SIGKILL; // nothing that it could do would help
        info->code = 0x80;      // SI_KERNEL
        break;
    case -ENXIO:
    case -EIO:
        info->signal = SIGBUS;
        info->code = 2; // BUS_ADRERR
        break;
    default:
        info->signal = SIGSEGV;
        info->code = error == -EACCES ? 2 : 1; // SEGV_ACCERR, SEGV_MAPERR
    }
}

static int touch(struct process *process, uint64_t address, enum space_access access)
{
    int error;
    struct oom_relief relief = {0};
    do {
        error = space_touch(process->space, address, access);
    } while (error == -ENOMEM && oom_relieve(&relief));
    return error;
}

// What ends a program, not what it handles; and not more of it than somebody would read.
static void note(const struct signal_info *info, const char *kind, uint64_t address, uint64_t pc)
{
    static struct log_limit limit;
    uint32_t missed;
    if (signal_is_handled(info->signal) || !log_may_say(&limit, &missed)) {
        return;
    }
    if (missed > 0) {
        log_info("%u more faults of programs", missed);
    }
    log_info("pid %d (%s): signal %d: %s fault at 0x%lx, pc 0x%lx", process_current()->pid, thread_current()->name,
             info->signal, kind, address, pc);
}

void kernel_user_fault(struct user_regs *regs, enum user_fault_kind kind, uint64_t address)
{
    static const struct {
        const char *name;
        int signal, code; // signal 0: the space says
        enum space_access access;
    } kinds[] = {
        [USER_FAULT_READ] = {"read", 0, 0, SPACE_READ},
        [USER_FAULT_WRITE] = {"write", 0, 0, SPACE_WRITE},
        [USER_FAULT_EXECUTE] = {"execute", 0, 0, SPACE_EXEC},
        [USER_FAULT_UNDEFINED] = {"undefined instruction", SIGILL, 1, 0}, // ILL_ILLOPC
        [USER_FAULT_ALIGNMENT] = {"alignment", SIGBUS, 1, 0},             // BUS_ADRALN
        [USER_FAULT_BREAKPOINT] = {"breakpoint", SIGTRAP, 1, 0},          // TRAP_BRKPT
        [USER_FAULT_OTHER] = {"other", SIGSEGV, 0x80, 0},
    };
    struct process *process = process_current();
    struct signal_info info = {.signal = kinds[kind].signal, .code = kinds[kind].code, .value = {address}};
    if (info.signal == 0) {
        int error = touch(process, address, kinds[kind].access);
        if (error == 0) {
            return;
        }
        describe(error, &info);
    }
    note(&info, kinds[kind].name, address, user_regs_pc(regs));
    signal_force(&info);
}

bool kernel_copy_fault(uint64_t address, bool write)
{
    struct process *process = process_current();
    return process != NULL && touch(process, address, write ? SPACE_WRITE : SPACE_READ) == 0;
}
