// Who a task is. Source: credentials(7), setuid(2), setreuid(2), setresuid(2), setfsuid(2), setgroups(2). A call makes
// a copy of the task's credentials, changes that, and becomes it: kernel/proc/access.h. Capabilities: capabilities.c.
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/usercopy.h"
#include "kernel/proc/access.h"
#include "kernel/proc/limits.h"
#include "kernel/syscall/bodies.h"

int64_t sys_getuid(const uint64_t arguments[6])
{
    return credentials_current()->real_uid;
}

int64_t sys_geteuid(const uint64_t arguments[6])
{
    return credentials_current()->effective_uid;
}

int64_t sys_getgid(const uint64_t arguments[6])
{
    return credentials_current()->real_gid;
}

int64_t sys_getegid(const uint64_t arguments[6])
{
    return credentials_current()->effective_gid;
}

// --- three of a kind -----------------------------------------------------------------------------------------------

// Of users, or of groups: of a copy that is being changed.
struct identity {
    struct credentials *copy;
    uint32_t *real, *effective, *saved, *files;
    unsigned capability;
};

static int begin(bool users, struct identity *out)
{
    struct credentials *copy;
    int error = credentials_copy(credentials_current(), &copy);
    if (error != 0) {
        return error;
    }
    if (users) {
        *out = (struct identity){copy, &copy->real_uid, &copy->effective_uid, &copy->saved_uid, &copy->uid, CAP_SETUID};
    } else {
        *out = (struct identity){copy, &copy->real_gid, &copy->effective_gid, &copy->saved_gid, &copy->gid, CAP_SETGID};
    }
    return 0;
}

// A user who has more tasks than his limit is told when they start a program (execve(2)).
static void note_limit(const struct credentials *copy)
{
    bool other = copy->account != credentials_current()->account && copy->account != &account_root;
    uint64_t limit = process_limit(process_current(), RLIMIT_NPROC);
    task_current()->over_limit = other && account_charged(copy->account, CHARGE_TASKS) >= limit;
}

static int end(const struct identity *id, int error, enum credentials_change change)
{
    if (error == 0 && id->capability == CAP_SETUID) {
        error = credentials_find_account(id->copy);
    }
    if (error != 0) {
        credentials_put(id->copy);
        return error;
    }
    if (id->capability == CAP_SETUID) {
        credentials_follow_user(id->copy, credentials_current(), change);
        note_limit(id->copy);
    }
    task_become(id->copy);
    return 0;
}

static bool is_one_of(const struct identity *id, uint32_t wanted)
{
    return wanted == ID_NONE || wanted == *id->real || wanted == *id->effective || wanted == *id->saved;
}

static void assign(const struct identity *id, uint32_t real, uint32_t effective, uint32_t saved)
{
    *id->real = real != ID_NONE ? real : *id->real;
    *id->effective = effective != ID_NONE ? effective : *id->effective;
    *id->saved = saved != ID_NONE ? saved : *id->saved;
    *id->files = *id->effective;
}

static int64_t set_one(bool users, uint32_t to)
{
    struct identity id;
    int error = to == ID_NONE ? -EINVAL : begin(users, &id);
    if (error != 0) {
        return error;
    }
    if (capable(id.capability)) {
        assign(&id, to, to, to);
    } else if (to == *id.real || to == *id.saved) {
        assign(&id, ID_NONE, to, ID_NONE);
    } else {
        error = -EPERM;
    }
    return end(&id, error, CHANGE_USERS);
}

static int64_t set_two(bool users, uint32_t real, uint32_t effective)
{
    struct identity id;
    int error = begin(users, &id);
    if (error != 0) {
        return error;
    }
    bool real_is_fine = real == ID_NONE || real == *id.real || real == *id.effective;
    if (!capable(id.capability) && (!real_is_fine || !is_one_of(&id, effective))) {
        error = -EPERM;
    } else {
        bool saves = real != ID_NONE || (effective != ID_NONE && effective != *id.real);
        assign(&id, real, effective, ID_NONE);
        *id.saved = saves ? *id.effective : *id.saved;
    }
    return end(&id, error, CHANGE_USERS);
}

static int64_t set_three(bool users, uint32_t real, uint32_t effective, uint32_t saved)
{
    struct identity id;
    int error = begin(users, &id);
    if (error != 0) {
        return error;
    }
    if (!capable(id.capability) && !(is_one_of(&id, real) && is_one_of(&id, effective) && is_one_of(&id, saved))) {
        error = -EPERM;
    } else {
        assign(&id, real, effective, saved);
        *id.files = *id.effective;
    }
    return end(&id, error, CHANGE_USERS);
}

