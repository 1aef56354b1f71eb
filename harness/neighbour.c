// The neighbour of fuzz_neighbour: what it has, what it does, and whether that is still its own.
#include "harness/neighbour.h"

#include "harness/harness.h"

#include <hal/timer.h>

#include "kernel/base/atomic.h"
#include "kernel/debug/log.h"
#include "kernel/fs/mount.h"
#include "kernel/proc/process_internal.h"
#include "kernel/proc/uts.h"
#include "kernel/sched/policy.h"
#include "kernel/time/clock.h"

#include <stdio.h>
#include <string.h>

#define MEMORY 0x30000000ull // its page of marks
#define ROUNDS 3u            // of work
#define FILES 8u             // descriptors that are looked at
#define LOOKS_MAX 20000u     // of which each lets it run: then it does not get on

#define SYS_CHDIR 49u
#define SYS_CHROOT 51u
#define SYS_CHMODAT 53u
#define SYS_OPENAT 56u
#define SYS_CLOSE 57u
#define SYS_PIPE2 59u
#define SYS_READ 63u
#define SYS_WRITE 64u
#define SYS_PREAD 67u
#define SYS_FSTAT 80u
#define SYS_SCHED_YIELD 124u
#define SYS_RT_SIGPROCMASK 135u
#define SYS_RT_SIGTIMEDWAIT 137u
#define SYS_SETRESUID 147u
#define SYS_UMASK 166u
#define SYS_MKDIRAT 34u
#define SYS_MKNODAT 33u
#define SYS_UNLINKAT 35u
#define SYS_KILL 129u
#define SYS_MMAP 222u
#define STAT_LINKS 20 // where st_nlink lies
#define STAT_SIZE 128

bool world_has_neighbour;

static const uint8_t mark[8] = {0xa7, 0x1d, 0xe3, 0x5b, 0x92, 0xc8, 0x36, 0xf4};

// Objects in its files, and what they were like before the program began.
struct object {
    const char *path;
    uint32_t mode, uid, gid, links;
    uint64_t size, contents;
};

static struct {
    struct process *process; // a reference
    bool ready, awake, done;
    struct object objects[8];
    struct sched_policy policy;
    struct limits limits;
    struct file *files[FILES];
    struct uts_names names;
    uint64_t clock;
    uint32_t allowed, log;
    int32_t group, session, oom;
} neighbour __attribute__((section("kernel_data")));

bool neighbour_is(const struct process *process)
{
    return process != NULL && process == neighbour.process;
}

// --- its user space ------------------------------------------------------------------------------------------------

static void fill(uint64_t address, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(mark)) {
        prog_machine_write(address + at, mark, sizeof(mark));
    }
}

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    return prog_machine_call(number, (const uint64_t[6]){a, b, c, d});
}

static uint64_t must(int64_t result, const char *what)
{
    EXPECT_MODEL(result >= 0, "the neighbour's %s gave %lld", what, (long long)result);
    return (uint64_t)result;
}

static void make_file(const char *path, uint64_t mode, uint64_t from, bool keep_open)
{
    uint64_t fd = must(call(SYS_OPENAT, 0, world_text(0, path), O_RDWR | O_CREAT, mode), path);
    must(call(SYS_WRITE, fd, from, 64, 0), path);
    if (!keep_open) {
        must(call(SYS_CLOSE, fd, 0, 0, 0), path);
    }
}

