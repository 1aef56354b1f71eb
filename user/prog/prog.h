// Programs: system calls by several threads, as a file. One interpreter runs them on the simulated machine, on the
// booted kernel and on Linux, so that three traces of one file can be compared. Libc-free, allocation-free.
//
// The file (little-endian; any bytes decode to some program):
//      0  8  fault plan of the whole run (harness/harness.h); 0: none
//      8  1  bits 0 to 1: CPUs - 1; 2 to 3: enum prog_schedule; 4 to 7: its depth
//      9  1  bits 0 to 5: how t1, t2, t3 start (enum prog_start, two bits each); bit 6: not as root; bit 7: 0
//     10  2  bytes of calls that follow, all there are when more
//     12     calls; what is behind them are the machine's choices, used from the end of the file on
// A call: number, 2 bytes (system calls as Linux has them on arm64, or PROG_LOAD and its fellows); 1 byte: bits 0 to 1
// list, 2 to 4 argument count, 5: 1 byte follows, which of its places that can fail does (fail-nth); then arguments.
// An argument: 1 byte, bits 0 to 2 enum prog_kind, 3 to 7 "extra"; then as its kind says. Tables are only ever added
// to, so that a saved file keeps its meaning.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROG_HEADER 12u
#define PROG_LISTS 4u
#define PROG_CALLS_MAX 64u
#define PROG_ARGUMENTS 6u
#define PROG_VALUES_MAX 1024u // of all calls, nested ones too
#define PROG_FILE_MAX 4096u   // more is not looked at

enum prog_schedule { PROG_TURNS, PROG_CHOICES, PROG_PRIORITIES }; // round-robin unless told; each point chooses; PCT
enum prog_start { PROG_NOT_STARTED, PROG_THREAD, PROG_PROCESS };  // 3 is as 0

// What is not a system call. Results: what was read, or 0; a fault is a signal first.
#define PROG_LOAD 1000u  // (address, size): user space reads
#define PROG_STORE 1001u // (address, value, size)
#define PROG_ADD 1002u   // (address, value): atomic, 32 bits; the value before

enum prog_kind {
    PROG_SMALL,  // extra
    PROG_NUMBER, // extra bits 0 to 2: bytes - 1 that follow; extra bit 4: minus that
    PROG_RESULT, // 1 byte: the call (modulo their count); extra 0: its result, 1 to 7: that 32-bit word of what it gave
                 // out in its first output argument. -1 until then, and after a failure
    PROG_ARENA,  // 2 bytes p: PROG_ARENA_BASE + 4 * p + extra bits 0 to 1
    PROG_BYTES,  // 1 byte n, n bytes: the address of a copy of them; extra bit 0: sixteen times one after the other
    PROG_WORDS,  // 1 byte n (at most PROG_WORDS_MAX), n arguments: the address of them as words of 64 bits, extra bit
                 // 0: of 32. One in the other at most twice, else 0 and nothing follows n
    PROG_PATH,   // 1 byte: the address of prog_paths[that], or of ""
    PROG_SPECIAL, // 1 byte: prog_specials[that], or 0. Only in files: decoded it is the number
};
#define PROG_SMALL_MAX 31u // up to it a number is decoded as PROG_SMALL however it was written
#define PROG_WORDS_MAX 24u

struct prog_value {
    uint8_t kind, extra;
    uint8_t count;   // PROG_BYTES: n; PROG_WORDS: n, which are values[first] and what follows
    uint16_t first;  // PROG_BYTES: where in the file; PROG_WORDS: in values
    uint64_t number; // the other kinds: constant, call, offset, index
};

struct prog_call {
    uint16_t number;
    uint8_t list, argument_count;
    uint8_t fail_nth; // 0: none
    uint16_t first;   // its arguments, in values
};

struct program {
    uint8_t cpus; // 1 to 4
    uint8_t schedule, depth;
    uint8_t starts[PROG_LISTS]; // of t1 to t3; [0] is unused
    bool unprivileged;
    uint16_t call_count, value_count;
    struct prog_call calls[PROG_CALLS_MAX];
    struct prog_value values[PROG_VALUES_MAX];
    const uint8_t *file;
    size_t size;    // as far as it is looked at
    size_t choices; // where the machine's choices begin
};

// decode.c. One meaning, one program: what is left over in the file (flag bits without a meaning, long forms) is gone.
// Never fails: what there is no room for ends the program.
void prog_decode(const uint8_t *file, size_t size, struct program *out);
// encode.c. Bytes written, 0: more than room. Decoding them gives an equal program.
size_t prog_encode(const struct program *program, uint8_t *out, size_t room);

// calls.c: from kernel/syscall/syscalls.def and user/prog/values.def.
extern const char *const prog_paths[];
extern const unsigned prog_path_count;
// Of a kernel under this name only, /proc/self/fail-nth for one: not for programs that are compared with Linux.
#define PROG_PATH_IS_OURS(index) ((index) == 101 || (index) == 102)
extern const uint64_t prog_specials[];
extern const unsigned prog_special_count;

#define PROG_USER 1000u // who an unprivileged program is, and its group

// A process beside the program, on a machine that has one (harness/neighbour.h); on others nobody has that number.
#define PROG_NEIGHBOUR 4000001

