// What can be done with descriptors beyond read and write: parts, locks, splices, FIFOs, memory files, statx.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include "facts.h"

static char text[8192];

static void parts(void)
{
    int fd = open("parts", O_CREAT | O_RDWR | O_TRUNC, 0600);
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"second", 6}};
    FACT(writev(fd, out, 3));
    FACT(pwritev(fd, out, 1, 20));
    char a[4] = "", b[40] = "";
    struct iovec in[2] = {{a, 3}, {b, 30}};
    FACT(preadv(fd, in, 2, 0));
    fact("parts", "%s %.6s %d %.3s", a, b, b[6], b + 17);
    FACT(preadv(fd, in, 2, -1));
    FACT(lseek(fd, 1, SEEK_SET));
    FACT(preadv2(fd, in, 1, -1, 0));
    FACT(lseek(fd, 0, SEEK_CUR));
    FACT(pwritev2(fd, out, 1, 0, RWF_APPEND));
    FACT(lseek(fd, 0, SEEK_END));
    FACT(pwritev2(fd, out, 1, 0, 0x4000));
    FACT(writev(fd, out, 2000));
    FACT(writev(fd, out, -1));
    struct iovec bad[2] = {{"good", 4}, {(void *)8, 4}};
    FACT(lseek(fd, 0, SEEK_SET));
    FACT(readv(fd, (struct iovec[]){{a, 2}, {(void *)8, 4}}, 2));
    FACT(writev(fd, bad, 1));
    bad[1].iov_len = (size_t)-1;
    FACT(writev(fd, bad, 2));
    int ends[2];
    pipe(ends);
    write(ends[1], "abc", 3);
    FACT(readv(ends[0], in, 2)); // ends with what is there
    FACT(preadv(ends[0], in, 2, 0));
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

static const char *kind_of(const struct flock *lock)
{
    static char said[64];
    snprintf(said, sizeof(said), "%s %ld+%ld whence %d",
             lock->l_type == F_UNLCK   ? "none"
             : lock->l_type == F_RDLCK ? "read"
                                       : "write",
             (long)lock->l_start, (long)lock->l_len, lock->l_whence);
    return said;
}

static void ask(int fd, const char *what, short type, long start, long length)
{
    struct flock lock = {.l_type = type, .l_start = start, .l_len = length};
    int error = fcntl(fd, F_GETLK, &lock);
    fact(what, "%d %s", error, kind_of(&lock));
}

static void record_locks(void)
{
    int fd = open("locked", O_CREAT | O_RDWR | O_TRUNC, 0600), status;
    int neither = open("locked", O_ACCMODE);
    struct flock lock = {.l_type = F_WRLCK, .l_start = 10, .l_len = 10}, read_lock = {.l_type = F_RDLCK};
    FACT(fcntl(neither, F_SETLK, &lock));
    FACT(fcntl(neither, F_SETLK, &read_lock));
    FACT(read(neither, &lock, 1));
    FACT(write(neither, "x", 1));
    FACT(ftruncate(neither, 3));
    FACT(posix_fallocate(neither, 0, 3));
    FACT(readahead(neither, 0, 3));
    FACT(copy_file_range(neither, NULL, fd, NULL, 3, 0));
    FACT(copy_file_range(fd, NULL, neither, NULL, 3, 0));
    close(neither);
    FACT(fcntl(fd, F_SETLK, &lock));
    lock = (struct flock){.l_type = F_RDLCK, .l_start = 13, .l_len = 2};
    FACT(fcntl(fd, F_SETLK, &lock)); // splits
    ask(fd, "one's own", F_WRLCK, 0, 0);
    lock = (struct flock){.l_type = 9};
    FACT(fcntl(fd, F_SETLK, &lock));
    lock = (struct flock){.l_type = F_WRLCK, .l_start = -1};
    FACT(fcntl(fd, F_SETLK, &lock));
    lock = (struct flock){.l_type = F_WRLCK, .l_whence = 7};
    FACT(fcntl(fd, F_SETLK, &lock));
    FACT(fcntl(fd, F_SETLK, (void *)8));
    if (fork() == 0) {
        ask(fd, "the first", F_WRLCK, 0, 0);
        ask(fd, "the middle for reading", F_RDLCK, 13, 2);
        ask(fd, "the middle for writing", F_WRLCK, 13, 2);
        ask(fd, "behind", F_WRLCK, 15, 100);
        ask(fd, "beyond", F_WRLCK, 20, 1);
        ask(fd, "negative length", F_WRLCK, 12, -2);
        lock = (struct flock){.l_type = F_WRLCK, .l_start = 19, .l_len = 1};
        FACT(fcntl(fd, F_SETLK, &lock));
        lock = (struct flock){.l_type = F_WRLCK, .l_start = 30, .l_len = 0};
        FACT(fcntl(fd, F_SETLK, &lock));
        int other = open("locked", O_RDONLY);
        FACT(fcntl(other, F_SETLK, &lock));
        close(other); // and with it all locks of the process
        _exit(0);
    }
    wait(&status);
    lock = (struct flock){.l_type = F_UNLCK};
    FACT(fcntl(fd, F_SETLK, &lock));
    if (fork() == 0) {
        ask(fd, "all gone", F_WRLCK, 0, 0);
        _exit(0);
    }
    wait(&status);
    lock = (struct flock){.l_type = F_WRLCK, .l_start = 0, .l_len = 5};
    FACT(fcntl(fd, F_OFD_SETLK, &lock));
    ask(fd, "an open file's", F_WRLCK, 0, 0);
    int other = open("locked", O_RDWR);
    FACT(fcntl(other, F_OFD_SETLK, &lock));
    close(fd);
    FACT(fcntl(other, F_OFD_SETLK, &lock));
    close(other);
}

