// What a runner on the host and the supervisor that runs programs for it share: memory, in slots that both go round in
// the same order. harness/faultline/worlds/window.py reads and writes it too.
#pragma once

#include "user/prog/prog.h"

#define WINDOW_MARK 0x776f646e69774c46ull // "FLwindow"; the first word of a page until the slot is used
#define WINDOW_SLOTS 32u
#define WINDOW_SLOT_SIZE 0x10000u
#define WINDOW_SIZE (WINDOW_SLOTS * WINDOW_SLOT_SIZE)

enum window_state {
    WINDOW_FREE,
    WINDOW_READY,   // the runner's last word: here is a program
    WINDOW_RUNNING, //
    WINDOW_DONE,    // the supervisor's: here is what it did
};
enum window_flag {
    WINDOW_CUT = 1,      // events are missing, there was no room
    WINDOW_KILLED = 2,   // its first process did not end by itself
    WINDOW_LATE = 4,     // and had not come to where it was expected to
    WINDOW_DIRTY = 8,    // the supervisor could not put things back
    WINDOW_DUMP = 16,    // the runner's: the program's files are told at the end
    WINDOW_STARVED = 32, // the simulated machine's: a process was killed for want of memory
};

struct window_slot {
    uint64_t mark[3];      // WINDOW_MARK, the runner's word, index of the page
    uint32_t state;        // enum window_state
    uint32_t size;         // of the program
    uint32_t milliseconds; // after that it is killed
    uint32_t expected;     // so many events, then nothing more is to come; 0: it ends by itself
    uint32_t used, flags;  // bytes of events; enum window_flag
    int32_t status;        // as wait4(2) gives it; of a supervisor's own failure: the negative error
    uint32_t count;        // events
    uint64_t nanoseconds;  // that it took
    uint8_t program[PROG_FILE_MAX];
    uint8_t events[WINDOW_SLOT_SIZE - PROG_FILE_MAX - 64];
};
_Static_assert(sizeof(struct window_slot) == WINDOW_SLOT_SIZE);

// An event as it lies there, then its bytes, padded to eight. length is written last.
struct window_event {
    uint32_t length, task;
    uint8_t kind, list;
    uint16_t call;
    uint32_t size; // of its bytes
    int64_t result;
};

// Runs what the runner puts into the slots, one after the other, for ever. As root, with children of its own only. Ends
// when the window is not to be had.
_Noreturn void window_serve(struct window_slot *slots);