// Where a program's memory lies, the same on every kernel; near together, so that few page tables do.
#define PROG_ARENA_BASE 0x10000000ull // what its calls work on: read and write, private, zeroes at first
#define PROG_ARENA_SIZE 0x40000ull
#define PROG_SCRATCH_BASE 0x10080000ull // per slot of a task: what PROG_BYTES, PROG_WORDS and PROG_PATH stand for
#define PROG_SCRATCH_SIZE 0x8000ull
#define PROG_STACK_BASE 0x10400000ull // per slot; the first task has another one
#define PROG_STACK_SIZE 0x10000ull
#define PROG_STATE_BASE 0x10060000ull // struct prog_state; private, so that fork copies it
#define PROG_STATE_SIZE 0x2000ull
// What else a machine has of its own (image, stack) lies above 4 GiB, where a program's plain numbers do not hit it by
// chance. And it may destroy what it reaches from its root directory: each needs its own.

struct prog_state {                    // in user memory
    uint64_t results[PROG_CALLS_MAX];  // of this process
    uint32_t words[PROG_CALLS_MAX][7]; // what PROG_RESULT with an extra means
    uint32_t running;                  // lists of this process besides its first that have not ended, a futex
    uint32_t signals;                  // handlers that were entered
};

// One flow of user space that runs a list. The machine sets program and dump of the first one; the rest is the
// interpreter's.
struct prog_task {
    const struct program *program;
    uint8_t list, level; // level: how many clones it is away from the first
    uint8_t clones;      // that it has made, those that failed too; how many it may make: run.c
    uint8_t slot;        // below PROG_TASKS_MAX; no other task of the program has it
    uint32_t id;         // the first is 1, its clones 11, 12, ..., theirs 111, ...: the same on each run
    uint32_t call;       // index of the running one, or PROG_CALLS_MAX
    int32_t pid;         // of its process
    bool is_process;     // ends with exit_group, not with exit
    bool owns_memory;    // shared with threads of its process only, which wait for each other at the end
    bool dump;           // the first only: tells the contents of its files at the end
};
#define PROG_LEVELS_MAX 3u // of clones of clones
#define PROG_TASKS_MAX 64u

enum prog_event_kind {
    PROG_BEGAN,  // call
    PROG_ENDED,  // call, result, bytes: what it gave out, first argument first, from scratch memory only; at most
                 // PROG_EVENT_BYTES
    PROG_SIGNAL, // result: its number; a handler ran
    PROG_FILE,   // a line of the dump; bytes: text
    PROG_DONE,   // the list has ended
};
#define PROG_EVENT_BYTES 512u
struct prog_event {
    uint32_t task; // its id; 0: not known
    uint8_t kind, list;
    uint16_t call;
    int64_t result;
    uint32_t size;
    const void *bytes;
};

// run.c: the interpreter. The first task of a program, in a process of its own whose memory is mapped already
// (prog_setup()). Does not return: ends with exit_group(2).
_Noreturn void prog_run(struct prog_task *first);
// What prog_machine_clone() lets the child call. Does not return.
_Noreturn void prog_child(struct prog_task *task);
// A handler has been entered in task (NULL: not known which).
void prog_handler(struct prog_task *task, int signal);
// Before the program is known: directory /w with its first files, memory, limits, no descriptors but 0 to 2 on
// /dev/null. 0, or the negative error of the call that failed.
int prog_setup(void);
// prog_setup()'s second half, which depends on the program: the user. Likewise.
int prog_setup_for(const struct program *program);

// What a machine gives the interpreter: harness/world.c, user/prog/booted.c, user/prog/linux.c.
// The system call as it is; number: arm64's. -ENOSYS where that machine has none.
int64_t prog_machine_call(uint64_t number, const uint64_t arguments[PROG_ARGUMENTS]);
// clone(2) with these flags; the child is on the stack that ends at stack_top and calls prog_child(a copy of *child).
// The kernel gets parent_tid, tls and child_tid as they are. PROG_CLONE3 in flags: by clone3(2), whose structure lies
// on the new stack; bits 0 to 7 are the signal there too.
#define PROG_CLONE3 (1ull << 63)
int64_t prog_machine_clone(uint64_t flags, uint64_t stack_top, uint64_t parent_tid, uint64_t tls, uint64_t child_tid,
                           const struct prog_task *child);
// User space reads and writes; size up to 8 in load and store. A fault becomes a signal; when its handler returns, the
// access is left out (0 was read).
uint64_t prog_machine_load(uint64_t address, unsigned size);
void prog_machine_store(uint64_t address, uint64_t value, unsigned size);
uint32_t prog_machine_add(uint64_t address, uint32_t value);
void prog_machine_write(uint64_t address, const void *from, size_t size); // to scratch and state memory only
void prog_machine_read(void *to, uint64_t address, size_t size);          // likewise
// Words for rt_sigaction(2): enters prog_handler(), and how it returns.
uint64_t prog_machine_handler(void);
uint64_t prog_machine_restorer(void);
// The next call of this thread: its nth place that can fail does. 0: none any more. False: not on this machine.
bool prog_machine_fail_nth(unsigned nth);
void prog_machine_trace(const struct prog_event *event);
