// What is in a process's memory.
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/space.h"
#include "kernel/procfs/procfs_internal.h"

#define NAME_COLUMN 73u // where the names of maps begin

// Another process's space, with a reference; NULL: it has ended.
static struct space *space_of(const struct proc_node *node)
{
    struct process *process = proc_process(node);
    struct space *space = process != NULL ? process_space_get(process) : NULL;
    process_put(process);
    return space;
}

static struct vnode *node_of(struct backing *backing)
{
    return backing != NULL && backing->ops->node != NULL ? backing->ops->node(backing) : NULL;
}

static void add_area(struct text *out, const struct area *area)
{
    struct vnode *file = node_of(area->backing);
    unsigned flags = area->flags;
    text_add(out, "%08lx-%08lx %c%c%c%c %08lx 00:%02lx %lu ", area->start, area->end,
             (flags & AREA_READ) != 0 ? 'r' : '-', (flags & AREA_WRITE) != 0 ? 'w' : '-',
             (flags & AREA_EXEC) != 0 ? 'x' : '-', (flags & AREA_SHARED) != 0 ? 's' : 'p',
             file != NULL ? area->offset : 0, file != NULL ? file->mount->device : 0, file != NULL ? file->ino : 0);
    const char *name = (flags & AREA_STACK) != 0  ? "[stack]"
                       : (flags & AREA_HEAP) != 0 ? "[heap]"
                       : (flags & AREA_VDSO) != 0 ? "[vdso]"
                       : (flags & AREA_VVAR) != 0 ? "[vvar]"
                                                  : NULL;
    if (name != NULL || file != NULL) {
        text_pad(out, NAME_COLUMN);
    }
    if (name != NULL) {
        text_add(out, "%s", name);
    } else if (file != NULL) {
        proc_add_path(out, file);
    }
    text_add(out, "\n");
}

// One after the other, so that no path is looked for with the space's lock.
int proc_show_maps(const struct proc_node *node, struct text *out)
{
    int error = proc_may_look(node);
    struct space *space = error == 0 ? space_of(node) : NULL;
    for (uint64_t from = 0; space != NULL && out->error == 0;) {
        mutex_lock(&space->lock);
        const struct area *found = areas_find(&space->areas, from);
        struct area area;
        if (found != NULL) {
            area = *found;
            backing_get(area.backing);
        }
        mutex_unlock(&space->lock);
        if (found == NULL) {
            break;
        }
        add_area(out, &area);
        backing_put(area.backing);
        from = area.end;
    }
    process_space_put(space);
    return error == -ENOENT ? -ESRCH : error;
}

struct memory {
    uint64_t total, resident, data, stack, code;
};

static bool measure(const struct proc_node *node, struct memory *out)
{
    struct space *space = space_of(node);
    *out = (struct memory){0};
    if (space == NULL) {
        return false;
    }
    mutex_lock(&space->lock);
    out->total = space->areas.bytes;
    out->resident = space->resident * PAGE_SIZE;
    for (struct area *area = areas_first(&space->areas); area != NULL; area = areas_next(area)) {
        uint64_t size = area->end - area->start;
        bool private = (area->flags & (AREA_WRITE | AREA_SHARED)) == AREA_WRITE;
        out->stack += (area->flags & AREA_STACK) != 0 ? size : 0;
        out->data += private && (area->flags & AREA_STACK) == 0 ? size : 0;
        out->code += (area->flags & AREA_EXEC) != 0 && area->backing != NULL ? size : 0;
    }
    mutex_unlock(&space->lock);
    process_space_put(space);
    return true;
}

int proc_show_memory_status(const struct proc_node *node, struct text *out)
{
    struct memory memory;
    if (!measure(node, &memory)) {
        return 0; // it has ended meanwhile
    }
    const struct {
        const char *name;
        uint64_t bytes;
    } lines[] = {
        {"VmPeak", memory.total},
        {"VmSize", memory.total},
        {"VmLck", 0},
        {"VmPin", 0},
        {"VmHWM", memory.resident},
        {"VmRSS", memory.resident},
        {"RssAnon", memory.resident},
        {"RssFile", 0},
        {"RssShmem", 0},
        {"VmData", memory.data},
        {"VmStk", memory.stack},
        {"VmExe", memory.code},
        {"VmLib", 0},
        {"VmPTE", 0},
        {"VmSwap", 0},
        {"HugetlbPages", 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
        text_add(out, "%s:\t%8lu kB\n", lines[i].name, lines[i].bytes >> 10);
    }
    text_add(out, "CoreDumping:\t0\nTHP_enabled:\t0\n");
    return 0;
}

int proc_show_statm(const struct proc_node *node, struct text *out)
{
    struct memory memory;
    (void)measure(node, &memory);
    text_add(out, "%lu %lu %lu %lu 0 %lu 0\n", memory.total / PAGE_SIZE, memory.resident / PAGE_SIZE, 0ul,
             memory.code / PAGE_SIZE, (memory.data + memory.stack) / PAGE_SIZE);
    return 0;
}

static int show_strings(const struct proc_node *node, bool environment, struct text *out)
{
    struct space *space = space_of(node);
    char chunk[256];
    if (space == NULL) {
        return 0; // a zombie
    }
    uint64_t at = environment ? space->environment : space->arguments;
    uint64_t end = environment ? space->environment_end : space->environment;
    while (at < end && out->error == 0) {
        uint64_t part = min_u64(sizeof(chunk), end - at);
        if (space_read(space, at, chunk, part) != 0) {
            break; // the program has taken its stack away
        }
        text_add_bytes(out, chunk, part);
        at += part;
    }
    process_space_put(space);
    return 0;
}

int proc_show_arguments(const struct proc_node *node, struct text *out)
{
    return show_strings(node, false, out);
}

int proc_show_environment(const struct proc_node *node, struct text *out)
{
    int error = proc_may_look(node);
    return error != 0 ? error : show_strings(node, true, out);
}

int proc_jump_to_program(const struct proc_node *node, struct vnode **out)
{
    int error = proc_may_look(node);
    struct space *space = error == 0 ? space_of(node) : NULL;
    if (error == 0) {
        *out = space != NULL ? node_of(space->program) : NULL;
        vnode_get(*out);
        error = *out != NULL ? 0 : -ENOENT;
    }
    process_space_put(space);
    return error;
}
