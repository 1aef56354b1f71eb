// picolibc over the kernel: the few functions it asks for, by the stubs that come from syscalls.def.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define AT_FDCWD (-100)
// Linux's bits; picolibc's own differ.
#define LINUX_O_CREAT 0100
#define LINUX_O_TRUNC 01000
#define LINUX_O_APPEND 02000
#define PICO_O_APPEND 0x0008
#define PICO_O_CREAT 0x0200
#define PICO_O_TRUNC 0x0400

long sys_read(int fd, void *buffer, size_t size);
long sys_write(int fd, const void *buffer, size_t size);
long sys_openat(int folder, const char *path, int flags, int mode);
long sys_close(int fd);
long sys_lseek(int fd, long offset, int whence);
long sys_brk(void *address);
long sys_unlinkat(int folder, const char *path, int flags);
long sys_getpid(void);
long sys_kill(int pid, int signal);
long sys_gettimeofday(struct timeval *now, void *zone);

static long result(long answer)
{
    if (answer < 0) {
        errno = (int)-answer;
        return -1;
    }
    return answer;
}

ssize_t read(int fd, void *buffer, size_t size)
{
    return result(sys_read(fd, buffer, size));
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    return result(sys_write(fd, buffer, size));
}

int open(const char *path, int flags, ...)
{
    int bits = (flags & 3) | ((flags & PICO_O_CREAT) != 0 ? LINUX_O_CREAT : 0) |
               ((flags & PICO_O_TRUNC) != 0 ? LINUX_O_TRUNC : 0) | ((flags & PICO_O_APPEND) != 0 ? LINUX_O_APPEND : 0);
    return (int)result(sys_openat(AT_FDCWD, path, bits, 0666));
}

int close(int fd)
{
    return (int)result(sys_close(fd));
}

off_t lseek(int fd, off_t offset, int whence)
{
    return result(sys_lseek(fd, offset, whence));
}

int unlink(const char *path)
{
    return (int)result(sys_unlinkat(AT_FDCWD, path, 0));
}

pid_t getpid(void)
{
    return (pid_t)sys_getpid();
}

int kill(pid_t pid, int signal)
{
    return (int)result(sys_kill(pid, signal));
}

int gettimeofday(struct timeval *now, void *zone)
{
    return (int)result(sys_gettimeofday(now, zone));
}

void *sbrk(ptrdiff_t size)
{
    static char *end;
    if (end == NULL) {
        end = (char *)sys_brk(NULL);
    }
    char *start = end, *wanted = end + size;
    if (size != 0 && (char *)sys_brk(wanted) != wanted) {
        errno = ENOMEM;
        return (void *)-1;
    }
    end = wanted;
    return start;
}

static char line[256];
static size_t held;

static int flush(FILE *stream)
{
    size_t size = held;
    held = 0;
    return size == 0 || write(1, line, size) == (ssize_t)size ? 0 : EOF;
}

static int put(char byte, FILE *stream)
{
    line[held++] = byte;
    return (byte == '\n' || held == sizeof(line)) && flush(stream) != 0 ? EOF : (unsigned char)byte;
}

static int put_error(char byte, FILE *stream)
{
    return write(2, &byte, 1) == 1 ? (unsigned char)byte : EOF;
}

static int get(FILE *stream)
{
    unsigned char byte;
    (void)flush(stream);
    return read(0, &byte, 1) == 1 ? byte : EOF;
}

static FILE in = FDEV_SETUP_STREAM(NULL, get, NULL, _FDEV_SETUP_READ);
static FILE out = FDEV_SETUP_STREAM(put, NULL, flush, _FDEV_SETUP_WRITE);
static FILE error_out = FDEV_SETUP_STREAM(put_error, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdin = &in;
FILE *const stdout = &out;
FILE *const stderr = &error_out;

__attribute__((destructor)) static void flush_at_end(void)
{
    (void)flush(stdout);
}

// libgcc asks whether the processor has the large-system atomics: it does without.
unsigned long __getauxval(unsigned long type);
unsigned long __getauxval(unsigned long type)
{
    return 0;
}