static void waits_for_locks(void)
{
    int fd = open("waited", O_CREAT | O_RDWR | O_TRUNC, 0600), ends[2], status;
    struct flock first = {.l_type = F_WRLCK, .l_start = 0, .l_len = 1},
                 second = {.l_type = F_WRLCK, .l_start = 1, .l_len = 1};
    pipe(ends);
    fcntl(fd, F_SETLK, &first);
    if (fork() == 0) {
        fcntl(fd, F_SETLK, &second);
        write(ends[1], "x", 1);
        FACT(fcntl(fd, F_SETLKW, &first)); // until the parent lets go
        _exit(0);
    }
    read(ends[0], text, 1);
    usleep(50000);
    FACT(fcntl(fd, F_SETLKW, &second)); // a circle
    first.l_type = F_UNLCK;
    FACT(fcntl(fd, F_SETLK, &first));
    wait(&status);
    FACT(fcntl(fd, F_SETLKW, &second));
    close(fd);
    close(ends[0]);
    close(ends[1]);
}

static void whole_locks(void)
{
    int one = open("flocked", O_CREAT | O_RDWR, 0600), two = open("flocked", O_RDONLY), copy = dup(one);
    FACT(flock(one, LOCK_SH));
    FACT(flock(two, LOCK_SH | LOCK_NB));
    FACT(flock(one, LOCK_EX | LOCK_NB));
    FACT(flock(two, LOCK_UN));
    FACT(flock(one, LOCK_EX | LOCK_NB));
    FACT(flock(two, LOCK_SH | LOCK_NB));
    FACT(flock(copy, LOCK_EX | LOCK_NB)); // the same open file
    close(one);
    FACT(flock(two, LOCK_SH | LOCK_NB));
    close(copy);
    FACT(flock(two, LOCK_SH | LOCK_NB));
    FACT(flock(two, 0));
    FACT(flock(two, 99));
    FACT(flock(-1, LOCK_SH));
    close(two);
}

static void splices(void)
{
    int file = open("spliced", O_CREAT | O_RDWR | O_TRUNC, 0600), ends[2], more[2];
    pipe(ends);
    pipe(more);
    write(file, "0123456789", 10);
    loff_t at = 2;
    FACT(splice(file, &at, ends[1], NULL, 5, 0));
    fact("offset", "%ld", (long)at);
    FACT(tee(ends[0], more[1], 100, 0));
    FACT(read(more[0], text, 100));
    fact("tee", "%.5s", text);
    at = 100;
    FACT(splice(ends[0], NULL, file, &at, 3, 0));
    FACT(splice(ends[0], &at, file, NULL, 3, 0));
    FACT(splice(file, NULL, file, NULL, 3, 0));
    FACT(splice(ends[0], NULL, more[1], NULL, 100, 0));
    FACT(splice(ends[0], NULL, more[1], NULL, 100, SPLICE_F_NONBLOCK));
    FACT(tee(ends[0], ends[1], 1, 0));
    FACT(tee(file, ends[1], 1, 0));
    FACT(pread(file, text, 10, 98));
    fact("bytes", "%d %d %.3s", text[0], text[1], text + 2);
    struct iovec part = {"vm", 2};
    FACT(vmsplice(more[1], &part, 1, 0));
    FACT(vmsplice(file, &part, 1, 0));
    FACT(read(more[0], text, 100));
    off_t from = 1;
    FACT(sendfile(ends[1], file, &from, 4));
    fact("from", "%ld", (long)from);
    FACT(sendfile(file, ends[0], NULL, 4));
    loff_t a = 0, b = 50;
    FACT(copy_file_range(file, &a, file, &b, 10, 0));
    FACT(copy_file_range(file, &a, file, &b, 100, 0));
    FACT(copy_file_range(file, &a, file, &b, 1, 1));
    FACT(copy_file_range(file, &a, ends[1], NULL, 1, 0));
    FACT(fcntl(ends[0], F_GETPIPE_SZ));
    FACT(fcntl(ends[0], F_SETPIPE_SZ, 5000));
    FACT(fcntl(ends[0], F_SETPIPE_SZ, 0));
    FACT(fcntl(ends[0], F_SETPIPE_SZ, 1 << 20));
    FACT(fcntl(file, F_GETPIPE_SZ));
    for (int i = 0; i < 4; i++) {
        close((int[]){ends[0], ends[1], more[0], more[1]}[i]);
    }
    close(file);
}

