// What the parts of the interpreter share.
#pragma once

#include "user/prog/calls.h"

#define ERROR(number) (-(int64_t)(number))
#define EAGAIN_ 11
#define EFAULT_ 14
#define EINTR_ 4
#define EEXIST_ 17
#define EINVAL_ 22
#define ENOSYS_ 38
#define ERRORS_MAX 4095

#define CLONE_VM 0x100u
#define CLONE_THREAD 0x10000u
#define SIGCHLD_ 17u

static inline bool failed(int64_t result)
{
    return result < 0 && result >= -ERRORS_MAX;
}

static inline uint64_t scratch_of(const struct prog_task *task)
{
    return PROG_SCRATCH_BASE + task->slot * PROG_SCRATCH_SIZE;
}

static inline bool in_scratch(const struct prog_task *task, uint64_t address, uint64_t size)
{
    uint64_t offset = address - scratch_of(task);
    return offset < PROG_SCRATCH_SIZE && size <= PROG_SCRATCH_SIZE - offset;
}

static inline int64_t call3(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t arguments[PROG_ARGUMENTS] = {a, b, c};
    return prog_machine_call(number, arguments);
}

// evaluate.c: arguments as words; what they point to lies in the task's scratch memory afterwards.
void prog_evaluate(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[PROG_ARGUMENTS]);

// tame.c: keeps the interpreter, its fellows and its machine alive; what the kernel refuses stays as it is. False: not
// a call to make, *result is its result.
bool prog_tame(const struct prog_task *task, const struct prog_call *call, uint64_t arguments[PROG_ARGUMENTS],
               int64_t *result);
// clone and clone3: what is asked for. False: a call that fails.
struct prog_clone {
    uint64_t flags, parent_tid, tls, child_tid;
    uint8_t list;
};
bool prog_tame_clone(const struct prog_task *task, uint64_t number, uint64_t arguments[PROG_ARGUMENTS],
                     struct prog_clone *out);

// setup.c
void prog_dump(const struct prog_task *task);
