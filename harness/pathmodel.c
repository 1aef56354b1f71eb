#include "harness/pathmodel.h"

#include <stdio.h>
#include <string.h>

#define LINKS_MAX 40u

struct path_node path_nodes[NODES];
int path_root, path_here, path_mounts;
struct credentials path_as;

int path_new(enum kind kind, int mount)
{
    for (int i = 0; i < NODES; i++) {
        if (path_nodes[i].kind == FREE) {
            path_nodes[i] = (struct path_node){
                .kind = kind, .mount = mount, .parent = NONE, .over = NONE, .under = NONE, .links = 1};
            memset(path_nodes[i].child, 0xff, sizeof(path_nodes[i].child));
            path_nodes[i].links = kind == FOLDER ? 2 : 1;
            return i;
        }
    }
    return NONE;
}

int path_cover(int node)
{
    while (node != NONE && path_nodes[node].over != NONE) {
        node = path_nodes[node].over;
    }
    return node;
}

static int climb(int *at, unsigned flags)
{
    if ((flags & PATH_BENEATH) != 0 && *at == path_here) {
        return -EXDEV;
    }
    if (*at == path_root) {
        return 0;
    }
    int mount = path_nodes[*at].mount, bottom = *at;
    while (path_nodes[bottom].under != NONE) {
        bottom = path_nodes[bottom].under;
        if (bottom == path_root) { // it lies over our root
            return (flags & PATH_BENEATH) != 0 ? -EXDEV : 0;
        }
    }
    *at = bottom;
    if ((flags & PATH_NO_MOUNTS) != 0 && path_nodes[*at].mount != mount) {
        return -EXDEV;
    }
    if (path_nodes[*at].parent == NONE) {
        return -ENOENT;
    }
    *at = path_cover(path_nodes[*at].parent);
    return 0;
}

static bool may_search(int folder)
{
    return path_as.uid == 0 || (path_nodes[folder].mode & 01) != 0; // nobody owns anything here but root
}

// One step; true: the walk is over. text: what is left of the path, changed by links.
static bool step(int *at, char *text, unsigned *flags, unsigned *links, struct path_found *out)
{
    char rest[PATH_MAX], name[16] = "";
    text += strspn(text, "/");
    size_t length = strcspn(text, "/");
    bool last = text[length + strspn(text + length, "/")] == 0, slash = last && text[length] == '/';
    snprintf(rest, sizeof(rest), "%s", text + length + strspn(text + length, "/"));
    strncat(name, text, length < sizeof(name) ? length : sizeof(name) - 1);
    if (length == 0) {
        out->node = *at;
        return true;
    }
    if (path_nodes[*at].kind != FOLDER || !may_search(*at)) {
        out->error = path_nodes[*at].kind != FOLDER ? -ENOTDIR : -EACCES;
        return true;
    }
    memmove(text, rest, strlen(rest) + 1);
    if (name[0] == '.') {
        out->error = name[1] == '.' ? climb(at, *flags) : 0;
        return out->error != 0;
    }
    int child = path_cover(path_nodes[*at].child[name[0] - 'a']);
    if (child == NONE) {
        out->error = last && (*flags & PATH_MAY_MISS) != 0 ? 0 : -ENOENT;
    } else if ((*flags & PATH_NO_MOUNTS) != 0 && path_nodes[child].mount != path_nodes[*at].mount) {
        out->error = -EXDEV;
    } else if (path_nodes[child].kind == LINK && (!last || slash || (*flags & PATH_FOLLOW) != 0)) {
        const char *target = path_nodes[child].target;
        *flags |= slash ? PATH_DIRECTORY : 0;
        bool leaves = (*flags & PATH_BENEATH) != 0 ||
                      ((*flags & PATH_NO_MOUNTS) != 0 && path_nodes[path_root].mount != path_nodes[*at].mount);
        out->error = ++*links > LINKS_MAX || (*flags & PATH_NO_LINKS) != 0 ? -ELOOP
                     : target[0] == '/' && leaves                          ? -EXDEV
                                                                           : 0;
        *at = target[0] == '/' ? path_root : *at;
        sprintf(text, "%s%s%s", target, rest[0] != 0 ? "/" : "", rest);
        return out->error != 0;
    } else if (last && (slash || (*flags & PATH_DIRECTORY) != 0) && path_nodes[child].kind != FOLDER) {
        out->error = -ENOTDIR;
    }
    if (out->error == 0 && !last) {
        *at = child;
        return false;
    }
    *out = (struct path_found){out->error, child, *at, name[0] - 'a', slash};
    return true;
}

struct path_found path_model_walk(const char *path, unsigned flags)
{
    static char text[2 * PATH_MAX];
    struct path_found out = {0, NONE, NONE, NONE, false};
    unsigned links = 0;
    int at = path[0] == '/' ? path_root : path_here;
    snprintf(text, sizeof(text), "%s", path);
    if (path[0] == 0 || (path[0] == '/' && (flags & PATH_BENEATH) != 0)) {
        out.error = path[0] == 0 ? -ENOENT : -EXDEV;
        return out;
    }
    char *rest = text;
    for (;;) {
        rest += strspn(rest, "/");
        memmove(text, rest, strlen(rest) + 1);
        rest = text;
        if (step(&at, text, &flags, &links, &out)) {
            return out;
        }
    }
}

bool path_is_inside(int node, int ancestor)
{
    while (node != NONE && node != ancestor) {
        node = path_nodes[node].parent == node ? NONE : path_nodes[node].parent;
    }
    return node == ancestor;
}

static bool path_is_empty(int folder)
{
    bool any = false;
    for (int i = 0; i < NAMES; i++) {
        any |= path_nodes[folder].child[i] != NONE;
    }
    return !any;
}

int path_may_go(int node, bool folder_wanted)
{
    bool folder = path_nodes[node].kind == FOLDER;
    return folder != folder_wanted          ? (folder ? -EISDIR : -ENOTDIR)
           : path_nodes[node].over != NONE  ? -EBUSY
           : folder && !path_is_empty(node) ? -ENOTEMPTY
                                            : 0;
}

void path_lose_name(int folder, int name)
{
    int node = path_nodes[folder].child[name];
    path_nodes[folder].child[name] = NONE;
    if (path_nodes[node].kind == FOLDER) {
        path_nodes[folder].links--;
        path_nodes[node].links = 0;
        path_nodes[node].parent = NONE;
        if (node != path_root && node != path_here) {
            path_nodes[node].kind = FREE;
        }
    } else if (--path_nodes[node].links == 0) {
        path_nodes[node].kind = FREE;
    }
}
