// Paths from user space. Task context; may sleep.
#pragma once

#include "kernel/fs/path.h"
#include "kernel/proc/process.h"

struct user_path {
    char *text;              // PATH_MAX bytes; free with user_path_put()
    struct path_start start; // with references
};
// A path argument beside its directory argument. empty_allowed: "" is dirfd itself, and text is empty then.
// -EFAULT, -ENAMETOOLONG, -ENOENT, -EBADF, -ENOTDIR, -ENOMEM.
[[nodiscard]] int user_path_get(uint64_t dirfd, uint64_t path, bool empty_allowed, struct user_path *out);
// start's directory becomes the descriptor's. -EBADF, -ENOTDIR.
[[nodiscard]] int path_start_at(struct path_start *start, uint64_t dirfd);
void user_path_put(struct user_path *path);
// Likewise, walked; and with empty_allowed "" is what dirfd has open, whatever it is.
[[nodiscard]] int user_path_node(uint64_t dirfd, uint64_t path, unsigned flags, bool empty_allowed,
                                 struct path_end *out);
// By somebody else than the caller.
[[nodiscard]] int user_path_node_as(const struct credentials *as, uint64_t dirfd, uint64_t path, unsigned flags,
                                    bool empty_allowed, struct path_end *out);
// And walked.
[[nodiscard]] int user_path_walk(uint64_t dirfd, uint64_t path, unsigned flags, struct path_end *out);
