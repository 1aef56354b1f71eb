// Sets of credentials, and the rules by which capabilities follow users. Source: capabilities(7), execve(2).
#include "kernel/cred/credentials.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sched/thread.h"

struct credentials credentials_kernel = {.references = 1,
                                         .permitted = CAPABILITIES_ALL,
                                         .effective = CAPABILITIES_ALL,
                                         .bounding = CAPABILITIES_ALL,
                                         .account = &account_root};

const struct credentials *credentials_current(void)
{
    const struct thread *me = thread_current();
    return me != NULL && me->as != NULL ? me->as : &credentials_kernel;
}

bool credentials_capable(const struct credentials *as, unsigned capability)
{
    return (as->effective & CAP_BIT(capability)) != 0;
}

bool capable(unsigned capability)
{
    return credentials_capable(credentials_current(), capability);
}

// --- references ----------------------------------------------------------------------------------------------------

static void groups_put(struct group_list *groups)
{
    if (groups != NULL && __atomic_fetch_sub(&groups->references, 1, __ATOMIC_ACQ_REL) == 1) {
        kfree(groups);
    }
}

// The count of references is not part of what never changes.
static uint32_t *references_of(const struct credentials *as)
{
    return &((struct credentials *)as)->references;
}

const struct credentials *credentials_get(const struct credentials *as)
{
    uint32_t before = atomic_add(references_of(as), 1);
    ASSERT(before > 0);
    return as;
}

void credentials_put(const struct credentials *as)
{
    if (as == NULL) {
        return;
    }
    uint32_t before = __atomic_fetch_sub(references_of(as), 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before == 1) {
        groups_put(as->groups);
        account_put(as->account);
        kfree((void *)as);
    }
}

int credentials_copy(const struct credentials *as, struct credentials **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct credentials), &memory);
    if (error != 0) {
        return error;
    }
    struct credentials *copy = memory;
    const size_t skip = offsetof(struct credentials, uid); // others count theirs meanwhile
    __builtin_memcpy((char *)copy + skip, (const char *)as + skip, sizeof(*copy) - skip);
    copy->references = 1;
    if (copy->groups != NULL) {
        (void)atomic_add(&copy->groups->references, 1);
    }
    copy->account = account_get(as->account);
    *out = copy;
    return 0;
}

int credentials_find_account(struct credentials *copy)
{
    struct account *account;
    if (copy->account->uid == copy->real_uid) {
        return 0;
    }
    int error = account_of(copy->real_uid, &account);
    if (error == 0) {
        account_put(copy->account);
        copy->account = account;
    }
    return error;
}

// --- groups --------------------------------------------------------------------------------------------------------

static void sift_down(uint32_t *ids, uint32_t at, uint32_t count)
{
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && ids[child] < ids[child + 1];
        if (ids[at] >= ids[child]) {
            return;
        }
        uint32_t other = ids[at];
        ids[at] = ids[child];
        ids[child] = other;
    }
}

static void sort(uint32_t *ids, uint32_t count) // a heap: n log n, whatever the caller gives
{
    for (uint32_t at = count / 2; at-- > 0;) {
        sift_down(ids, at, count);
    }
    for (uint32_t end = count; end-- > 1;) {
        uint32_t other = ids[0];
        ids[0] = ids[end];
        ids[end] = other;
        sift_down(ids, 0, end);
    }
}

int credentials_set_groups(struct credentials *copy, uint32_t *ids, uint32_t count)
{
    struct group_list *groups = NULL;
    void *memory;
    if (count > 0) {
        int error = kmalloc(sizeof(*groups) + count * sizeof(ids[0]), &memory);
        if (error != 0) {
            return error;
        }
        sort(ids, count);
        groups = memory;
        groups->references = 1;
        groups->count = count;
        __builtin_memcpy(groups->ids, ids, count * sizeof(ids[0]));
    }
    groups_put(copy->groups);
    copy->groups = groups;
    return 0;
}

