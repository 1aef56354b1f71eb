#include "kernel/base/tree.h"

#include "kernel/debug/ktest.h"

#define NODES 200u

struct item {
    struct tree_node node;
    unsigned key, below; // below: items of the whole subtree
};
static struct item items[NODES];

static struct item *item_of(struct tree_node *node)
{
    return container_of(node, struct item, node);
}

static void count(struct tree_node *node)
{
    struct item *item = item_of(node);
    item->below = 1;
    for (unsigned side = 0; side < 2; side++) {
        item->below += node->child[side] != NULL ? item_of(node->child[side])->below : 0;
    }
}

static void insert(struct tree *tree, struct item *item)
{
    struct tree_node *parent = NULL, *at = tree->root;
    unsigned side = 0;
    while (at != NULL) {
        parent = at;
        side = item->key > item_of(at)->key;
        at = at->child[side];
    }
    tree_insert(tree, &item->node, parent, side);
}

static bool in_order(const struct tree *tree, unsigned expected)
{
    unsigned seen = 0, last = 0;
    for (struct tree_node *at = tree_edge(tree, 0); at != NULL; at = tree_step(at, 1)) {
        if (seen++ > 0 && item_of(at)->key <= last) {
            return false;
        }
        last = item_of(at)->key;
    }
    return seen == expected && (expected == 0 || item_of(tree->root)->below == expected);
}

TEST(tree, stays_balanced_and_in_order)
{
    struct tree tree = {.summarise = count};
    for (unsigned i = 0; i < NODES; i++) {
        items[i].key = i * 7919 % 1009; // no two are equal
        insert(&tree, &items[i]);
        EXPECT_SOUND(tree_check(&tree));
        EXPECT(in_order(&tree, i + 1));
    }
    EXPECT(tree.root->height <= 11); // 1.44 log2(200)
    for (unsigned i = 0; i < NODES; i++) {
        tree_remove(&tree, &items[i * 77 % NODES].node);
        EXPECT_SOUND(tree_check(&tree));
        EXPECT(in_order(&tree, NODES - 1 - i));
    }
    EXPECT(tree.root == NULL);
}

TEST(tree, walks_both_ways)
{
    struct tree tree = {0};
    EXPECT(tree_edge(&tree, 0) == NULL && tree_edge(&tree, 1) == NULL);
    for (unsigned i = 0; i < 10; i++) {
        items[i].key = i;
        insert(&tree, &items[i]);
    }
    unsigned expected = 10;
    for (struct tree_node *at = tree_edge(&tree, 1); at != NULL; at = tree_step(at, 0)) {
        EXPECT_EQ(item_of(at)->key, --expected);
    }
    EXPECT_EQ(expected, 0);
}
