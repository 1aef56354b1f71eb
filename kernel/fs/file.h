// Open files and what can be done with them. Task context; may sleep.
#pragma once

#include "kernel/fs/vnode.h"

#define O_ACCMODE 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_RDWR 2u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_NOCTTY 0400u
#define O_NOATIME 01000000u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_DIRECTORY 040000u // these three as on arm64 (asm/fcntl.h)
#define O_NOFOLLOW 0100000u
#define O_DIRECT 0200000u
#define O_LARGEFILE 0400000u
#define O_CLOEXEC 02000000u
#define O_PATH 010000000u
#define O_TMPFILE 020000000u // with O_DIRECTORY

// Bytes on their way: to or from user space, or the kernel's own memory. Moves on as it is used.
struct io {
    uaddr_t user;
    char *kernel; // NULL: user
    uint64_t left;
    uint64_t part_left;          // with parts: of the one that user points into
    const struct io_part *parts; // that follow it; NULL: all lies in one piece
};
struct io_part { // as struct iovec
    uint64_t base, length;
};
// Exactly size bytes, size <= left. -EFAULT; -EINTR: the current thread is killed; some may have been copied, io is as
// before.
[[nodiscard]] int io_give(struct io *io, const void *from, uint64_t size);
[[nodiscard]] int io_take(struct io *io, void *to, uint64_t size);
uint64_t io_run(struct io *io); // how many bytes lie in one piece: a fault further on leaves these
[[nodiscard]] int io_give_zeroes(struct io *io, uint64_t size);

#define POLL_IN 1u
#define POLL_PRIORITY 2u
#define POLL_OUT 4u
#define POLL_ERROR 8u
#define POLL_HANGUP 16u
#define POLL_INVALID 32u
#define POLL_READ_NORMAL 0x40u   // goes with POLL_IN, and
#define POLL_WRITE_NORMAL 0x100u // with POLL_OUT: file_poll() adds them

struct condition;
struct file;
struct file_ops {
    // Bytes moved, 0 at the end of the file; an error only when none were. offset: where; of no meaning to streams.
    int64_t (*read)(struct file *file, struct io *io, uint64_t offset);
    int64_t (*write)(struct file *file, struct io *io, uint64_t offset);
    int64_t (*ioctl)(struct file *file, unsigned request, uint64_t argument); // NULL: -ENOTTY
    // Which of POLL_* hold now, and what to listen to for more. NULL: always ready to read and write.
    unsigned (*poll)(struct file *file, struct condition **changed);
    struct backing *(*pages)(struct file *file); // for mmap(2); NULL: -ENODEV, unless
    bool zeroes;                                 // it is mapped as what has no file is
    void (*release)(struct file *file);          // may be NULL
    // A device is being opened, and file->ops is this; may set others, and what belongs to them. When it fails nothing
    // is released. NULL: nothing to do.
    int (*opened)(struct file *file);
    // Opens again what has no vnode, for /proc/<pid>/fd; NULL: -ENXIO. fresh->ops is set, as with vnode_ops.open.
    int (*reopen)(struct file *file, struct file *fresh);
    bool stream;                           // has no offset: -ESPIPE
    bool no_offset;                        // has one that reads and writes pay no heed to
    uint32_t kind;                         // the mode of files that have no vnode
    bool no_splice_to, no_splice_from;     // splice(2), sendfile(2): -EINVAL
    bool of_process;                       // what it is polled by belongs to the process that asks
    const char *name;                      // for people, likewise; NULL: a pipe
    uint64_t (*number)(struct file *file); // st_ino, likewise; may be NULL
    void (*owner)(struct file *file, uint32_t *uid, uint32_t *gid); // likewise; NULL: root
};

struct file {
    const struct file_ops *ops;
    struct vnode *node; // NULL: has none
    uint32_t references;
    uint32_t flags;    // O_*
    bool counted;      // among the writers of its mount
    struct mutex lock; // covers offset and directory reads
    uint64_t offset;
    void *data;                 // of ops
    struct file_watch *watches; // who is to know when it is gone; see file_forget
};
// What it was opened for; with O_PATH, or both bits of O_ACCMODE, neither.
static inline bool file_reads(const struct file *file)
{
    uint32_t mode = file->flags & (O_PATH | O_ACCMODE);
    return mode == O_RDONLY || mode == O_RDWR;
}

static inline bool file_writes(const struct file *file)
{
    uint32_t mode = file->flags & (O_PATH | O_ACCMODE);
    return mode == O_WRONLY || mode == O_RDWR;
}

uint64_t file_count(void);      // open files there are
extern uint64_t file_count_max; // /proc/sys/fs/file-max: not for CAP_SYS_ADMIN. 0: not known yet
// Set once, by whoever hangs watches on files: called when the last reference to a file that has some is given up.
extern void (*file_forget)(struct file *file);

// -ENOMEM; -ENFILE: there are too many. One reference; takes one to node (NULL is fine).
[[nodiscard]] int file_create(const struct file_ops *ops, struct vnode *node, uint32_t flags, struct file **out);
void file_get(struct file *file);
void file_put(struct file *file); // NULL is nothing

// Opens what a path names, makes it with O_CREAT. Errors of path_walk(); -EEXIST, -EISDIR, -ENOTDIR, -EACCES, -ENXIO.
struct path_start;
[[nodiscard]] int file_open(const struct path_start *start, char *path, uint32_t flags, uint32_t mode,
                            struct file **out);
// And more of enum path_flags for the walk.
[[nodiscard]] int file_open_how(const struct path_start *start, char *path, uint32_t flags, uint32_t mode, unsigned how,
                                struct file **out);
// At the file's offset, which moves. -EBADF: not open for that; -EISDIR.
int64_t file_read(struct file *file, struct io *io);
int64_t file_write(struct file *file, struct io *io);
int64_t file_read_at(struct file *file, struct io *io, uint64_t offset); // -ESPIPE
int64_t file_write_at(struct file *file, struct io *io, uint64_t offset);
// Likewise, but at the end, whatever the file was opened for: RWF_APPEND.
int64_t file_append(struct file *file, struct io *io);
int64_t file_append_at(struct file *file, struct io *io, uint64_t offset);
// truncate(2) and fallocate(2) of a regular file; node->ops has what they want, and the range fits.
[[nodiscard]] int file_truncate(struct vnode *node, uint64_t size);
[[nodiscard]] int file_allocate(struct vnode *node, uint64_t offset, uint64_t size, bool punch, bool keep_size);
// Supplied by kernel/proc: how much of *size at offset RLIMIT_FSIZE allows to the current process. -EFBIG, with
// SIGXFSZ.
[[nodiscard]] int file_limit_growth(uint64_t offset, uint64_t *size);
// Which of POLL_* hold now. *changed: what to listen to for more, or NULL.
unsigned file_poll(struct file *file, struct condition **changed);
int64_t file_seek(struct file *file, int64_t offset, unsigned whence); // lseek(2)
