// Who acts: users, groups, capabilities. A set of credentials never changes once a task has it: a task that becomes
// somebody else gets another set, and who looks at it meanwhile keeps the old one. Source: credentials(7),
// capabilities(7). Any context unless said otherwise.
#pragma once

#include "kernel/base/types.h"
#include "kernel/cred/account.h"
#include "kernel/cred/capability.h"

#define ID_NONE 0xffffffffu // no user, no group
#define GROUPS_MAX 65536u

#define SECURE_NOROOT 0 // bits of securebits; each is followed by the one that locks it
#define SECURE_NO_SETUID_FIXUP 2
#define SECURE_KEEP_CAPS 4
#define SECURE_NO_CAP_AMBIENT_RAISE 6
#define SECURE_BIT(number) (1u << (number))
#define SECURE_ALL_BITS 0x55u
#define SECURE_ALL_LOCKS 0xaau

struct group_list {
    uint32_t references; // atomic
    uint32_t count;
    uint32_t ids[]; // in rising order
};

struct credentials {
    uint32_t references; // atomic
    uint32_t uid, gid;   // for files: effective ones, but for setfsuid(2)
    uint32_t real_uid, effective_uid, saved_uid, real_gid, effective_gid, saved_gid;
    uint32_t securebits;
    uint64_t permitted, effective, inheritable, bounding, ambient; // capabilities
    struct group_list *groups;                                     // NULL: none
    struct account *account;                                       // the real user's, with a reference
};

// The kernel's own: root, who may do everything.
extern struct credentials credentials_kernel;

// The current task's; the kernel's own in a kernel thread. Good until the task changes them itself.
const struct credentials *credentials_current(void);
const struct credentials *credentials_get(const struct credentials *as);
void credentials_put(const struct credentials *as); // NULL is nothing
// A copy to be changed before anybody else sees it: credentials_put() takes it back. -ENOMEM.
[[nodiscard]] int credentials_copy(const struct credentials *as, struct credentials **out);
// Before a copy is used: the account of its real user. -ENOMEM: nothing changed.
[[nodiscard]] int credentials_find_account(struct credentials *copy);
// A copy's supplementary groups. ids is sorted in place. -ENOMEM: nothing changed.
[[nodiscard]] int credentials_set_groups(struct credentials *copy, uint32_t *ids, uint32_t count);
bool credentials_in_group(const struct credentials *as, uint32_t gid); // for files: gid or supplementary
uint32_t credentials_group_count(const struct credentials *as);

// The rules by which capabilities follow the users. Pure.
enum credentials_change { CHANGE_USERS, CHANGE_FILE_USER };
void credentials_follow_user(struct credentials *copy, const struct credentials *old, enum credentials_change change);
// execve(2): copy has the old credentials with the effective ids that the file gives. no_gain: nothing may be won by it
// (PR_SET_NO_NEW_PRIVS). Saved ids and those for files follow. True: the program is to be wary (AT_SECURE).
bool credentials_exec(struct credentials *copy, const struct credentials *old, bool no_gain);
// Whether all that a has is had by b as well.
static inline bool capabilities_within(uint64_t a, uint64_t b)
{
    return (a & ~b) == 0;
}
[[nodiscard]] const char *credentials_check(const struct credentials *as);
