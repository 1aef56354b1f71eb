// The machine's side of the interpreter where user memory is the process's own.
#include "user/prog/flat.h"

#define SIGBUS 7
#define SIGSEGV 11

static struct prog_task *first_task;

void flat_first(struct prog_task *task)
{
    first_task = task;
}

// As clone3(2) has it; on the new stack, below the task.
struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

int64_t prog_machine_clone(uint64_t flags, uint64_t stack_top, uint64_t parent_tid, uint64_t tls, uint64_t child_tid,
                           const struct prog_task *child)
{
    struct prog_task *place = (struct prog_task *)(stack_top - FLAT_TASK_ROOM);
    *place = *child;
    uint64_t signal = flags & 0xff;
    flags &= FLAT_CLONE_FLAGS;
    if ((flags & PROG_CLONE3) == 0) {
        return flat_clone(flags, (uint64_t)place, parent_tid, tls, child_tid);
    }
    struct clone_arguments *arguments = (struct clone_arguments *)place - 1;
    *arguments = (struct clone_arguments){.flags = flags & ~(PROG_CLONE3 | 0xff),
                                          .child_tid = child_tid,
                                          .parent_tid = parent_tid,
                                          .exit_signal = signal,
                                          .stack = stack_top - PROG_STACK_SIZE,
                                          .stack_size = (uint64_t)place - (stack_top - PROG_STACK_SIZE),
                                          .tls = tls};
    return flat_clone3(arguments, sizeof(*arguments));
}

uint64_t prog_machine_load(uint64_t address, unsigned size)
{
    return flat_load(address, size);
}

void prog_machine_store(uint64_t address, uint64_t value, unsigned size)
{
    flat_store(address, value, size);
}

uint32_t prog_machine_add(uint64_t address, uint32_t value)
{
    return flat_add(address, value);
}

void prog_machine_write(uint64_t address, const void *from, size_t size)
{
    __builtin_memcpy((void *)address, from, size);
}

void prog_machine_read(void *to, uint64_t address, size_t size)
{
    __builtin_memcpy(to, (const void *)address, size);
}

uint64_t prog_machine_handler(void)
{
    return (uint64_t)flat_handler;
}

uint64_t prog_machine_restorer(void)
{
    return (uint64_t)flat_restorer;
}

// By the interrupted stack: each list has one, with its task at the top.
static struct prog_task *task_of(uint64_t sp)
{
    if (sp < PROG_STACK_BASE || sp >= PROG_STACK_BASE + PROG_TASKS_MAX * PROG_STACK_SIZE) {
        return first_task;
    }
    uint64_t top = PROG_STACK_BASE + ((sp - PROG_STACK_BASE) / PROG_STACK_SIZE + 1) * PROG_STACK_SIZE;
    return (struct prog_task *)(top - FLAT_TASK_ROOM);
}

void flat_entered(int signal, void *frame)
{
    struct flat_registers registers = flat_registers(frame);
    uint64_t pc = *registers.pc;
    if ((signal == SIGSEGV || signal == SIGBUS) && pc >= (uint64_t)flat_access_start &&
        pc < (uint64_t)flat_access_end) {
        *registers.pc = (uint64_t)flat_access_out;
        *registers.result = 0;
    }
    prog_handler(task_of(*registers.sp), signal);
}
