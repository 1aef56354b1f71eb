// Who a process is. Source: credentials(7), setuid(2), setreuid(2), setresuid(2), setgroups(2), capabilities(7): those
// of effective user 0 may, others may not. All tasks of a process are the same user, as POSIX has it.
#include "kernel/mm/usercopy.h"
#include "kernel/proc/process.h"
#include "kernel/syscall/bodies.h"

#define UNCHANGED 0xffffffffu

static struct credentials *mine(void)
{
    return &thread_current()->process->as;
}

int64_t sys_getuid(const uint64_t arguments[6])
{
    return mine()->real_uid;
}

int64_t sys_geteuid(const uint64_t arguments[6])
{
    return mine()->effective_uid;
}

int64_t sys_getgid(const uint64_t arguments[6])
{
    return mine()->real_gid;
}

int64_t sys_getegid(const uint64_t arguments[6])
{
    return mine()->effective_gid;
}

// --- three of a kind -----------------------------------------------------------------------------------------------

// Of users, or of groups.
struct identity {
    uint32_t *real, *effective, *saved, *files;
};

static struct identity users(void)
{
    struct credentials *as = mine();
    return (struct identity){&as->real_uid, &as->effective_uid, &as->saved_uid, &as->uid};
}

static struct identity groups(void)
{
    struct credentials *as = mine();
    return (struct identity){&as->real_gid, &as->effective_gid, &as->saved_gid, &as->gid};
}

static bool is_privileged(void)
{
    return mine()->effective_uid == 0;
}

static bool is_one_of(const struct identity *id, uint32_t wanted)
{
    return wanted == UNCHANGED || wanted == *id->real || wanted == *id->effective || wanted == *id->saved;
}

static void assign(const struct identity *id, uint32_t real, uint32_t effective, uint32_t saved)
{
    *id->real = real != UNCHANGED ? real : *id->real;
    *id->effective = effective != UNCHANGED ? effective : *id->effective;
    *id->saved = saved != UNCHANGED ? saved : *id->saved;
    *id->files = *id->effective;
}

static int64_t set(const struct identity *id, uint32_t to)
{
    if (to == UNCHANGED) {
        return -EINVAL;
    }
    if (is_privileged()) {
        assign(id, to, to, to);
    } else if (to == *id->real || to == *id->saved) {
        assign(id, UNCHANGED, to, UNCHANGED);
    } else {
        return -EPERM;
    }
    return 0;
}

static int64_t set_two(const struct identity *id, uint32_t real, uint32_t effective)
{
    bool real_is_fine = real == UNCHANGED || real == *id->real || real == *id->effective;
    if (!is_privileged() && (!real_is_fine || !is_one_of(id, effective))) {
        return -EPERM;
    }
    bool saves = real != UNCHANGED || (effective != UNCHANGED && effective != *id->real);
    assign(id, real, effective, UNCHANGED);
    *id->saved = saves ? *id->effective : *id->saved;
    return 0;
}

static int64_t set_three(const struct identity *id, uint32_t real, uint32_t effective, uint32_t saved)
{
    if (!is_privileged() && !(is_one_of(id, real) && is_one_of(id, effective) && is_one_of(id, saved))) {
        return -EPERM;
    }
    assign(id, real, effective, saved);
    return 0;
}

static int64_t get_three(const struct identity *id, const uint64_t arguments[6])
{
    int error = copy_to_user(uaddr(arguments[0]), id->real, sizeof(*id->real));
    error = error != 0 ? error : copy_to_user(uaddr(arguments[1]), id->effective, sizeof(*id->effective));
    return error != 0 ? error : copy_to_user(uaddr(arguments[2]), id->saved, sizeof(*id->saved));
}

static int64_t set_for_files(const struct identity *id, uint32_t to)
{
    uint32_t before = *id->files;
    if (to != UNCHANGED && (is_privileged() || is_one_of(id, to) || to == before)) {
        *id->files = to;
    }
    return before; // it does not say whether it did
}

int64_t sys_setuid(const uint64_t arguments[6])
{
    struct identity id = users();
    return set(&id, (uint32_t)arguments[0]);
}

int64_t sys_setgid(const uint64_t arguments[6])
{
    struct identity id = groups();
    return set(&id, (uint32_t)arguments[0]);
}

int64_t sys_setreuid(const uint64_t arguments[6])
{
    struct identity id = users();
    return set_two(&id, (uint32_t)arguments[0], (uint32_t)arguments[1]);
}

int64_t sys_setregid(const uint64_t arguments[6])
{
    struct identity id = groups();
    return set_two(&id, (uint32_t)arguments[0], (uint32_t)arguments[1]);
}

