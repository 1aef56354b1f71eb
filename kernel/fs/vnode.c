#include "kernel/fs/vnode.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

void vnode_init(struct vnode *node, const struct vnode_ops *ops, struct mount *mount, uint32_t mode)
{
    *node = (struct vnode){.ops = ops, .mount = mount, .references = 1, .mode = mode, .links = 1};
    mutex_init(&node->lock, "vnode");
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
        node->ops->release(node);
    }
}

static bool in_group(const struct credentials *as, uint32_t gid)
{
    bool found = as->gid == gid;
    for (unsigned i = 0; i < as->group_count; i++) {
        found |= as->groups[i] == gid;
    }
    return found;
}

int vnode_access(const struct vnode *node, const struct credentials *as, unsigned wanted)
{
    unsigned mode = node->mode;
    if (as->uid == 0) { // may all, but runs only what somebody may run
        return (wanted & ACCESS_EXEC) != 0 && !vnode_is(node, S_IFDIR) && (mode & 0111) == 0 ? -EACCES : 0;
    }
    unsigned granted = as->uid == node->uid ? mode >> 6 : in_group(as, node->gid) ? mode >> 3 : mode;
    return (wanted & ~granted & 7) == 0 ? 0 : -EACCES;
}
