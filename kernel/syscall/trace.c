#include "kernel/syscall/trace.h"

#include "kernel/base/format.h"
#include "kernel/debug/log.h"
#include "kernel/proc/task.h"

bool syscall_tracing;

void syscall_trace(const struct syscall_description *description, uint64_t number, const uint64_t arguments[6],
                   int64_t result)
{
    char text[192];
    size_t at = description != NULL ? format(text, sizeof(text), "%d: %s(", task_current()->tid, description->name)
                                    : format(text, sizeof(text), "%d: call %lu(", task_current()->tid, number);
    for (unsigned i = 0; i < 6 && (description == NULL || description->arguments[i].kind != ARG_END); i++) {
        at += format(text + at, sizeof(text) - at, i > 0 ? ", 0x%lx" : "0x%lx", arguments[i]);
    }
    log_warning("%s) = %ld", text, result);
}
