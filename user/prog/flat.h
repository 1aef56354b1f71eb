// What the booted kernel and Linux have in common as machines for the interpreter: one process whose memory is just
// there.
#pragma once

#include "user/prog/prog.h"

// Numbers, by the one description.
enum {
#define SYSCALL(number, name, ...) FLAT_##name = (number),
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
};

static inline uint64_t flat_word(const volatile void *pointer)
{
    return (uint64_t)pointer;
}

static inline int64_t flat_call(uint64_t number, int64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
    const uint64_t arguments[PROG_ARGUMENTS] = {(uint64_t)a, b, c, d, e};
    return prog_machine_call(number, arguments);
}

#define FLAT_TASK_ROOM 64u // a task, at the top of its stack
_Static_assert(sizeof(struct prog_task) <= FLAT_TASK_ROOM);

// Who runs where the stack is none of the interpreter's.
void flat_first(struct prog_task *task);

// Each machine's: in a program's first process, a root directory for it: bin, dev, proc and tmp. 0, or the negative
// error of the call that failed.
int flat_prepare(void);
// After a program, when all its processes are gone: files, mounts and names as before. False: not
// so.
bool flat_put_back(void);

// The assembly of each: accesses, each in a function of its own that does nothing else, between flat_access_start and
// flat_access_end; flat_access_out returns 0 from any of them.
extern const char flat_access_start[], flat_access_end[], flat_access_out[];
uint64_t flat_load(uint64_t address, unsigned size);
void flat_store(uint64_t address, uint64_t value, unsigned size);
uint32_t flat_add(uint64_t address, uint32_t value);
extern const char flat_handler[], flat_restorer[];
// clone(2); the child goes on in prog_child(task), task lying at stack.
int64_t flat_clone(uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t tls, uint64_t child_tid);
int64_t flat_clone3(const void *arguments, uint64_t size); // likewise
#ifdef __x86_64__
#define FLAT_CLONE_FLAGS ~0x80000ull // CLONE_SETTLS: any word will do on arm64, not here
#else
#define FLAT_CLONE_FLAGS ~0ull
#endif
// /bin/prog for a program's own execve(2): ends with status 42. As large as the simulated machine's.
extern const char flat_image[];
#define FLAT_IMAGE_SIZE 4096u
// Called by flat_handler: frame is what the kernel wrote.
void flat_entered(int signal, void *frame);
// Where a frame keeps its program counter, stack pointer and the register of a result.
struct flat_registers {
    uint64_t *pc, *sp, *result;
};
struct flat_registers flat_registers(void *frame);
