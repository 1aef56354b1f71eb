// Capabilities of tasks. Source: capget(2), prctl(2), capabilities(7).
#include "kernel/syscall/capabilities.h"

#include "kernel/mm/usercopy.h"
#include "kernel/proc/access.h"
#include "kernel/proc/describe.h"
#include "kernel/syscall/bodies.h"

#define VERSION_1 0x19980330u // of the header: one word of each set
#define VERSION_2 0x20071026u // two words, as has
#define VERSION_3 0x20080522u

struct user_capabilities {
    uint32_t effective, permitted, inheritable;
};

// *words: of each set. 0: the version was only asked for.
static int read_header(uint64_t address, bool asks, int32_t *pid, unsigned *words)
{
    uint32_t header[2];
    int error = copy_from_user(header, uaddr(address), sizeof(header[0]));
    if (error != 0) {
        return error;
    }
    *words = header[0] == VERSION_1 ? 1 : header[0] == VERSION_2 || header[0] == VERSION_3 ? 2 : 0;
    if (*words == 0) {
        header[0] = VERSION_3;
        error = copy_to_user(uaddr(address), header, sizeof(header[0]));
        return error != 0 ? error : asks ? 0 : -EINVAL;
    }
    error = copy_from_user(&header[1], uaddr(address + sizeof(header[0])), sizeof(header[1]));
    *pid = (int32_t)header[1];
    return error;
}

int64_t sys_capget(const uint64_t arguments[6])
{
    struct user_capabilities sets[2];
    struct process_description who;
    int32_t pid;
    unsigned words;
    int error = read_header(arguments[0], arguments[1] == 0, &pid, &words);
    if (error != 0 || words == 0) {
        return error;
    }
    if (pid < 0) {
        return -EINVAL;
    }
    const struct credentials *as = credentials_current();
    if (pid != 0) {
        if (!process_describe_task(pid, &who)) {
            return -ESRCH;
        }
        as = who.as;
    }
    for (unsigned i = 0; i < words; i++) {
        unsigned shift = 32 * i;
        sets[i] = (struct user_capabilities){(uint32_t)(as->effective >> shift), (uint32_t)(as->permitted >> shift),
                                             (uint32_t)(as->inheritable >> shift)};
    }
    if (pid != 0) {
        process_description_put(&who);
    }
    return arguments[1] != 0 ? copy_to_user(uaddr(arguments[1]), sets, words * sizeof(sets[0])) : 0;
}

// What a task may make of its sets: capset(2).
static int check_sets(const struct credentials *old, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    bool adds = !capabilities_within(inheritable, old->inheritable | old->permitted);
    bool may = (!adds || credentials_capable(old, CAP_SETPCAP)) &&
               capabilities_within(inheritable, old->inheritable | old->bounding) &&
               capabilities_within(permitted, old->permitted) && capabilities_within(effective, permitted);
    return may ? 0 : -EPERM;
}

int64_t sys_capset(const uint64_t arguments[6])
{
    struct user_capabilities sets[2] = {{0}};
    struct credentials *copy;
    int32_t pid;
    unsigned words;
    int error = read_header(arguments[0], false, &pid, &words);
    if (error == 0 && pid != 0 && pid != task_current()->tid) {
        error = -EPERM;
    }
    error = error != 0 ? error : copy_from_user(sets, uaddr(arguments[1]), words * sizeof(sets[0]));
    if (error != 0) {
        return error;
    }
    uint64_t effective = (sets[0].effective | (uint64_t)sets[1].effective << 32) & CAPABILITIES_ALL;
    uint64_t permitted = (sets[0].permitted | (uint64_t)sets[1].permitted << 32) & CAPABILITIES_ALL;
    uint64_t inheritable = (sets[0].inheritable | (uint64_t)sets[1].inheritable << 32) & CAPABILITIES_ALL;
    error = check_sets(credentials_current(), effective, permitted, inheritable);
    error = error != 0 ? error : credentials_copy(credentials_current(), &copy);
    if (error == 0) {
        copy->effective = effective;
        copy->permitted = permitted;
        copy->inheritable = inheritable;
        copy->ambient &= permitted & inheritable;
        task_become(copy);
    }
    return error;
}

// --- prctl(2) ------------------------------------------------------------------------------------------------------

