// fail-nth: the nth place that can fail, of those that a task comes to from now on, does. Source: Linux's
// Documentation/fault-injection/fault-injection.rst. The engine has one plan: the last one who asks has it.
#include <fault/fault.h>

#include "kernel/procfs/procfs_internal.h"

static int thread_of(const struct file *file, uint64_t *out)
{
    const struct proc_node *node = container_of(file->node, struct proc_node, vnode);
    struct process_description who;
    int error = proc_may_look(node);
    if (error == 0 && !process_describe(node->pid, node->tid, &who)) {
        error = -ESRCH;
    }
    if (error == 0) {
        *out = who.thread;
        error = who.thread == 0 || !proc_lives(node) ? -ESRCH : 0;
        process_description_put(&who);
    }
    return error;
}

// 0: it has fired, or was never asked for.
static uint64_t left_for(uint64_t thread, struct fault_status *status)
{
    *status = fault_status();
    bool ours = status->armed && status->plan.task == thread && status->fired == 0;
    uint64_t nth = status->plan.nth > 0 ? status->plan.nth : 1;
    return ours && nth > status->arrivals ? nth - status->arrivals : 0;
}

static int64_t fail_read(struct file *file, struct io *io, uint64_t offset)
{
    struct fault_status status;
    char text[24];
    uint64_t thread;
    int error = thread_of(file, &thread);
    if (error != 0) {
        return error;
    }
    uint64_t left = left_for(thread, &status);
    size_t size = format(text, sizeof(text), "%lu\n", left);
    uint64_t part = offset < size ? min_u64(io->left, size - offset) : 0;
    if (left > 0) {
        fault_disarm(); // the question is not to be among what is counted
    }
    error = part > 0 ? io_give(io, text + offset, part) : 0;
    if (left > 0) {
        status.plan.nth = left;
        fault_arm(&status.plan);
    }
    return error != 0 ? error : (int64_t)part;
}

static int64_t fail_write(struct file *file, struct io *io, uint64_t offset)
{
    struct fault_status status;
    char text[24];
    uint64_t thread, nth, size = io->left;
    if (!capable(CAP_SYS_RESOURCE)) {
        return -EPERM;
    }
    int error = thread_of(file, &thread);
    error = error != 0 ? error : size >= sizeof(text) ? -EINVAL : io_take(io, text, size);
    if (error != 0) {
        return error;
    }
    text[size] = 0;
    if (size > 0 && text[size - 1] == '\n') {
        text[size - 1] = 0;
    }
    error = parse_u64(text, &nth);
    if (error != 0 || nth > INT32_MAX) {
        return -EINVAL;
    }
    if (nth > 0) {
        fault_arm(&(struct fault_plan){.nth = nth, .times = 1, .task = thread});
    } else if (left_for(thread, &status) > 0) {
        fault_disarm();
    }
    return (int64_t)size;
}

const struct file_ops proc_fail_nth_ops = {.read = fail_read, .write = fail_write};
