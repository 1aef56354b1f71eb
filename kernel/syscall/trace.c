#include "kernel/syscall/trace.h"

#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/log.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/task.h"

#define LINE_MAX 256u
#define PATH_SHOWN 48u
#define AT_FDCWD (-100)

bool syscall_tracing;
static bool all;

void syscall_trace_all(bool on)
{
    WRITE_ONCE(all, on);
    WRITE_ONCE(syscall_tracing, on);
}

void syscall_trace_process(struct process *process, bool on)
{
    WRITE_ONCE(process->traced, on);
    if (on) { // it stays when the last one is let go: looking costs little
        WRITE_ONCE(syscall_tracing, true);
    }
}

struct line {
    char text[LINE_MAX];
    size_t at;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    size_t size = vformat(line->text + line->at, sizeof(line->text) - line->at, what, args);
    va_end(args);
    line->at = min_u64(line->at + size, sizeof(line->text) - 1);
}

static void add_path(struct line *line, uint64_t address)
{
    char path[PATH_SHOWN];
    size_t length;
    int error = copy_string_from_user(path, uaddr(address), sizeof(path), &length);
    path[sizeof(path) - 1] = 0;
    if (error != 0 && error != -ENAMETOOLONG) {
        add(line, "0x%lx", address);
        return;
    }
    for (char *at = path; *at != 0; at++) {
        *at = *at < ' ' || *at == 127 || *at == '"' ? '?' : *at; // a line of the log is one line
    }
    add(line, error != 0 ? "\"%s\"..." : "\"%s\"", path);
}

static void add_argument(struct line *line, const struct syscall_argument *argument, const uint64_t arguments[6],
                         unsigned which)
{
    uint64_t value = arguments[which];
    switch (argument->kind) {
    case ARG_FD:
    case ARG_INT:
    case ARG_PID:
    case ARG_SIGNAL:
    case ARG_ENUM:
        add(line, argument->kind == ARG_FD && (int32_t)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int32_t)value);
        break;
    case ARG_SIZE:
        add(line, "%lu", value);
        break;
    case ARG_PATH:
        add_path(line, value);
        break;
    case ARG_BUF_IN:
    case ARG_BUF_OUT:
        add(line, "<%lu bytes>", arguments[argument->param]);
        break;
    default:
        add(line, value < 10 ? "%lu" : "0x%lx", value);
        break;
    }
}

void syscall_trace(const struct syscall_description *description, uint64_t number, const uint64_t arguments[6],
                   int64_t result)
{
    const struct task *task = task_current();
    struct line line = {.at = 0};
    if (!READ_ONCE(all) && (task == NULL || !READ_ONCE(task->process->traced))) {
        return;
    }
    add(&line, "t%d: ", task != NULL ? task->tid : 0);
    if (description == NULL) {
        add(&line, "syscall(%lu", number);
    } else {
        add(&line, "%s(", description->name);
    }
    for (unsigned i = 0; description != NULL && i < 6 && description->arguments[i].kind != ARG_END; i++) {
        add(&line, i > 0 ? ", " : "%s", "");
        add_argument(&line, &description->arguments[i], arguments, i);
    }
    log_warning("%s)  # %ld", line.text, result);
}
