// A process's descriptors. Shared by its threads (CLONE_FILES). Task context; may sleep.
#pragma once

#include "kernel/fs/file.h"

#define FD_LIMIT_MAX 1048576u // as fs.nr_open

struct fd_table {
    struct mutex lock;   // covers the rest
    uint32_t references; // atomic: one for each task that uses it
    uint32_t capacity;
    uint32_t lowest; // no descriptor below is free
    struct fd_slot {
        struct file *file; // NULL: free
        bool close_on_exec;
    } *slots;
};

uint32_t fd_limit(void); // RLIMIT_NOFILE of the current process, whoever else uses its table. kernel/proc/limits.c

[[nodiscard]] int fd_table_create(struct fd_table **out);                       // -ENOMEM
[[nodiscard]] int fd_table_copy(struct fd_table *table, struct fd_table **out); // fork(2). -ENOMEM
void fd_table_put(struct fd_table *table);                                      // the last reference closes all
void fd_close_on_exec(struct fd_table *table);

// With a reference; -EBADF: not open, or only a place (O_PATH).
[[nodiscard]] int fd_file(struct fd_table *table, uint64_t fd, struct file **out);
[[nodiscard]] int fd_file_or_place(struct fd_table *table, uint64_t fd, struct file **out); // -EBADF: not open
// Takes over the caller's reference to file, also when it fails. The lowest free descriptor from first on; -EMFILE,
// -ENOMEM.
[[nodiscard]] int fd_install(struct fd_table *table, struct file *file, uint32_t first, bool close_on_exec);
[[nodiscard]] int fd_replace(struct fd_table *table, struct file *file, uint32_t fd, bool close_on_exec); // dup3(2)
[[nodiscard]] int fd_close(struct fd_table *table, uint64_t fd);                                          // -EBADF
// The lowest descriptor in use that is at least from, or -ENOENT.
[[nodiscard]] int64_t fd_next(struct fd_table *table, uint32_t from);
// close_range(2): all from first to last, or only marked to be closed on exec.
void fd_close_range(struct fd_table *table, uint32_t first, uint32_t last, bool mark_only);
[[nodiscard]] int fd_flags(struct fd_table *table, uint64_t fd, const bool *set, bool *out); // close-on-exec; -EBADF