static void make_objects(void)
{
    const uint64_t map[6] = {MEMORY, PAGE_SIZE, 3, 0x32, ~0ull};
    must(prog_machine_call(SYS_MMAP, map), "mmap");
    fill(MEMORY, PAGE_SIZE);
    uint64_t mask = must(call(SYS_UMASK, 0, 0, 0, 0), "umask");
    must(call(SYS_MKDIRAT, 0, world_text(0, "/keep"), 0755, 0), "mkdir");
    must(call(SYS_MKDIRAT, 0, world_text(0, "/keep/vault"), 0700, 0), "mkdir");
    must(call(SYS_MKDIRAT, 0, world_text(0, "/keep/sticky"), 01777, 0), "mkdir");
    must(call(SYS_CHMODAT, 0, world_text(0, "/keep/sticky"), 01777, 0), "chmod");
    make_file("/keep/secret", 0600, MEMORY, true);
    make_file("/keep/public", 0644, world_text(2, "everybody may read this, and nobody may write it\n"), false);
    make_file("/keep/vault/inside", 0644, MEMORY, false);
    make_file("/keep/sticky/file", 0600, MEMORY, false);
    must(call(SYS_MKNODAT, 0, world_text(0, "/keep/fifo"), S_IFIFO | 0600, 0), "mkfifo");
    uint64_t ends = MEMORY; // the marks there come back below
    must(call(SYS_PIPE2, ends, 0, 0, 0), "pipe");
    uint32_t fds[2];
    prog_machine_read(fds, ends, sizeof(fds));
    fill(MEMORY, sizeof(mark));
    must(call(SYS_WRITE, fds[1], MEMORY, 64, 0), "write");
    must(call(SYS_UMASK, mask, 0, 0, 0), "umask");
}

// Like a daemon that acts for a user for a while: real and saved user stay root. Who compares one of them only takes it
// for that user's.
// False: there was no memory to become that user, and it is who it was.
static bool act_for(uint64_t user)
{
    return call(SYS_SETRESUID, ~0ull, user, ~0ull, 0) == 0;
}

// A file that nobody else may touch, for as long as it has it.
static void work(void)
{
    uint8_t back[16], status[144];
    uint64_t path = world_text(0, "/keep/sticky/made"), scratch = world_text(2, "");
    int64_t fd = call(SYS_OPENAT, 0, path, O_RDWR | O_CREAT | 0200 /* O_EXCL */, 0600);
    if (fd >= 0) {
        bool wrote = call(SYS_WRITE, (uint64_t)fd, MEMORY, sizeof(back), 0) == sizeof(back);
        call(SYS_SCHED_YIELD, 0, 0, 0, 0);
        if (wrote && call(SYS_PREAD, (uint64_t)fd, scratch, sizeof(back), 0) == sizeof(back)) {
            prog_machine_read(back, scratch, sizeof(back));
            EXPECT_MODEL(memcmp(back, mark, 8) == 0, "the neighbour's file holds what another user wrote");
        }
        scratch -= sizeof(status);
        if (call(SYS_FSTAT, (uint64_t)fd, scratch, 0, 0) == 0) {
            prog_machine_read(status, scratch, sizeof(status));
            EXPECT_MODEL(status[STAT_LINKS] == 1, "another user took the name of the neighbour's file");
        }
    }
    int64_t gone = call(SYS_UNLINKAT, 0, world_text(0, "/keep/sticky/made"), 0, 0);
    EXPECT_MODEL(fd < 0 || gone != -ENOENT, "another user removed the neighbour's file");
    if (fd >= 0) {
        call(SYS_CLOSE, (uint64_t)fd, 0, 0, 0);
    }
}

static void wait_for(int signal)
{
    const uint64_t set = signal_bit(signal);
    uint64_t at = world_text(1, "");
    do {
        prog_machine_write(at, &set, sizeof(set));
    } while (call(SYS_RT_SIGTIMEDWAIT, at, 0, 0, 8) != signal);
}

_Noreturn void neighbour_live(void)
{
    const uint64_t all = ~0ull;
    world_make_root();
    make_objects();
    uint64_t at = world_text(1, "");
    prog_machine_write(at, &all, sizeof(all));
    must(call(SYS_RT_SIGPROCMASK, 2, at, 0, 8), "sigprocmask");
    (void)act_for(PROG_USER);
    neighbour.ready = true;
    wait_for(10); // SIGUSR1
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (act_for(0)) { // what it made as the user would be the user's
            work();
            (void)act_for(PROG_USER);
        }
    }
    neighbour.done = true;
    for (;;) {
        wait_for(12);
    }
}

