// Intrusive balanced binary tree (AVL: Adelson-Velsky and Landis, 1962). The owner descends by its own order and links
// the node; the tree keeps itself balanced. Any context; the owner's lock covers it. Height at most 1.44 log2(n).
#pragma once

#include "kernel/base/types.h"

struct tree_node {
    struct tree_node *parent, *child[2]; // 0: before, 1: after
    unsigned height;                     // 1 for a leaf
};

struct tree {
    struct tree_node *root;
    // What a node knows of all below it: called from the leaves up, whenever that may have changed. May be NULL.
    void (*summarise)(struct tree_node *node);
};

// node goes where a descent ended: below parent (NULL: the tree is empty) on that side.
void tree_insert(struct tree *tree, struct tree_node *node, struct tree_node *parent, unsigned side);
void tree_remove(struct tree *tree, struct tree_node *node);
void tree_changed(struct tree *tree, struct tree_node *node); // what node is summarised from is another

// In order; NULL at the end. tree_edge(): the first (side 0) or the last.
struct tree_node *tree_edge(const struct tree *tree, unsigned side);
struct tree_node *tree_step(struct tree_node *node, unsigned side); // side 1: the next, 0: the one before

[[nodiscard]] const char *tree_check(const struct tree *tree); // links and balance; order is the owner's
