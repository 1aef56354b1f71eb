// The tree that fuzz_path walks, kept apart from the kernel's: nodes by number, NONE for no node.
#pragma once

#include "kernel/fs/path.h"

#define NODES 96
#define NAMES 4 // "a" to "d"
#define NONE (-1)

enum kind { FREE, FOLDER, PLAIN, LINK };

struct path_node {
    enum kind kind;
    struct vnode *vnode; // no reference of ours: it is in the tree, or it is start's
    int child[NAMES];    // of a folder
    int parent;          // of a folder: itself at a mount's root, NONE: removed
    int mount;           // number of the mount
    int over;            // the root that lies over it, or NONE
    int under;           // of a mount's root: what it covers, or NONE
    unsigned links;
    uint32_t mode;
    const char *target;
};
extern struct path_node path_nodes[NODES];
extern int path_root, path_here, path_mounts;
extern struct credentials path_as; // who walks

// Where a path ends.
struct path_found {
    int error, node, folder, name;
    bool slash;
};

int path_new(enum kind kind, int mount);
int path_cover(int node);
struct path_found path_model_walk(const char *path, unsigned flags);
bool path_is_inside(int node, int ancestor);
int path_may_go(int node, bool folder_wanted);
void path_lose_name(int folder, int name);