void neighbour_wake(void)
{
    neighbour.clock = clock_realtime_offset();
    neighbour.log = log_restricted;
    uts_get(&neighbour.names);
    neighbour.awake = true;
    must(call(SYS_KILL, PROG_NEIGHBOUR, 10, 0, 0), "signal");
}

// --- what it has ---------------------------------------------------------------------------------------------------

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
    }
    return hash;
}

static uint64_t hash_names(struct vnode *directory)
{
    char name[NAME_MAX];
    struct directory_entry entry;
    uint64_t hash = 0, cursor = 0;
    while (directory->ops->entry(directory, &cursor, &entry, name) == 0) {
        hash += mix(entry.ino, entry.name, entry.length); // in whichever order
    }
    return hash;
}

static uint64_t hash_bytes(struct vnode *node)
{
    char bytes[512];
    struct file *file;
    uint64_t hash = 0;
    if (file_create(NULL, node, O_RDONLY, &file) == 0) {
        struct io io = {.kernel = bytes, .left = sizeof(bytes)};
        int64_t size = node->ops->open(node, file) == 0 ? file_read_at(file, &io, 0) : -1;
        hash = mix(1, bytes, size > 0 ? (size_t)size : 0);
        file_put(file);
    }
    return hash;
}

static void look_at(const char *name, struct object *out)
{
    static char path[PATH_MAX];
    struct path_start start = {neighbour.process->root, neighbour.process->root, &credentials_kernel};
    struct path_end end;
    *out = (struct object){.path = name};
    (void)snprintf(path, sizeof(path), "%s", name);
    if (path_walk(&start, path, 0, &end) != 0) {
        return;
    }
    struct vnode *node = end.node;
    bool strangers_make_names = (node->mode & 0002) != 0;
    out->mode = node->mode;
    out->uid = node->uid;
    out->gid = node->gid;
    out->links = strangers_make_names ? 0 : node->links;
    out->size = vnode_is(node, S_IFREG) ? node->size : 0;
    out->contents = vnode_is(node, S_IFREG)                            ? hash_bytes(node)
                    : vnode_is(node, S_IFDIR) && !strangers_make_names ? hash_names(node)
                                                                       : 0;
    path_end_put(&end);
}

static const char *const paths[] = {"/keep",        "/keep/vault", "/keep/sticky",       "/keep/secret",
                                    "/keep/public", "/keep/fifo",  "/keep/vault/inside", "/keep/sticky/file"};

static void remember(void)
{
    struct process *process = neighbour.process;
    const struct task *task = list_first(&process->tasks, struct task, sibling);
    for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
        look_at(paths[i], &neighbour.objects[i]);
        EXPECT_MODEL(neighbour.objects[i].mode != 0, "the neighbour has no %s", paths[i]);
    }
    for (uint32_t fd = 0; fd < FILES; fd++) { // kept by the table: only to be compared
        neighbour.files[fd] = fd < process->files->capacity ? process->files->slots[fd].file : NULL;
    }
    neighbour.policy = task->thread->policy;
    neighbour.allowed = task->thread->allowed;
    neighbour.limits = process->limits;
    neighbour.group = process->group;
    neighbour.session = process->session;
    neighbour.oom = process->oom_score_adj;
}

void neighbour_start(void)
{
    const char *const argv[] = {"/bin/prog", NULL};
    int32_t last = family.last_id;
    family.last_id = PROG_NEIGHBOUR - 1;
    neighbour.ready = neighbour.awake = neighbour.done = false;
    world.starts = IMAGE_NEIGHBOUR;
    int error = process_spawn("/bin/prog", argv, &neighbour.process);
    EXPECT_MODEL(error == 0 && neighbour.process->pid == PROG_NEIGHBOUR, "the neighbour does not start: %d", error);
    WRITE_ONCE(neighbour.process->oom_score_adj, -1000); // it is not what the program's greed is to end
    family.last_id = last;
    while (!READ_ONCE(neighbour.ready)) {
        thread_sleep_until(timer_now() + 1000000);
    }
    remember();
}

