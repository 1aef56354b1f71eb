// /proc: layouts and links, as far as they are the same on every machine.
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "facts.h"

static char text[1 << 16];

static long read_all(const char *path)
{
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        return -1;
    }
    long size = 0, got;
    while ((got = read(fd, text + size, sizeof(text) - 1 - (size_t)size)) > 0) {
        size += got;
    }
    close(fd);
    text[size] = 0;
    return got < 0 ? -1 : size;
}

static int words(const char *at)
{
    int count = 0;
    for (; *at != 0 && *at != '\n'; at++) {
        count += *at != ' ' && (at[1] == ' ' || at[1] == '\n' || at[1] == 0);
    }
    return count;
}

// The value of a key, as "Key:\tvalue" lines have it.
static const char *value_of(const char *key)
{
    static char value[128];
    char *at = strstr(text, key);
    size_t length = 0;
    if (at != NULL) {
        at += strlen(key);
        while (*at == '\t' || *at == ' ' || *at == ':') {
            at++;
        }
        while (at[length] != '\n' && at[length] != 0 && length < sizeof(value) - 1) {
            length++;
        }
        memcpy(value, at, length);
    }
    value[length] = 0;
    return at != NULL ? value : "missing";
}

static void myself(void)
{
    char path[64], link[256];
    snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
    read_all("/proc/self/stat");
    fact("words of stat", "%d", words(text));
    char *end = strrchr(text, ')');
    int parent = 0, group = 0, session = 0;
    char state = 0;
    sscanf(end + 2, "%c %d %d %d", &state, &parent, &group, &session);
    fact("stat", "%c %d %d %d %d", state, atoi(text) == getpid(), parent == getppid(), group == getpgrp(),
         session == getsid(0));
    read_all("/proc/self/statm");
    fact("words of statm", "%d", words(text));
    read_all("/proc/self/status");
    fact("Umask", "%s", value_of("Umask"));
    fact("Threads", "%s", value_of("Threads"));
    fact("SigBlk", "%s", value_of("SigBlk"));
    fact("SigCgt", "%s", value_of("SigCgt"));
    fact("Uid", "%s", value_of("Uid"));
    fact("its Pid", "%d", atoi(value_of("\nPid")) == getpid());
    fact("VmSize, VmRSS", "%d %d", strstr(value_of("VmSize"), " kB") != NULL, strstr(value_of("VmRSS"), " kB") != NULL);
    FACT(readlink("/proc/self/cwd", link, sizeof(link)) > 0);
    FACT(readlink("/proc/self/root", link, sizeof(link)));
    memset(link, 0, sizeof(link));
    readlink("/proc/self", link, sizeof(link));
    fact("self", "%d", atoi(link) == getpid());
    FACT(access("/proc/self/exe", X_OK));
    FACT(open("/proc/self/exe", O_WRONLY | O_CREAT | O_EXCL));
    FACT(chdir("/proc/self/fd"));
    FACT(chdir("/proc/self/task"));
    FACT(chdir(".."));
    FACT(access("stat", R_OK));
    FACT(chdir("/"));
    FACT(open("/proc/none", O_RDONLY));
    FACT(open("/proc/99999999/stat", O_RDONLY));
    FACT(open("/proc/01/stat", O_RDONLY));
    FACT(mkdir("/proc/none", 0755));
    FACT(unlink("/proc/version"));
    FACT(rename("/proc/version", "/proc/none"));
    FACT(open("/proc/self/fd/77", O_RDONLY));
    FACT(open("/proc/self/stat", O_WRONLY) >= 0);
}

static void descriptors(void)
{
    int ends[2], count = 0;
    struct stat one, other;
    char link[256] = "";
    pipe(ends);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
    FACT(readlink(path, link, sizeof(link)) > 0);
    fact("a pipe", "%.6s", link);
    fstat(ends[0], &one);
    stat(path, &other);
    fact("the same pipe", "%d %d %o", one.st_ino == other.st_ino, one.st_dev == other.st_dev, other.st_mode);
    int again = open(path, O_WRONLY);
    FACT(write(again, "x", 1));
    FACT(read(ends[0], text, 9));
    close(again);
    close(ends[0]);
    close(ends[1]);
    int fd = open("deleted", O_CREAT | O_RDWR, 0600);
    write(fd, "still there", 11);
    unlink("deleted");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_RDONLY);
    FACT(read(again, text, 100));
    lstat(path, &one);
    fact("the link", "%o", one.st_mode);
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        count += isdigit((unsigned char)entry->d_name[0]) && entry->d_type == DT_LNK;
    }
    closedir(directory);
    fact("descriptors", "%d", count);
    close(again);
    close(fd);
}