// Becomes what change() makes of a copy.
static int64_t become(int (*change)(struct credentials *copy, uint64_t value), uint64_t value)
{
    struct credentials *copy;
    int error = credentials_copy(credentials_current(), &copy);
    if (error != 0) {
        return error;
    }
    error = change(copy, value);
    if (error == 0) {
        task_become(copy);
    } else {
        credentials_put(copy);
    }
    return error;
}

static int drop_from_bounding(struct credentials *copy, uint64_t capability)
{
    if (!credentials_capable(copy, CAP_SETPCAP)) {
        return -EPERM;
    }
    if (capability > CAP_LAST) {
        return -EINVAL;
    }
    copy->bounding &= ~CAP_BIT(capability);
    return 0;
}

static int set_keep(struct credentials *copy, uint64_t value)
{
    if (value > 1) {
        return -EINVAL;
    }
    if ((copy->securebits & SECURE_BIT(SECURE_KEEP_CAPS + 1)) != 0) {
        return -EPERM;
    }
    copy->securebits &= ~SECURE_BIT(SECURE_KEEP_CAPS);
    copy->securebits |= value != 0 ? SECURE_BIT(SECURE_KEEP_CAPS) : 0;
    return 0;
}

static int set_bits(struct credentials *copy, uint64_t value)
{
    uint32_t locked = (copy->securebits & SECURE_ALL_LOCKS) >> 1;
    bool changes_locked = (locked & (copy->securebits ^ value)) != 0;
    bool unlocks = (copy->securebits & SECURE_ALL_LOCKS & ~value) != 0;
    bool unknown = (value & ~(uint64_t)(SECURE_ALL_LOCKS | SECURE_ALL_BITS)) != 0;
    if (changes_locked || unlocks || unknown || !credentials_capable(copy, CAP_SETPCAP)) {
        return -EPERM;
    }
    copy->securebits = (uint32_t)value;
    return 0;
}

static int raise_ambient(struct credentials *copy, uint64_t capability)
{
    uint64_t bit = CAP_BIT(capability);
    bool may = (copy->permitted & copy->inheritable & bit) != 0 &&
               (copy->securebits & SECURE_BIT(SECURE_NO_CAP_AMBIENT_RAISE)) == 0;
    copy->ambient |= bit;
    return may ? 0 : -EPERM;
}

static int lower_ambient(struct credentials *copy, uint64_t capability)
{
    copy->ambient &= ~CAP_BIT(capability);
    return 0;
}

static int clear_ambient(struct credentials *copy, uint64_t unused)
{
    copy->ambient = 0;
    return 0;
}

static int64_t control_ambient(const uint64_t arguments[6])
{
    enum { IS_SET = 1, RAISE, LOWER, CLEAR_ALL };
    uint64_t capability = arguments[2];
    if (arguments[1] == CLEAR_ALL) {
        return (arguments[2] | arguments[3] | arguments[4]) != 0 ? -EINVAL : become(clear_ambient, 0);
    }
    if ((arguments[3] | arguments[4]) != 0 || capability > CAP_LAST) {
        return -EINVAL;
    }
    switch (arguments[1]) {
    case IS_SET:
        return (credentials_current()->ambient & CAP_BIT(capability)) != 0;
    case RAISE:
        return become(raise_ambient, capability);
    case LOWER:
        return become(lower_ambient, capability);
    default:
        return -EINVAL;
    }
}

int64_t capabilities_control(const uint64_t arguments[6])
{
    const struct credentials *me = credentials_current();
    switch ((int)arguments[0]) {
    case PR_CAPBSET_READ:
        return arguments[1] > CAP_LAST ? -EINVAL : (me->bounding & CAP_BIT(arguments[1])) != 0;
    case PR_CAPBSET_DROP:
        return become(drop_from_bounding, arguments[1]);
    case PR_GET_SECUREBITS:
        return me->securebits;
    case PR_SET_SECUREBITS:
        return become(set_bits, arguments[1]);
    case PR_GET_KEEPCAPS:
        return (me->securebits & SECURE_BIT(SECURE_KEEP_CAPS)) != 0;
    case PR_SET_KEEPCAPS:
        return become(set_keep, arguments[1]);
    default:
        return control_ambient(arguments);
    }
}
