// What is left of a program's files: one event for each, sorted by name, without times and inode numbers.
#include "user/prog/internal.h"

#define AT_FDCWD_ ((uint64_t)-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define O_NONBLOCK 04000u
#define O_DIRECTORY 040000u
#define O_NOFOLLOW 0100000u
#define S_IFMT 0170000u
#define S_IFDIR 0040000u
#define S_IFREG 0100000u
#define S_IFLNK 0120000u

#define NAMES_MAX 48u // of a directory; the rest is left out, and said to be
#define NAME_ROOM 40u // of a longer name the beginning
#define PATH_ROOM 160u
#define DEPTH_MAX 3u
#define READ_SIZE 0x1000u
#define READS_MAX 128u

// In the first task's scratch memory, whose last call is over.
#define PATH_AT PROG_SCRATCH_BASE
#define DATA_AT (PROG_SCRATCH_BASE + 0x1000)

struct names {
    char text[NAMES_MAX][NAME_ROOM];
    unsigned count, left_out;
};

struct line {
    char text[PROG_EVENT_BYTES];
    uint32_t at;
};

static void add_text(struct line *line, const char *text)
{
    for (; *text != 0 && line->at < sizeof(line->text); text++) {
        line->text[line->at++] = *text;
    }
}

static void add_number(struct line *line, uint64_t value, unsigned base)
{
    char digits[24];
    unsigned at = sizeof(digits) - 1;
    digits[at] = 0;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    add_text(line, " ");
    add_text(line, digits + at);
}

static void tell(const struct prog_task *task, const struct line *line)
{
    const struct prog_event event = {.task = task->id,
                                     .kind = PROG_FILE,
                                     .list = task->list,
                                     .call = PROG_CALLS_MAX,
                                     .size = line->at,
                                     .bytes = line->text};
    prog_machine_trace(&event);
}

static int64_t path_call(uint64_t number, const char *path, uint64_t b, uint64_t c)
{
    uint64_t size = 1;
    while (path[size - 1] != 0) {
        size++;
    }
    prog_machine_write(PATH_AT, path, size);
    const uint64_t arguments[PROG_ARGUMENTS] = {AT_FDCWD_, PATH_AT, b, c};
    return prog_machine_call(number, arguments);
}

static uint64_t fnv(uint64_t hash, const uint8_t *bytes, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3ull;
    }
    return hash;
}

static uint64_t content(const char *path)
{
    uint8_t part[256];
    uint64_t hash = 0xcbf29ce484222325ull;
    int64_t fd = path_call(CALL_openat, path, O_NONBLOCK | O_NOFOLLOW, 0);
    for (unsigned i = 0; i < READS_MAX && fd >= 0; i++) {
        int64_t size = call3(CALL_read, (uint64_t)fd, DATA_AT, READ_SIZE);
        if (size <= 0) {
            break;
        }
        for (uint64_t at = 0; at < (uint64_t)size; at += sizeof(part)) {
            uint64_t some = (uint64_t)size - at < sizeof(part) ? (uint64_t)size - at : sizeof(part);
            prog_machine_read(part, DATA_AT + at, some);
            hash = fnv(hash, part, some);
        }
    }
    if (fd >= 0) {
        call3(CALL_close, (uint64_t)fd, 0, 0);
    }
    return fd < 0 ? (uint64_t)-fd : hash;
}

static void add_target(struct line *line, const char *path)
{
    char target[128];
    int64_t size = path_call(CALL_readlinkat, path, DATA_AT, sizeof(target) - 1);
    if (size > 0) {
        prog_machine_read(target, DATA_AT, (size_t)size);
        target[size] = 0;
        add_text(line, " -> ");
        add_text(line, target);
    }
}

