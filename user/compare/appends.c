// Several writers at the end of one file, each with a file of his own: all records are there, and whole.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "facts.h"

#define WRITERS 4
#define RECORDS 600
#define SIZE 3001

static char record[SIZE];

static void append(int how, int fd)
{
    struct iovec parts[2] = {{record, SIZE / 2}, {record + SIZE / 2, SIZE - SIZE / 2}};
    switch (how) {
    case 0:
        write(fd, record, SIZE);
        break;
    case 1:
        writev(fd, parts, 2);
        break;
    case 2:
        syscall(SYS_pwritev2, fd, parts, 2, 0, 0, 16); // RWF_APPEND
        break;
    default:
        pwrite(fd, record, SIZE, 0);
    }
}

static int whole(int fd)
{
    char got[SIZE];
    while (read(fd, got, SIZE) == SIZE) {
        for (int i = 1; i < SIZE; i++) {
            if (got[i] != got[0]) {
                return 0;
            }
        }
    }
    return 1;
}

int main(void)
{
    for (int how = 0; how < 4; how++) {
        unlink("/log");
        for (int writer = 0; writer < WRITERS; writer++) {
            if (fork() == 0) {
                int fd = open("/log", O_CREAT | O_WRONLY | (how == 2 ? 0 : O_APPEND), 0600);
                memset(record, 'a' + writer, SIZE);
                for (int i = 0; i < RECORDS; i++) {
                    append(how, fd);
                }
                _exit(0);
            }
        }
        while (wait(NULL) > 0) {
        }
        struct stat stat_;
        stat("/log", &stat_);
        fact("bytes", "%ld of %d", (long)stat_.st_size, WRITERS * RECORDS * SIZE);
        fact("whole records", "%d", whole(open("/log", O_RDONLY)));
    }
    return 0;
}