bool credentials_in_group(const struct credentials *as, uint32_t gid)
{
    if (as->gid == gid) {
        return true;
    }
    uint32_t low = 0, high = credentials_group_count(as);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (as->groups->ids[middle] == gid) {
            return true;
        }
        low = as->groups->ids[middle] < gid ? middle + 1 : low;
        high = as->groups->ids[middle] > gid ? middle : high;
    }
    return false;
}

uint32_t credentials_group_count(const struct credentials *as)
{
    return as->groups != NULL ? as->groups->count : 0;
}

// --- capabilities follow users -------------------------------------------------------------------------------------

static bool any_is_root(const struct credentials *as)
{
    return as->real_uid == 0 || as->effective_uid == 0 || as->saved_uid == 0;
}

static bool secured(const struct credentials *as, unsigned number)
{
    return (as->securebits & SECURE_BIT(number)) != 0;
}

void credentials_follow_user(struct credentials *copy, const struct credentials *old, enum credentials_change change)
{
    if (secured(copy, SECURE_NO_SETUID_FIXUP)) {
        return;
    }
    if (change == CHANGE_FILE_USER) {
        if (old->uid == 0 && copy->uid != 0) {
            copy->effective &= ~CAPABILITIES_OF_FILES;
        } else if (old->uid != 0 && copy->uid == 0) {
            copy->effective |= copy->permitted & CAPABILITIES_OF_FILES;
        }
        return;
    }
    if (any_is_root(old) && !any_is_root(copy)) {
        if (!secured(copy, SECURE_KEEP_CAPS)) {
            copy->permitted = copy->effective = 0;
        }
        copy->ambient = 0;
    }
    if (old->effective_uid == 0 && copy->effective_uid != 0) {
        copy->effective = 0;
    } else if (old->effective_uid != 0 && copy->effective_uid == 0) {
        copy->effective = copy->permitted;
    }
}

bool credentials_exec(struct credentials *copy, const struct credentials *old, bool no_gain)
{
    uint64_t permitted = 0;
    bool all_effective = false;
    bool root_counts = !secured(copy, SECURE_NOROOT);
    if (root_counts && (copy->effective_uid == 0 || copy->real_uid == 0)) {
        permitted = old->bounding | old->inheritable;
        all_effective = copy->effective_uid == 0;
    }
    bool other_user = copy->effective_uid != old->real_uid || copy->effective_gid != old->real_gid;
    if ((other_user || !capabilities_within(permitted, old->permitted)) && no_gain) {
        copy->effective_uid = copy->real_uid;
        copy->effective_gid = copy->real_gid;
        permitted &= old->permitted;
    }
    copy->saved_uid = copy->uid = copy->effective_uid;
    copy->saved_gid = copy->gid = copy->effective_gid;
    copy->ambient = other_user ? 0 : copy->ambient;
    copy->permitted = permitted | copy->ambient;
    copy->effective = all_effective ? copy->permitted : copy->ambient;
    copy->securebits &= ~SECURE_BIT(SECURE_KEEP_CAPS);
    bool raised =
        root_counts && copy->real_uid != 0 && (all_effective || !capabilities_within(permitted, copy->ambient));
    return other_user || raised;
}

const char *credentials_check(const struct credentials *as)
{
    if (READ_ONCE(as->references) == 0) {
        return "credentials that nobody refers to";
    }
    if (!capabilities_within(as->effective, as->permitted)) {
        return "credentials with effective capabilities that are not permitted";
    }
    if (!capabilities_within(as->ambient, as->permitted & as->inheritable)) {
        return "credentials with ambient capabilities that are not permitted and inheritable";
    }
    if (as->account == NULL || as->account->uid != as->real_uid) {
        return "credentials with the account of another user";
    }
    for (uint32_t i = 1; i < credentials_group_count(as); i++) {
        if (as->groups->ids[i - 1] > as->groups->ids[i]) {
            return "credentials with groups out of order";
        }
    }
    return NULL;
}
