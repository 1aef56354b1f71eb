// Between the files of this folder only.
#pragma once

#include "kernel/tty/pty.h"
#include "kernel/tty/tty_internal.h"

#define PTY_OUTPUT 4096u // bytes that wait for the master

struct pty {
    struct tty tty;             // the slave; its lock covers the rest but for what is said
    struct condition to_master; // output has come, input has been read, a slave has gone
    uint32_t references;        // atomic: of open files
    unsigned number;            // constant
    struct vnode *node;         // in /dev/pts: a reference; NULL: the master has gone; the table's lock
    uint32_t slaves;            // open files of that side
    bool slave_seen, locked;    // there was one; none may come
    uint32_t read, written;     // of output
    char output[PTY_OUTPUT];
};

int64_t pty_next(unsigned from); // the lowest number that is at least from, or -ENOENT
void pty_put(struct pty *pty);
// The pair that node was made for. -EIO: it has gone, or is locked.
[[nodiscard]] int pty_open_slave(struct file *file, struct vnode *node);
// A node for a new pair. -ENODEV: no devpts is mounted; -ENOMEM.
[[nodiscard]] int devpts_make_node(struct pty *pty, unsigned number, struct vnode **out);
struct pty **devpts_pair(struct vnode *node); // whose node it is; the table's lock covers it
// What the table has for that number, with a reference; NULL: nothing.
struct vnode *pty_node(unsigned number);