int64_t sys_setresuid(const uint64_t arguments[6])
{
    struct identity id = users();
    return set_three(&id, (uint32_t)arguments[0], (uint32_t)arguments[1], (uint32_t)arguments[2]);
}

int64_t sys_setresgid(const uint64_t arguments[6])
{
    struct identity id = groups();
    return set_three(&id, (uint32_t)arguments[0], (uint32_t)arguments[1], (uint32_t)arguments[2]);
}

int64_t sys_getresuid(const uint64_t arguments[6])
{
    struct identity id = users();
    return get_three(&id, arguments);
}

int64_t sys_getresgid(const uint64_t arguments[6])
{
    struct identity id = groups();
    return get_three(&id, arguments);
}

int64_t sys_setfsuid(const uint64_t arguments[6])
{
    struct identity id = users();
    return set_for_files(&id, (uint32_t)arguments[0]);
}

int64_t sys_setfsgid(const uint64_t arguments[6])
{
    struct identity id = groups();
    return set_for_files(&id, (uint32_t)arguments[0]);
}

// --- supplementary groups ------------------------------------------------------------------------------------------

int64_t sys_getgroups(const uint64_t arguments[6])
{
    const struct credentials *as = mine();
    if ((int32_t)arguments[0] == 0) {
        return as->group_count;
    }
    if ((int32_t)arguments[0] < (int32_t)as->group_count) {
        return -EINVAL;
    }
    int error = copy_to_user(uaddr(arguments[1]), as->groups, as->group_count * sizeof(as->groups[0]));
    return error != 0 ? error : (int64_t)as->group_count;
}

int64_t sys_setgroups(const uint64_t arguments[6])
{
    struct credentials *as = mine();
    uint32_t list[ARRAY_SIZE(as->groups)];
    if (!is_privileged()) {
        return -EPERM;
    }
    if (arguments[0] > ARRAY_SIZE(as->groups)) {
        return -EINVAL;
    }
    int error = copy_from_user(list, uaddr(arguments[1]), arguments[0] * sizeof(list[0]));
    if (error == 0) {
        __builtin_memcpy(as->groups, list, arguments[0] * sizeof(list[0]));
        as->group_count = (unsigned)arguments[0];
    }
    return error;
}

// --- capabilities --------------------------------------------------------------------------------------------------

#define CAPABILITY_VERSION 0x20080522u // of the header, and two words of each set
#define CAPABILITY_SAME 0x20071026u    // so had this one
#define ALL_LOW 0xffffffffu
#define ALL_HIGH 0x1ffu

struct user_capabilities {
    uint32_t effective, permitted, inheritable;
};

static int check_header(uint64_t address, int32_t *pid)
{
    uint32_t header[2];
    int error = copy_from_user(header, uaddr(address), sizeof(header));
    if (error == 0 && header[0] != CAPABILITY_VERSION && header[0] != CAPABILITY_SAME) {
        header[0] = CAPABILITY_VERSION;
        error = copy_to_user(uaddr(address), header, sizeof(header[0]));
        error = error != 0 ? error : -EINVAL;
    }
    *pid = (int32_t)header[1];
    return error == 0 && *pid < 0 ? -EINVAL : error;
}

static void capabilities_of(const struct credentials *as, struct user_capabilities sets[2])
{
    bool all = as->effective_uid == 0;
    sets[0] = (struct user_capabilities){all ? ALL_LOW : 0, all ? ALL_LOW : 0, 0};
    sets[1] = (struct user_capabilities){all ? ALL_HIGH : 0, all ? ALL_HIGH : 0, 0};
}

int64_t sys_capget(const uint64_t arguments[6])
{
    struct user_capabilities sets[2];
    int32_t pid;
    int error = check_header(arguments[0], &pid);
    if (error == -EINVAL && arguments[1] == 0) {
        return 0; // only the version was asked for
    }
    struct process *process = error != 0 ? NULL : pid == 0 ? NULL : process_find_task(pid);
    if (error == 0 && pid != 0 && process == NULL) {
        error = -ESRCH;
    }
    if (error == 0) {
        capabilities_of(process != NULL ? &process->as : mine(), sets);
        error = arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), sets, sizeof(sets)) : 0;
    }
    process_put(process);
    return error;
}

// They go with the user: what is so already may be said.
int64_t sys_capset(const uint64_t arguments[6])
{
    struct user_capabilities sets[2], now[2];
    int32_t pid;
    int error = check_header(arguments[0], &pid);
    error = error != 0 ? error : copy_from_user(sets, uaddr(arguments[1]), sizeof(sets));
    capabilities_of(mine(), now);
    return error != 0 ? error : __builtin_memcmp(sets, now, sizeof(sets)) == 0 ? 0 : -EPERM;
}