static int compare(const char *a, const char *b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

// Keeps the first in order.
static void insert(struct names *names, const char *name, uint64_t room)
{
    char text[NAME_ROOM];
    unsigned size = 0;
    for (; size < NAME_ROOM - 1 && size < room && name[size] != 0; size++) {
        text[size] = name[size];
    }
    text[size] = 0;
    if (compare(text, ".") == 0 || compare(text, "..") == 0) {
        return;
    }
    if (names->count == NAMES_MAX) {
        names->left_out++;
        if (compare(text, names->text[NAMES_MAX - 1]) >= 0) {
            return;
        }
        names->count--;
    }
    unsigned at = names->count++;
    for (; at > 0 && compare(text, names->text[at - 1]) < 0; at--) {
        __builtin_memcpy(names->text[at], names->text[at - 1], NAME_ROOM);
    }
    __builtin_memcpy(names->text[at], text, NAME_ROOM);
}

static void take_names(int64_t fd, struct names *names)
{
    uint8_t entries[1024];
    for (;;) {
        int64_t size = call3(CALL_getdents64, (uint64_t)fd, DATA_AT, sizeof(entries));
        if (size <= 0) {
            return;
        }
        prog_machine_read(entries, DATA_AT, (size_t)size);
        for (uint64_t at = 0; at + 19 < (uint64_t)size;) {
            uint64_t length = entries[at + 16] | entries[at + 17] << 8;
            if (length < 20 || length > (uint64_t)size - at) {
                return;
            }
            insert(names, (const char *)entries + at + 19, length - 19);
            at += length;
        }
    }
}

static void dump(const struct prog_task *task, const char *path, unsigned depth);

static void dump_directory(const struct prog_task *task, const char *path, unsigned depth)
{
    struct names names = {.count = 0};
    char below[PATH_ROOM];
    int64_t fd = path_call(CALL_openat, path, O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0) {
        return;
    }
    take_names(fd, &names);
    call3(CALL_close, (uint64_t)fd, 0, 0);
    for (unsigned i = 0; i < names.count; i++) {
        unsigned size = 0;
        for (; path[size] != 0; size++) {
            below[size] = path[size];
        }
        below[size++] = '/';
        for (unsigned j = 0; names.text[i][j] != 0 && size < PATH_ROOM - 1; j++) {
            below[size++] = names.text[i][j];
        }
        below[size] = 0;
        dump(task, below, depth + 1);
    }
    if (names.left_out > 0) {
        struct line line = {.at = 0};
        add_text(&line, path);
        add_text(&line, "/...");
        add_number(&line, names.left_out, 10);
        tell(task, &line);
    }
}

static uint32_t word(const uint8_t *stat, unsigned at)
{
    uint32_t value;
    __builtin_memcpy(&value, stat + at, sizeof(value));
    return value;
}

// path, mode, links, owner, group, and what it holds.
static void dump(const struct prog_task *task, const char *path, unsigned depth)
{
    uint8_t stat[128];
    struct line line = {.at = 0};
    int64_t result = path_call(CALL_newfstatat, path, DATA_AT, AT_SYMLINK_NOFOLLOW);
    add_text(&line, path);
    if (failed(result)) {
        add_text(&line, " error");
        add_number(&line, (uint64_t)-result, 10);
        tell(task, &line);
        return;
    }
    prog_machine_read(stat, DATA_AT, sizeof(stat));
    uint32_t mode = word(stat, 16);
    add_number(&line, mode, 8);
    add_number(&line, word(stat, 20), 10);
    add_number(&line, word(stat, 24), 10);
    add_number(&line, word(stat, 28), 10);
    if ((mode & S_IFMT) == S_IFREG) {
        add_number(&line, word(stat, 48), 10);
        add_number(&line, content(path), 16);
    } else if ((mode & S_IFMT) == S_IFLNK) {
        add_target(&line, path);
    }
    tell(task, &line);
    if ((mode & S_IFMT) == S_IFDIR && depth < DEPTH_MAX) {
        dump_directory(task, path, depth);
    }
}

void prog_dump(const struct prog_task *task)
{
    dump(task, "/w", 0);
}
