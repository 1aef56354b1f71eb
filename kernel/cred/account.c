// Accounts of users: a tree by user id, with one lock. Root's is always there, so that the kernel itself needs none
// made.
#include "kernel/cred/account.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/sync/spinlock.h"

struct account account_root = {.uid = 0, .references = 1};

static struct {
    struct spinlock lock;
    struct tree all; // but root's
} accounts = {.lock = SPINLOCK_INIT("accounts", RANK_LEAF)};

static struct account *account_at(const struct tree_node *node)
{
    return container_of(node, struct account, node);
}

// With the lock. NULL: none, and parent and side say where it belongs.
static struct account *find(uint32_t uid, struct tree_node **parent, unsigned *side)
{
    *parent = NULL;
    *side = 0;
    for (struct tree_node *at = accounts.all.root; at != NULL; at = at->child[*side]) {
        if (account_at(at)->uid == uid) {
            return account_at(at);
        }
        *parent = at;
        *side = account_at(at)->uid < uid;
    }
    return NULL;
}

int account_of(uint32_t uid, struct account **out)
{
    struct tree_node *parent;
    unsigned side;
    void *memory;
    if (uid == 0) {
        *out = account_get(&account_root);
        return 0;
    }
    int error =
        kmalloc(sizeof(struct account), &memory); // also when it turns out not to be needed: no wait for memory below
    if (error != 0) {
        return error;
    }
    struct account *made = memory;
    *made = (struct account){.uid = uid, .references = 1};
    irqflags_t flags = spin_lock(&accounts.lock);
    struct account *found = find(uid, &parent, &side);
    if (found == NULL) {
        tree_insert(&accounts.all, &made->node, parent, side);
        found = made;
        memory = NULL;
    } else {
        found->references++;
    }
    spin_unlock(&accounts.lock, flags);
    kfree(memory);
    *out = found;
    return 0;
}

struct account *account_get(struct account *account)
{
    irqflags_t flags = spin_lock(&accounts.lock);
    account->references++;
    spin_unlock(&accounts.lock, flags);
    return account;
}

void account_put(struct account *account)
{
    if (account == NULL) {
        return;
    }
    irqflags_t flags = spin_lock(&accounts.lock);
    bool last = --account->references == 0;
    if (last) {
        tree_remove(&accounts.all, &account->node);
    }
    spin_unlock(&accounts.lock, flags);
    if (last) {
        for (unsigned i = 0; i < CHARGES; i++) {
            ASSERT(account->charged[i] == 0);
        }
        kfree(account);
    }
}

bool account_charge(struct account *account, enum charge what, uint64_t amount, uint64_t limit)
{
    uint64_t now = READ_ONCE(account->charged[what]);
    do {
        if (now + amount > limit || now + amount < now) {
            return false;
        }
    } while (!atomic_cas(&account->charged[what], &now, now + amount));
    return true;
}

void account_uncharge(struct account *account, enum charge what, uint64_t amount)
{
    uint64_t before = atomic_add(&account->charged[what], -amount);
    ASSERT(before >= amount);
}

uint64_t account_charged(const struct account *account, enum charge what)
{
    return READ_ONCE(account->charged[what]);
}

uint64_t account_total(enum charge what)
{
    irqflags_t flags = spin_lock(&accounts.lock);
    uint64_t total = account_charged(&account_root, what);
    for (struct tree_node *at = tree_edge(&accounts.all, 0); at != NULL; at = tree_step(at, 1)) {
        total += account_charged(account_at(at), what);
    }
    spin_unlock(&accounts.lock, flags);
    return total;
}

const char *account_check(void)
{
    irqflags_t flags = spin_lock(&accounts.lock);
    const char *problem = tree_check(&accounts.all);
    uint32_t last = 0; // root's is not in the tree
    for (struct tree_node *at = tree_edge(&accounts.all, 0); at != NULL && problem == NULL; at = tree_step(at, 1)) {
        const struct account *account = account_at(at);
        if (account->uid <= last) {
            problem = "accounts are not in order of their users";
        } else if (account->references == 0) {
            problem = "an account is kept that nobody refers to";
        }
        last = account->uid;
    }
    spin_unlock(&accounts.lock, flags);
    return problem;
}
