// The whole kernel in this process: booted once, and from then on each input is a program (user/prog/prog.h) that runs
// from where the first one would begin.
#pragma once

#include "harness/fuzz.h"
#include "kernel/debug/sweep.h"
#include "user/prog/prog.h"

#define WORLD_RAM MIB(6)
#define WORLD_RAM_OTHER MIB(128)
#define WORLD_CPUS 4u

void world_setup(void);              // a target's setup()
void world_run(struct input *input); // its run()
extern bool world_is_other; // before its setup(): another machine in memory, places, numbers of processes, time
extern void (*world_on_event)(const struct prog_event *event); // of the program, as it happens; NULL: nobody listens

// world_trace.c: world_on_event while tracing; and what has not returned when the run is over.
void world_trace(const struct prog_event *event);
void world_trace_end(void);

// world_tree.c: what firmware and boot loader leave in RAM.
struct boot_info;
void world_firmware(struct boot_info *out);
// Where the image of a program lies, and begins.
#define WORLD_IMAGE 0xffffe0000000ull // out of the way of programs
#define WORLD_ENTRY (WORLD_IMAGE + 0x100)

// world_user.c: the state of a run, which a reset restores, and user space.
enum world_image { IMAGE_ENDS, IMAGE_PROGRAM, IMAGE_NEIGHBOUR }; // what the next image that begins is
enum world_stage { WORLD_BOOTS, WORLD_RUNS, WORLD_STIRRED, WORLD_KILLED };
struct world {
    enum world_stage stage;
    enum world_image starts;
    bool measured; // what a program leaves behind when it did nothing:
    struct footprint before;
    bool guarded; // the program has no rights, and is not to get any
    bool late;    // the program was killed though it could have gone on
    bool dumps;   // the program tells at its end what is in its files
    struct program program;
    uint64_t hash; // of all events
};
extern struct world world;
void world_user(struct user_regs *regs);                // machine_set_user_program()
uint64_t world_text(unsigned place, const char *bytes); // on the stack of user space, three places
void world_make_root(void);                             // of programs: a filesystem of its own
void world_begin(void);                                 // in the flow of the first process
enum { WORLD_READY = 1, WORLD_DONE };                   // why the world was left