// --- whether it still has it ---------------------------------------------------------------------------------------

static void compare_object(const struct object *before)
{
    struct object now;
    look_at(before->path, &now);
    EXPECT_MODEL(now.mode != 0, "another user removed %s", before->path);
    EXPECT_MODEL(now.mode == before->mode, "another user changed the mode of %s", before->path);
    EXPECT_MODEL(now.uid == before->uid && now.gid == before->gid, "another user changed the owner of %s",
                 before->path);
    EXPECT_MODEL(now.links == before->links, "another user gave or took names of %s", before->path);
    EXPECT_MODEL(now.size == before->size && now.contents == before->contents, "another user changed what is in %s",
                 before->path);
}

static void compare_process(const struct process *process)
{
    static uint8_t bytes[PAGE_SIZE];
    EXPECT_MODEL(!process->ended && !process->exiting, "another user ended the neighbour");
    EXPECT_MODEL(!process->stopping && !process->stopped, "another user stopped the neighbour");
    const struct task *task = list_first(&process->tasks, struct task, sibling);
    EXPECT_MODEL((process->signals.shared.pending | task->signals.own.pending) == 0, "another user sent a signal");
    EXPECT_MODEL(memcmp(&task->thread->policy, &neighbour.policy, sizeof(neighbour.policy)) == 0,
                 "another user changed the neighbour's policy");
    EXPECT_MODEL(task->thread->allowed == neighbour.allowed, "another user changed the neighbour's CPUs");
    EXPECT_MODEL(memcmp(&process->limits, &neighbour.limits, sizeof(neighbour.limits)) == 0,
                 "another user changed the neighbour's limits");
    EXPECT_MODEL(process->oom_score_adj == -1000, "another user offers the neighbour when memory runs out");
    EXPECT_MODEL(process->group == neighbour.group && process->session == neighbour.session,
                 "another user moved the neighbour to another group");
    for (uint32_t fd = 0; fd < FILES && fd < process->files->capacity; fd++) {
        EXPECT_MODEL(process->files->slots[fd].file == neighbour.files[fd], "descriptor %u of the neighbour changed",
                     fd);
    }
    bool whole = space_read(process->space, MEMORY, bytes, sizeof(bytes)) == 0;
    for (size_t at = 0; at < sizeof(bytes) && whole; at += sizeof(mark)) {
        whole = memcmp(bytes + at, mark, sizeof(mark)) == 0;
    }
    EXPECT_MODEL(whole, "another user changed the neighbour's memory");
}

void neighbour_judge(void)
{
    struct process *process = neighbour.process;
    struct uts_names names;
    for (unsigned looks = 0; neighbour.awake && !READ_ONCE(neighbour.done); looks++) {
        EXPECT_MODEL(looks < LOOKS_MAX, "the neighbour does not get on with its work");
        thread_sleep_until(timer_now() + 1000000);
    }
    compare_process(process);
    for (unsigned i = 0; i < ARRAY_SIZE(neighbour.objects); i++) {
        compare_object(&neighbour.objects[i]);
    }
    uts_get(&names);
    EXPECT_MODEL(memcmp(&names, &neighbour.names, sizeof(names)) == 0, "another user named the machine");
    EXPECT_MODEL(clock_realtime_offset() == neighbour.clock, "another user set the time");
    EXPECT_MODEL(log_restricted == neighbour.log, "another user opened the log");
    signal_send(process, &(struct signal_info){.signal = SIGKILL, .code = SI_KERNEL});
    (void)process_wait(process);
    neighbour.process = NULL;
}

void neighbour_seen(const void *bytes, size_t size)
{
    const struct process *process = process_current();
    if (!world.guarded || process == NULL || neighbour_is(process) || size < sizeof(mark)) {
        return;
    }
    if (memmem(bytes, size, mark, sizeof(mark)) != NULL) {
        machine_finding("leak-to-another-user", "what root keeps from everybody went to process %d of another user",
                        process->pid);
    }
}
