// What each user has of the kernel: one account for each real user id that something is charged to. An object keeps a
// reference to the account that it is charged to, whoever owns it later. Any context.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/base/types.h"

enum charge {
    CHARGE_TASKS,         // processes, zombies too, and further threads: RLIMIT_NPROC
    CHARGE_SIGNALS,       // that wait in line, and timers of timer_create(2): RLIMIT_SIGPENDING
    CHARGE_PIPE_PAGES,    // fs.pipe-user-pages-soft and -hard
    CHARGE_EPOLL_WATCHES, // fs.epoll.max_user_watches
    CHARGE_LOCKED_PAGES,  // of shared memory: RLIMIT_MEMLOCK
    CHARGE_PAGES,         // of the kernel's memory that the user's objects hold: weighs when memory runs out
    CHARGES,
};

struct account {
    struct tree_node node; // with references: the table's lock
    uint32_t uid;          // constant
    uint32_t references;
    uint64_t charged[CHARGES]; // atomic
};

extern struct account account_root; // user 0's: always there
// That user's, with a reference. -ENOMEM.
[[nodiscard]] int account_of(uint32_t uid, struct account **out);
struct account *account_get(struct account *account);
void account_put(struct account *account); // NULL is nothing
// False: it would be more than limit; nothing is charged then.
[[nodiscard]] bool account_charge(struct account *account, enum charge what, uint64_t amount, uint64_t limit);
void account_uncharge(struct account *account, enum charge what, uint64_t amount);
uint64_t account_charged(const struct account *account, enum charge what);
uint64_t account_total(enum charge what); // of all users
// NULL, or what is wrong: the order of the table, accounts that nobody needs.
[[nodiscard]] const char *account_check(void);