static void maps(void)
{
    char line[512], rights[8], name[256];
    unsigned long start, end, last = 0, ordered = 1, stacks = 0, heaps = 0, codes = 0, column = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof(line), file) != NULL) {
        name[0] = 0;
        int fields = sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &start, &end, rights, name);
        ordered &= fields >= 3 && start >= last && end > start && strlen(rights) == 4;
        last = end;
        stacks += strcmp(name, "[stack]") == 0 && strcmp(rights, "rw-p") == 0;
        heaps += strcmp(name, "[heap]") == 0;
        codes += name[0] == '/' && strcmp(rights, "r-xp") == 0;
        column = name[0] == '/' ? (unsigned long)(strchr(line, '/') - line) : column;
    }
    fclose(file);
    fact("maps", "ordered %lu stacks %lu heaps %lu codes %lu column %lu", ordered, stacks, heaps, codes, column);
}

static void others(void)
{
    int status;
    pid_t child = fork();
    char path[64];
    if (child == 0) {
        _exit(3);
    }
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    snprintf(path, sizeof(path), "/proc/%d/stat", child);
    read_all(path);
    fact("a zombie", "%c", strrchr(text, ')')[2]);
    snprintf(path, sizeof(path), "/proc/%d/cmdline", child);
    FACT(read_all(path));
    snprintf(path, sizeof(path), "/proc/%d/maps", child);
    FACT(read_all(path));
    snprintf(path, sizeof(path), "/proc/%d/exe", child);
    FACT(open(path, O_RDONLY));
    waitpid(child, &status, 0);
    FACT(open(path, O_RDONLY));
}

static void whole(void)
{
    static const char *const files[] = {"uptime", "loadavg"};
    for (unsigned i = 0; i < 2; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/proc/%s", files[i]);
        read_all(path);
        fact(files[i], "%d words", words(text));
    }
    read_all("/proc/meminfo");
    fact("MemTotal", "%d", strstr(value_of("MemTotal"), " kB") != NULL);
    read_all("/proc/stat");
    fact("words of cpu", "%d", words(text));
    fact("btime", "%d", atol(value_of("btime")) > 1000000000);
    read_all("/proc/mounts");
    fact("words of mounts", "%d", words(text));
    FACT(read_all("/proc/self/mountinfo") > 0);
    FACT(read_all("/proc/filesystems") > 0);
    fact("nodev tmpfs", "%d", strstr(text, "nodev\ttmpfs\n") != NULL);
    FACT(read_all("/proc/version") > 0);
    FACT(read_all("/proc/sys/kernel/random/uuid"));
    char host[64];
    gethostname(host, sizeof(host));
    read_all("/proc/sys/kernel/hostname");
    fact("hostname", "%d", strncmp(text, host, strlen(host)) == 0 && text[strlen(host)] == '\n');
    FACT(read_all("/proc/self/cmdline") > 0);
    FACT(read_all("/proc/self/comm"));
    fact("comm", "%s", text);
    int fd = open("/proc/self/comm", O_WRONLY);
    FACT(write(fd, "another", 7));
    close(fd);
    FACT(read_all("/proc/self/comm"));
    fact("comm", "%s", text);
    fd = open("/proc/self/status", O_RDONLY);
    FACT(pread(fd, text, 5, 0));
    text[5] = 0;
    fact("in pieces", "%s", text);
    FACT(lseek(fd, 6, SEEK_SET));
    FACT(read(fd, text, 4));
    text[4] = 0;
    fact("in pieces", "%s", text);
    close(fd);
}

int main(void)
{
    myself();
    descriptors();
    maps();
    others();
    whole();
    return 0;
}