static int64_t tell_three(uint32_t real, uint32_t effective, uint32_t saved, const uint64_t arguments[6])
{
    int error = copy_to_user(uaddr(arguments[0]), &real, sizeof(real));
    error = error != 0 ? error : copy_to_user(uaddr(arguments[1]), &effective, sizeof(effective));
    return error != 0 ? error : copy_to_user(uaddr(arguments[2]), &saved, sizeof(saved));
}

// Does not say whether it did, only what was.
static int64_t set_for_files(bool users, uint32_t to)
{
    struct identity id;
    const struct credentials *me = credentials_current();
    uint32_t before = users ? me->uid : me->gid;
    if (to == ID_NONE || to == before || begin(users, &id) != 0) {
        return before;
    }
    int error = is_one_of(&id, to) || capable(id.capability) ? 0 : -EPERM;
    *id.files = to;
    (void)end(&id, error, CHANGE_FILE_USER);
    return before;
}

int64_t sys_setuid(const uint64_t arguments[6])
{
    return set_one(true, (uint32_t)arguments[0]);
}

int64_t sys_setgid(const uint64_t arguments[6])
{
    return set_one(false, (uint32_t)arguments[0]);
}

int64_t sys_setreuid(const uint64_t arguments[6])
{
    return set_two(true, (uint32_t)arguments[0], (uint32_t)arguments[1]);
}

int64_t sys_setregid(const uint64_t arguments[6])
{
    return set_two(false, (uint32_t)arguments[0], (uint32_t)arguments[1]);
}

int64_t sys_setresuid(const uint64_t arguments[6])
{
    return set_three(true, (uint32_t)arguments[0], (uint32_t)arguments[1], (uint32_t)arguments[2]);
}

int64_t sys_setresgid(const uint64_t arguments[6])
{
    return set_three(false, (uint32_t)arguments[0], (uint32_t)arguments[1], (uint32_t)arguments[2]);
}

int64_t sys_getresuid(const uint64_t arguments[6])
{
    const struct credentials *me = credentials_current();
    return tell_three(me->real_uid, me->effective_uid, me->saved_uid, arguments);
}

int64_t sys_getresgid(const uint64_t arguments[6])
{
    const struct credentials *me = credentials_current();
    return tell_three(me->real_gid, me->effective_gid, me->saved_gid, arguments);
}

int64_t sys_setfsuid(const uint64_t arguments[6])
{
    return set_for_files(true, (uint32_t)arguments[0]);
}

int64_t sys_setfsgid(const uint64_t arguments[6])
{
    return set_for_files(false, (uint32_t)arguments[0]);
}

// --- supplementary groups ------------------------------------------------------------------------------------------

int64_t sys_getgroups(const uint64_t arguments[6])
{
    const struct credentials *me = credentials_current();
    uint32_t count = credentials_group_count(me);
    if ((int32_t)arguments[0] < 0 || ((int32_t)arguments[0] != 0 && (uint32_t)arguments[0] < count)) {
        return -EINVAL;
    }
    bool tells = arguments[0] != 0 && count > 0;
    int error = tells ? copy_to_user(uaddr(arguments[1]), me->groups->ids, count * sizeof(uint32_t)) : 0;
    return error != 0 ? error : (int64_t)count;
}

static int read_groups(uint64_t from, uint32_t *ids, uint32_t count)
{
    int error = copy_from_user(ids, uaddr(from), count * sizeof(ids[0]));
    for (uint32_t i = 0; i < count && error == 0; i++) {
        error = ids[i] == ID_NONE ? -EINVAL : 0;
    }
    return error;
}

int64_t sys_setgroups(const uint64_t arguments[6])
{
    struct credentials *copy;
    void *ids = NULL;
    uint32_t count = (uint32_t)arguments[0];
    if (!capable(CAP_SETGID)) {
        return -EPERM;
    }
    if (count > GROUPS_MAX) {
        return -EINVAL;
    }
    int error = count > 0 ? kmalloc(count * sizeof(uint32_t), &ids) : 0;
    error = error != 0 || count == 0 ? error : read_groups(arguments[1], ids, count);
    error = error != 0 ? error : credentials_copy(credentials_current(), &copy);
    if (error == 0) {
        error = credentials_set_groups(copy, ids, count);
        if (error == 0) {
            task_become(copy);
        } else {
            credentials_put(copy);
        }
    }
    kfree(ids);
    return error;
}
