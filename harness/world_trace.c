// What a program does, for people: its calls as they end, with their results.
#include "harness/world.h"

#include "user/prog/text.h"

#include <stdio.h>

#define LINE_MAX_ 2048u

static struct {
    uint32_t task;
    uint16_t call;
    uint8_t list;
} running[PROG_TASKS_MAX + 1]; // task 0: free

static void line(uint32_t task, unsigned list, unsigned call, const char *end)
{
    char text[LINE_MAX_] = "ends", who[32];
    if (call < world.program.call_count) {
        prog_print_call(&world.program, call, text, sizeof(text));
    }
    snprintf(who, sizeof(who), task == 1 ? "t%u" : "t%u (%u)", list, task);
    OP("%s: %s%s", who, text, end);
}

static void begin(const struct prog_event *event)
{
    for (unsigned i = 0; i < ARRAY_SIZE(running); i++) {
        if (running[i].task == event->task || running[i].task == 0) {
            running[i].task = event->task;
            running[i].call = event->call;
            running[i].list = event->list;
            return;
        }
    }
}

static void end(const struct prog_event *event)
{
    for (unsigned i = 0; i < ARRAY_SIZE(running); i++) {
        if (running[i].task == event->task) {
            running[i].call = PROG_CALLS_MAX;
        }
    }
}

void world_trace(const struct prog_event *event)
{
    char result[64];
    switch (event->kind) {
    case PROG_BEGAN:
        begin(event);
        break;
    case PROG_ENDED: {
        const char *error = prog_error_name(event->result);
        snprintf(result, sizeof(result), error != NULL ? "   # %lld %s" : "   # %lld", (long long)event->result, error);
        end(event);
        line(event->task, event->list, event->call, result);
        break;
    }
    case PROG_SIGNAL:
        snprintf(result, sizeof(result), "%lld", (long long)event->result);
        OP("t%u (%u): handler of signal %s", event->list, event->task, result);
        break;
    case PROG_DONE:
        line(event->task, event->list, PROG_CALLS_MAX, "");
        break;
    default:
        break;
    }
}

void world_trace_end(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(running); i++) {
        if (running[i].task != 0 && running[i].call < PROG_CALLS_MAX) {
            line(running[i].task, running[i].list, running[i].call, "   # did not return");
        }
        running[i].task = 0;
    }
}
