// Credentials, and what users are charged for.
#include "kernel/cred/credentials.h"

#include "kernel/debug/ktest.h"
#include "kernel/mm/kmalloc.h"

TEST(credentials, groups_are_found_whatever_their_order)
{
    struct credentials *copy;
    uint32_t ids[64];
    EXPECT_EQ(credentials_copy(&credentials_kernel, &copy), 0);
    EXPECT(!credentials_in_group(copy, 7) && credentials_in_group(copy, 0));
    for (uint32_t i = 0; i < ARRAY_SIZE(ids); i++) {
        ids[i] = i * 37 % 64 * 2; // every even number below 128, in no order
    }
    EXPECT_EQ(credentials_set_groups(copy, ids, ARRAY_SIZE(ids)), 0);
    for (uint32_t gid = 1; gid < 130; gid++) {
        EXPECT_EQ(credentials_in_group(copy, gid), gid % 2 == 0 && gid < 128);
    }
    EXPECT(credentials_check(copy) == NULL);
    copy->groups->ids[3] = 1000;
    EXPECT(credentials_check(copy) != NULL);
    EXPECT_EQ(credentials_set_groups(copy, ids, 0), 0);
    EXPECT(credentials_group_count(copy) == 0 && !credentials_in_group(copy, 2));
    credentials_put(copy);
}

TEST(credentials, a_check_speaks_of_each_rule)
{
    struct credentials *copy;
    EXPECT_EQ(credentials_copy(&credentials_kernel, &copy), 0);
    EXPECT(credentials_check(copy) == NULL);
    copy->permitted = 1;
    EXPECT(credentials_check(copy) != NULL); // effective ones that are not permitted
    copy->effective = 1;
    EXPECT(credentials_check(copy) == NULL);
    copy->ambient = 1;
    EXPECT(credentials_check(copy) != NULL); // not inheritable
    copy->inheritable = 1;
    EXPECT(credentials_check(copy) == NULL);
    copy->real_uid = 1000;
    EXPECT(credentials_check(copy) != NULL); // root's account
    EXPECT_EQ(credentials_find_account(copy), 0);
    EXPECT(credentials_check(copy) == NULL && account_check() == NULL);
    credentials_put(copy);
}

TEST(credentials, an_account_is_one_for_a_user)
{
    struct account *first, *second, *other;
    uint64_t objects = heap_used_objects(&kernel_heap);
    EXPECT_EQ(account_of(1000, &first), 0);
    EXPECT_EQ(account_of(1001, &other), 0);
    EXPECT_EQ(account_of(1000, &second), 0);
    EXPECT(first == second && first != other);
    EXPECT(account_charge(first, CHARGE_SIGNALS, 3, 4));
    EXPECT(!account_charge(first, CHARGE_SIGNALS, 2, 4));
    EXPECT(!account_charge(first, CHARGE_SIGNALS, UINT64_MAX, UINT64_MAX)); // the sum does not fit
    EXPECT_EQ(account_charged(second, CHARGE_SIGNALS), 3);
    EXPECT(account_charge(second, CHARGE_SIGNALS, 1, 4) && account_charge(other, CHARGE_SIGNALS, 4, 4));
    EXPECT(account_check() == NULL);
    uint64_t total = account_total(CHARGE_SIGNALS);
    account_uncharge(first, CHARGE_SIGNALS, 4);
    account_uncharge(other, CHARGE_SIGNALS, 4);
    EXPECT_EQ(account_total(CHARGE_SIGNALS), total - 8);
    account_put(first);
    account_put(other);
    account_put(second);
    EXPECT_EQ(heap_used_objects(&kernel_heap), objects);
}

TEST(credentials, rights_go_with_the_last_root_user)
{
    struct credentials old = credentials_kernel, copy = old;
    copy.real_uid = 1000;
    copy.effective_uid = 1000;
    credentials_follow_user(&copy, &old, CHANGE_USERS);
    EXPECT(copy.effective == 0 && copy.permitted == CAPABILITIES_ALL); // the saved user is still root
    old = copy;
    copy.saved_uid = 1000;
    credentials_follow_user(&copy, &old, CHANGE_USERS);
    EXPECT(copy.permitted == 0);
    copy = old = credentials_kernel;
    copy.uid = 1000;
    credentials_follow_user(&copy, &old, CHANGE_FILE_USER);
    EXPECT(!credentials_capable(&copy, CAP_DAC_OVERRIDE) && credentials_capable(&copy, CAP_SYS_ADMIN));
}
