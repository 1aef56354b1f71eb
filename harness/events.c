// A driver for comparisons: runs the programs that come on standard input in this process, and writes what each did.
// In: size, then the program. Out: bytes that follow; enum window_flag; events (user/prog/window.h). Numbers of 32
// bits. With the argument "other" on another machine (harness/world.h).
#include "harness/harness.h"
#include "harness/world.h"

#include "kernel/proc/oom.h"
#include "user/prog/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM KIB(1024)

static uint8_t events[ROOM];
static uint32_t used;
static bool cut;

static void keep(const struct prog_event *event)
{
    uint32_t length = (uint32_t)sizeof(struct window_event) + ((event->size + 7) & ~7u);
    if (length > ROOM - used) {
        cut = true;
        return;
    }
    struct window_event head = {.length = length,
                                .task = event->task,
                                .kind = event->kind,
                                .list = event->list,
                                .call = event->call,
                                .size = event->size,
                                .result = event->result};
    memcpy(events + used, &head, sizeof(head));
    if (event->size > 0) {
        memcpy(events + used + sizeof(head), event->bytes, event->size);
    }
    used += length;
}

static bool take(void *to, size_t size)
{
    return size == 0 || fread(to, size, 1, stdin) == 1;
}

static void give(const void *from, size_t size)
{
    if (size > 0 && fwrite(from, size, 1, stdout) != 1) {
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static uint8_t program[PROG_FILE_MAX];
    uint32_t size;
    harness_lazy = true;
    world.dumps = true;
    world_is_other = argc > 1 && strcmp(argv[1], "other") == 0;
    harness_setup();
    world_on_event = keep;
    while (take(&size, sizeof(size))) {
        if (size > sizeof(program) || !take(program, size)) {
            return 2;
        }
        used = 0;
        cut = false;
        harness_run(program, size, NULL);
        uint32_t flags = (cut ? WINDOW_CUT : 0) | (world.late ? WINDOW_LATE : 0) |
                         (world.stage == WORLD_KILLED ? WINDOW_KILLED : 0) | (oom_kills() > 0 ? WINDOW_STARVED : 0);
        uint32_t head[2] = {used, flags};
        give(head, sizeof(head));
        give(events, used);
        fflush(stdout);
    }
    return 0;
}
