#include "kernel/fs/vnode.h"

#include <hal/timer.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/fs/mount.h"
#include "kernel/time/clock.h"

void vnode_init(struct vnode *node, const struct vnode_ops *ops, struct mount *mount, uint32_t mode)
{
    *node = (struct vnode){.ops = ops, .mount = mount, .references = 1, .mode = mode, .links = 1};
    node->accessed_ns = node->modified_ns = node->changed_ns = vnode_now();
    mutex_init(&node->lock, "vnode");
    mutex_init(&node->writing, "writing");
    if (mount != NULL) {
        (void)atomic_add(&mount->nodes, 1);
    }
}

uint64_t vnode_now(void)
{
    return timer_now() + clock_realtime_offset();
}

void vnode_get(struct vnode *node)
{
    if (node != NULL) {
        uint32_t before = atomic_add(&node->references, 1);
        ASSERT(before > 0);
    }
}

void vnode_put(struct vnode *node)
{
    if (node == NULL) {
        return;
    }
    uint32_t before = __atomic_fetch_sub(&node->references, 1, __ATOMIC_ACQ_REL);
    ASSERT(before > 0);
    if (before == 1) {
        ASSERT(node->locks == NULL);
        struct mount *mount = node->mount;
        node->ops->release(node);
        if (mount != NULL) {
            (void)__atomic_fetch_sub(&mount->nodes, 1, __ATOMIC_RELEASE);
        }
    }
}

int vnode_access(const struct vnode *node, const struct credentials *as, unsigned wanted)
{
    unsigned mode = node->mode, limits = node->mount != NULL ? READ_ONCE(node->mount->flags) : 0;
    bool device = vnode_is(node, S_IFCHR) || vnode_is(node, S_IFBLK);
    if ((wanted & ACCESS_WRITE) != 0 && (limits & MOUNT_READ_ONLY) != 0 && !device && !vnode_is(node, S_IFIFO)) {
        return -EROFS;
    }
    if ((wanted & ACCESS_EXEC) != 0 && (limits & MOUNT_NO_EXEC) != 0 && vnode_is(node, S_IFREG)) {
        return -EACCES;
    }
    if (node->ops->is_own != NULL && node->ops->is_own(node)) {
        return 0;
    }
    unsigned granted = as->uid == node->uid ? mode >> 6 : credentials_in_group(as, node->gid) ? mode >> 3 : mode;
    if ((wanted & ~granted & 7) == 0) {
        return 0;
    }
    bool directory = vnode_is(node, S_IFDIR);
    bool looks = directory ? (wanted & ACCESS_WRITE) == 0 : wanted == ACCESS_READ;
    if (looks && credentials_capable(as, CAP_DAC_READ_SEARCH)) {
        return 0;
    }
    // Who may do everything runs only what somebody may run.
    bool runs = (wanted & ACCESS_EXEC) == 0 || directory || (mode & 0111) != 0;
    return runs && credentials_capable(as, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

int vnode_may_remove(const struct vnode *directory, const struct vnode *node, const struct credentials *as)
{
    int error = vnode_access(directory, as, ACCESS_WRITE | ACCESS_EXEC);
    bool theirs = (directory->mode & S_ISVTX) != 0 && as->uid != node->uid && as->uid != directory->uid &&
                  !credentials_capable(as, CAP_FOWNER);
    return error != 0 ? error : theirs ? -EPERM : 0;
}

uint32_t vnode_protected_hardlinks = 1, vnode_protected_symlinks = 1;

int vnode_may_link(const struct vnode *node, const struct credentials *as)
{
    bool owner = as->uid == node->uid || credentials_capable(as, CAP_FOWNER);
    if (READ_ONCE(vnode_protected_hardlinks) == 0 || owner) {
        return 0;
    }
    uint32_t mode = READ_ONCE(node->mode);
    bool runs_as_another = (mode & S_ISUID) != 0 || (mode & (S_ISGID | 010)) == (S_ISGID | 010);
    bool may = vnode_is(node, S_IFREG) && !runs_as_another && vnode_access(node, as, ACCESS_READ | ACCESS_WRITE) == 0;
    return may ? 0 : -EPERM;
}

int vnode_may_follow(const struct vnode *directory, const struct vnode *link, const struct credentials *as)
{
    bool everybodys = (READ_ONCE(directory->mode) & (S_ISVTX | 0002)) == (S_ISVTX | 0002);
    bool trusted = link->uid == as->uid || link->uid == directory->uid;
    return READ_ONCE(vnode_protected_symlinks) != 0 && everybodys && !trusted ? -EACCES : 0;
}

int vnode_may_change(const struct vnode *node)
{
    return node->mount != NULL && (READ_ONCE(node->mount->flags) & MOUNT_READ_ONLY) != 0 ? -EROFS : 0;
}

static bool keeps_group_bit(const struct credentials *as, uint32_t gid)
{
    return credentials_in_group(as, gid) || credentials_capable(as, CAP_FSETID);
}

uint32_t vnode_inherit(const struct vnode *directory, uint32_t mode, const struct credentials *as, uint32_t *gid)
{
    const uint32_t program = S_ISGID | 010;
    if ((directory->mode & S_ISGID) == 0) {
        *gid = as->gid;
        return mode;
    }
    *gid = directory->gid;
    if ((mode & S_IFMT) == S_IFDIR) {
        return mode | S_ISGID;
    }
    return (mode & program) == program && !keeps_group_bit(as, *gid) ? mode & ~S_ISGID : mode;
}

uint32_t vnode_lost_bits(const struct vnode *node, const struct credentials *as)
{
    bool group = (node->mode & 010) != 0 || !keeps_group_bit(as, node->gid);
    return node->mode & (S_ISUID | (group ? S_ISGID : 0));
}

void vnode_contents_changed(struct vnode *node, const struct credentials *as)
{
    if ((READ_ONCE(node->mode) & (S_ISUID | S_ISGID)) != 0 && vnode_is(node, S_IFREG) &&
        !credentials_capable(as, CAP_FSETID)) {
        mutex_lock(&node->lock);
        WRITE_ONCE(node->mode, node->mode & ~vnode_lost_bits(node, as));
        mutex_unlock(&node->lock);
    }
}
