#include "kernel/base/tree.h"

static unsigned height(const struct tree_node *node)
{
    return node != NULL ? node->height : 0;
}

static void summarise(struct tree *tree, struct tree_node *node)
{
    unsigned before = height(node->child[0]), after = height(node->child[1]);
    node->height = 1 + (before > after ? before : after);
    if (tree->summarise != NULL) {
        tree->summarise(node);
    }
}

static unsigned side_of(const struct tree_node *node)
{
    return node->parent->child[1] == node;
}

static void set_child(struct tree_node *parent, unsigned side, struct tree_node *child)
{
    parent->child[side] = child;
    if (child != NULL) {
        child->parent = parent;
    }
}

// other (may be NULL) takes node's place below node's parent.
static void replace(struct tree *tree, struct tree_node *node, struct tree_node *other)
{
    if (node->parent != NULL) {
        set_child(node->parent, side_of(node), other);
        return;
    }
    tree->root = other;
    if (other != NULL) {
        other->parent = NULL;
    }
}

// The child on side rises above node.
static struct tree_node *rotate(struct tree *tree, struct tree_node *node, unsigned side)
{
    struct tree_node *riser = node->child[side];
    replace(tree, node, riser);
    set_child(node, side, riser->child[1 - side]);
    set_child(riser, 1 - side, node);
    summarise(tree, node);
    summarise(tree, riser);
    return riser;
}

static struct tree_node *balance(struct tree *tree, struct tree_node *node)
{
    int lean = (int)height(node->child[1]) - (int)height(node->child[0]);
    if (lean >= -1 && lean <= 1) {
        summarise(tree, node);
        return node;
    }
    unsigned side = lean > 0;
    const struct tree_node *child = node->child[side];
    if (height(child->child[1 - side]) > height(child->child[side])) {
        rotate(tree, node->child[side], 1 - side);
    }
    return rotate(tree, node, side);
}

static void balance_up(struct tree *tree, struct tree_node *node)
{
    for (; node != NULL; node = node->parent) {
        node = balance(tree, node);
    }
}

void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent, unsigned side)
{
    *node = (struct tree_node){.parent = parent};
    if (parent != NULL) {
        parent->child[side] = node;
    } else {
        tree->root = node;
    }
    balance_up(tree, node);
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    struct tree_node *from = node->parent;
    if (node->child[0] == NULL || node->child[1] == NULL) {
        replace(tree, node, node->child[node->child[0] == NULL]);
    } else {
        struct tree_node *next = tree_step(node, 1);
        from = next->parent == node ? next : next->parent;
        replace(tree, next, next->child[1]);
        replace(tree, node, next);
        set_child(next, 0, node->child[0]);
        set_child(next, 1, node->child[1]);
    }
    balance_up(tree, from);
}

void tree_changed(struct tree *tree, struct tree_node *node)
{
    for (; node != NULL && tree->summarise != NULL; node = node->parent) {
        tree->summarise(node);
    }
}

struct tree_node *tree_edge(const struct tree *tree, unsigned side)
{
    struct tree_node *node = tree->root;
    while (node != NULL && node->child[side] != NULL) {
        node = node->child[side];
    }
    return node;
}

struct tree_node *tree_step(struct tree_node *node, unsigned side)
{
    if (node->child[side] != NULL) {
        node = node->child[side];
        while (node->child[1 - side] != NULL) {
            node = node->child[1 - side];
        }
        return node;
    }
    while (node->parent != NULL && side_of(node) == side) {
        node = node->parent;
    }
    return node->parent;
}

const char *tree_check(const struct tree *tree)
{
    if (tree->root != NULL && tree->root->parent != NULL) {
        return "the root has a parent";
    }
    for (struct tree_node *node = tree_edge(tree, 0); node != NULL; node = tree_step(node, 1)) {
        unsigned before = height(node->child[0]), after = height(node->child[1]);
        for (unsigned side = 0; side < 2; side++) {
            if (node->child[side] != NULL && node->child[side]->parent != node) {
                return "a child does not know its parent";
            }
        }
        if (node->height != 1 + (before > after ? before : after)) {
            return "a height is wrong";
        }
        if (before > after + 1 || after > before + 1) {
            return "the tree leans too far";
        }
    }
    return NULL;
}
