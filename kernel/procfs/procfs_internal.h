// Between the files of this folder only.
#pragma once

#include "kernel/fs/file.h"
#include "kernel/fs/mount.h"
#include "kernel/proc/describe.h"
#include "kernel/procfs/text.h"

struct proc_node;

enum proc_numbers { PROC_NONE, PROC_PIDS, PROC_TIDS, PROC_FDS, PROC_FD_INFOS };

// One name in a directory, or what a number stands for. Of the functions, those that its type wants.
struct proc_entry {
    const char *name;
    uint32_t mode;
    const struct proc_entry *entries; // of a directory; ends with a name that is NULL
    enum proc_numbers numbers;        // of a directory: what else is in it
    bool secret;                      // asks for rights over the process when it is opened
    int (*show)(const struct proc_node *node, struct text *out);
    int (*store)(const struct proc_node *node, char *text);        // what one write(2) said, without its newline
    int (*target)(const struct proc_node *node, struct text *out); // of a link: where it leads, for people
    int (*jump)(const struct proc_node *node, struct vnode **out); // and in truth
    const struct file_ops *ops;                                    // of a file that is not text
    uint64_t *number;                                              // what a file shows and changes
};

struct proc_node {
    struct vnode vnode;
    const struct proc_entry *entry;
    struct vnode *parent; // a reference; NULL: the root
    int32_t pid, tid;     // of a process, and of a task in it; 0: of none
    uint64_t identity;    // of the task, else the process: its number may be another's by now
    uint32_t fd;
    struct file *file; // a place (O_PATH) in what opening this opens again; NULL: nothing
    bool stands_for_file;
};

static inline struct proc_node *proc_node(struct vnode *vnode)
{
    return container_of(vnode, struct proc_node, vnode);
}

extern const struct proc_entry proc_root_entry, proc_process_entry, proc_task_entry, proc_fd_entry, proc_fd_info_entry;
extern const struct proc_entry proc_sys_entries[];
extern const struct file_ops proc_fail_nth_ops;

// A node that stands for what an open file without a name is: not for the file, which may be closed meanwhile.
[[nodiscard]] int proc_make_file_node(const struct proc_node *link, struct file *file, struct vnode **out);
// Whether what node is of is still there. Asked after it was looked up by its number, it says that it was the right
// one: who is there at last was there all along.
bool proc_lives(const struct proc_node *node);
// Its process, with a reference; NULL: it is gone.
struct process *proc_process(const struct proc_node *node);
// Whether the caller may look into that process: -EACCES; -ENOENT: it is gone.
[[nodiscard]] int proc_may_look(const struct proc_node *node);
// Adds a node's path as the caller sees it.
void proc_add_path(struct text *out, struct vnode *node);

int proc_show_mounts(const struct proc_node *node, struct text *out);
int proc_show_mount_info(const struct proc_node *node, struct text *out);
int proc_show_maps(const struct proc_node *node, struct text *out);
int proc_show_memory_status(const struct proc_node *node, struct text *out); // the Vm… lines of status
int proc_show_statm(const struct proc_node *node, struct text *out);
int proc_show_arguments(const struct proc_node *node, struct text *out);
int proc_show_environment(const struct proc_node *node, struct text *out);
int proc_jump_to_program(const struct proc_node *node, struct vnode **out);
void proc_set_command_line(const char *text);
