#include "kernel/debug/ktest.h"
#include "kernel/mm/idalloc.h"

TEST(idalloc, lowest_first_until_full)
{
    static struct id_allocator ids;
    EXPECT_EQ(id_init(&ids, 0), -EINVAL);
    EXPECT_EQ(id_init(&ids, ID_MAX + 1), -EINVAL);
    EXPECT_EQ(id_init(&ids, 70), 0);
    EXPECT_EQ(id_reserve(&ids, 3), 0);
    EXPECT_EQ(id_reserve(&ids, 3), -EEXIST);
    EXPECT_EQ(id_reserve(&ids, 70), -EINVAL);
    uint32_t id = 0;
    for (uint32_t i = 0; i < 69; i++) {
        EXPECT_EQ(id_alloc(&ids, &id), 0);
        EXPECT_EQ(id, i < 3 ? i : i + 1);
    }
    EXPECT_EQ(id_alloc(&ids, &id), -ENOSPC);
    EXPECT(id_is_used(&ids, 69) && !id_is_used(&ids, 70) && !id_is_used(&ids, UINT32_MAX));
    id_free(&ids, 64);
    EXPECT_SOUND(id_check(&ids));
    EXPECT_EQ(id_alloc(&ids, &id), 0);
    EXPECT_EQ(id, 64);
    EXPECT_SOUND(id_check(&ids));
}