static void fifos(void)
{
    int status;
    FACT(mkfifo("fifo", 0600));
    FACT(open("fifo", O_WRONLY | O_NONBLOCK));
    int in = open("fifo", O_RDONLY | O_NONBLOCK);
    FACT_OK(in);
    FACT(read(in, text, 4));
    int out = open("fifo", O_WRONLY | O_NONBLOCK);
    FACT_OK(out);
    FACT(read(in, text, 4));
    FACT(write(out, "abc", 3));
    FACT(read(in, text, 4));
    FACT(lseek(in, 0, SEEK_CUR));
    close(in);
    close(out);
    if (fork() == 0) {
        out = open("fifo", O_WRONLY); // waits for the reader
        write(out, "through", 7);
        _exit(0);
    }
    in = open("fifo", O_RDONLY);
    FACT(read(in, text, 100));
    wait(&status);
    FACT(read(in, text, 100));
    close(in);
    int both = open("fifo", O_RDWR);
    FACT(write(both, "x", 1));
    FACT(read(both, text, 9));
    close(both);
    struct stat info;
    stat("fifo", &info);
    fact("fifo", "%o %ld", info.st_mode, (long)info.st_size);
    FACT(unlink("fifo"));
}

static void room(void)
{
    struct stat info;
    int fd = open("room", O_CREAT | O_RDWR | O_TRUNC, 0600);
    FACT(fallocate(fd, 0, 0, 10000));
    fstat(fd, &info);
    fact("size and blocks", "%ld %ld", (long)info.st_size, (long)info.st_blocks);
    FACT(fallocate(fd, FALLOC_FL_KEEP_SIZE, 20000, 1));
    fstat(fd, &info);
    fact("size and blocks", "%ld %ld", (long)info.st_size, (long)info.st_blocks);
    pwrite(fd, "xxxxxxxx", 8, 4092);
    FACT(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 4094, 4));
    FACT(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4094, 4));
    pread(fd, text, 8, 4092);
    fact("hole", "%d %d %d %d", text[1], text[2], text[5], text[6]);
    FACT(fallocate(fd, 0, -1, 10));
    FACT(fallocate(fd, 0, 0, 0));
    FACT(fallocate(fd, 0x1000, 0, 1));
    FACT(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
    FACT(posix_fadvise(fd, 0, 0, 99));
    FACT(readahead(fd, 0, 100));
    FACT(sync_file_range(fd, 0, 10, 2));
    FACT(sync_file_range(fd, 0, 10, 99));
    FACT(syncfs(fd));
    FACT(flistxattr(fd, NULL, 0));
    FACT(fgetxattr(fd, "user.none", NULL, 0));
    FACT(getxattr("none", "user.none", NULL, 0));
    FACT(setxattr("room", "user.none", "x", 1, 4));
    close(fd);
    FACT(open("room", O_TMPFILE | O_RDONLY, 0600));
    fd = open(".", O_TMPFILE | O_RDWR, 0640);
    FACT_OK(fd);
    fstat(fd, &info);
    fact("nameless", "%o %ld", info.st_mode, (long)info.st_nlink);
    FACT(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
    FACT(access("named", F_OK));
    FACT(rename("named", "room"));
    close(fd);
    fd = memfd_create("memory", MFD_CLOEXEC);
    int plain = open("plain", O_CREAT | O_RDWR, 0600);
    FACT(copy_file_range(plain, NULL, fd, NULL, 1, 0));
    FACT(copy_file_range(fd, NULL, plain, NULL, 0, 0));
    close(plain);
    unlink("plain");
    FACT_OK(fd);
    FACT(fcntl(fd, F_GETFD));
    FACT(write(fd, "abc", 3));
    FACT(pread(fd, text, 10, 1));
    fstat(fd, &info);
    fact("memory", "%o %ld %ld", info.st_mode, (long)info.st_nlink, (long)info.st_size);
    fflush(stdout);
    if (fork() == 0) {
        setgid(33), setuid(44);
        fstat(memfd_create("mine", 0), &info);
        fact("memory's owner", "%d %d", (int)info.st_uid, (int)info.st_gid);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    struct stat here;
    fact("on the same filesystem", "%d", stat(".", &here) == 0 && here.st_dev == info.st_dev);
    FACT(memfd_create("memory", 0x1000));
    close(fd);
}

static void asked(void)
{
    struct statx info;
    struct statfs whole;
    FACT(mkdir("asked", 0755));
    FACT(statx(AT_FDCWD, "asked", 0, STATX_BASIC_STATS, &info));
    fact("statx", "%o %u %d", info.stx_mode, info.stx_nlink, (info.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
    FACT(statx(AT_FDCWD, "none", 0, STATX_BASIC_STATS, &info));
    FACT(statx(AT_FDCWD, "asked", AT_STATX_SYNC_TYPE, 0, &info));
    FACT(statx(AT_FDCWD, "asked", 0x8, 0, &info));
    FACT(statx(AT_FDCWD, "", AT_EMPTY_PATH, 0, &info));
    FACT(statx(AT_FDCWD, "asked", 0, 0x80000000u, &info));
    FACT(statfs("/dev/null/x", &whole));
    FACT(statfs("none", &whole));
    FACT(statfs(".", (void *)8));
    FACT(statfs(".", &whole));
    fact("a name may have", "%ld", (long)whole.f_namelen);
    FACT(faccessat(AT_FDCWD, "asked", W_OK, AT_EACCESS));
    FACT(syscall(439, AT_FDCWD, "asked", 9, 0));
    FACT(syscall(439, AT_FDCWD, "asked", 0, 1));
    FACT(syscall(439, AT_FDCWD, "", 0, AT_EMPTY_PATH));
    struct {
        uint64_t flags, mode, resolve, more;
    } how = {O_RDONLY | O_DIRECTORY, 0, 0, 0};
    FACT_OK(syscall(437, AT_FDCWD, "asked", &how, 24));
    FACT(syscall(437, AT_FDCWD, "asked", &how, 23));
    FACT_OK(syscall(437, AT_FDCWD, "asked", &how, 32));
    how.more = 1;
    FACT(syscall(437, AT_FDCWD, "asked", &how, 32));
    how.resolve = 8;
    FACT(syscall(437, AT_FDCWD, "asked/../..", &how, 24));
    FACT_OK(syscall(437, AT_FDCWD, "asked/..", &how, 24));
    FACT(syscall(437, AT_FDCWD, "/", &how, 24));
    symlink("/", "asked/out");
    FACT(syscall(437, AT_FDCWD, "asked/out", &how, 24));
    how.resolve = 4;
    FACT(syscall(437, AT_FDCWD, "asked/out", &how, 24));
    how.resolve = 0x10;
    FACT_OK(syscall(437, AT_FDCWD, "/asked/../../asked", &how, 24));
    how.resolve = 0x1000;
    FACT(syscall(437, AT_FDCWD, "asked", &how, 24));
    how.resolve = 0;
    how.mode = 0600;
    FACT(syscall(437, AT_FDCWD, "asked", &how, 24));
    FACT(renameat2(AT_FDCWD, "asked", AT_FDCWD, "room", RENAME_EXCHANGE));
    FACT(open("asked", O_DIRECTORY));
    FACT(renameat2(AT_FDCWD, "room", AT_FDCWD, "nothing", RENAME_EXCHANGE));
    FACT(renameat2(AT_FDCWD, "room", AT_FDCWD, "asked", RENAME_EXCHANGE | RENAME_NOREPLACE));
    FACT(renameat2(AT_FDCWD, "room", AT_FDCWD, "room/out", RENAME_EXCHANGE));
}

static void closes(void)
{
    int last = 0;
    for (int i = 0; i < 10; i++) {
        last = dup(0);
    }
    FACT(close_range(5, 4, 0));
    FACT(close_range((unsigned)last - 3, (unsigned)last, 4));
    FACT(fcntl(last, F_GETFD));
    FACT(close_range((unsigned)last - 8, ~0u, 0));
    FACT(fcntl(last, F_GETFD));
    FACT(fcntl(last - 9, F_GETFD));
    FACT(close_range(0, 1, 0x100));
}

int main(void)
{
    parts();
    record_locks();
    waits_for_locks();
    whole_locks();
    splices();
    fifos();
    room();
    asked();
    closes();
    return 0;
}
