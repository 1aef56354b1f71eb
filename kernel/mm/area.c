#include "kernel/mm/area.h"

static struct area *area_of(struct tree_node *node)
{
    return node != NULL ? container_of(node, struct area, node) : NULL;
}

static uint64_t widest_below(const struct tree_node *node)
{
    return node != NULL ? container_of(node, struct area, node)->widest : 0;
}

static void summarise(struct tree_node *node)
{
    struct area *area = area_of(node);
    area->widest = max_u64(area->gap, max_u64(widest_below(node->child[0]), widest_below(node->child[1])));
}

void areas_init(struct area_map *map)
{
    *map = (struct area_map){.tree = {.summarise = summarise}};
}

struct area *areas_find(const struct area_map *map, uint64_t va)
{
    struct area *found = NULL;
    for (struct tree_node *node = map->tree.root; node != NULL;) {
        struct area *area = area_of(node);
        bool here = area->end > va;
        found = here ? area : found;
        node = node->child[!here];
    }
    return found;
}

struct area *areas_first(const struct area_map *map)
{
    return area_of(tree_edge(&map->tree, 0));
}

struct area *areas_next(struct area *area)
{
    return area_of(tree_step(&area->node, 1));
}

struct area *areas_previous(struct area *area)
{
    return area_of(tree_step(&area->node, 0));
}

bool areas_overlap(const struct area_map *map, uint64_t start, uint64_t end)
{
    const struct area *area = areas_find(map, start);
    return area != NULL && area->start < end;
}

// Higher addresses first. The depth is that of the tree.
static uint64_t search(const struct tree_node *node, uint64_t low, uint64_t high, uint64_t size)
{
    if (node == NULL || widest_below(node) < size) {
        return 0;
    }
    const struct area *area = container_of(node, struct area, node);
    uint64_t found = area->end < high ? search(node->child[1], low, high, size) : 0;
    if (found != 0) {
        return found;
    }
    uint64_t from = max_u64(area->start - area->gap, low), to = min_u64(area->start, high);
    if (to > from && to - from >= size) {
        return to - size;
    }
    return area->start > low ? search(node->child[0], low, high, size) : 0;
}

uint64_t areas_find_gap(const struct area_map *map, uint64_t low, uint64_t high, uint64_t size)
{
    const struct area *last = area_of(tree_edge(&map->tree, 1));
    uint64_t from = last != NULL ? max_u64(last->end, low) : low;
    if (high > from && high - from >= size) {
        return high - size;
    }
    return search(map->tree.root, low, high, size);
}

// The gap before area, whose neighbour below is previous.
static void set_gap(struct area_map *map, struct area *area, const struct area *previous)
{
    if (area != NULL) {
        area->gap = area->start - (previous != NULL ? previous->end : 0);
        tree_changed(&map->tree, &area->node);
    }
}

// bytes may be negative: fewer.
static void count(struct area_map *map, unsigned flags, uint64_t bytes)
{
    map->bytes += bytes;
    map->data += area_is_data(flags) ? bytes : 0;
    map->locked += (flags & AREA_LOCKED) != 0 ? bytes : 0;
}

void areas_insert(struct area_map *map, struct area *area)
{
    struct tree_node *parent = NULL, *at = map->tree.root;
    struct area *previous = NULL, *next = NULL;
    unsigned side = 0;
    while (at != NULL) {
        parent = at;
        side = area->start > area_of(at)->start;
        previous = side != 0 ? area_of(at) : previous;
        next = side != 0 ? next : area_of(at);
        at = at->child[side];
    }
    area->gap = area->start - (previous != NULL ? previous->end : 0);
    tree_insert(&map->tree, &area->node, parent, side);
    set_gap(map, next, area);
    map->count++;
    count(map, area->flags, area->end - area->start);
}

void areas_remove(struct area_map *map, struct area *area)
{
    struct area *previous = areas_previous(area), *next = areas_next(area);
    tree_remove(&map->tree, &area->node);
    set_gap(map, next, previous);
    map->count--;
    count(map, area->flags, area->start - area->end);
}

void areas_set_start(struct area_map *map, struct area *area, uint64_t start)
{
    count(map, area->flags, area->start - start);
    area->offset += area->backing != NULL ? start - area->start : 0;
    area->start = start;
    set_gap(map, area, areas_previous(area));
}

void areas_set_end(struct area_map *map, struct area *area, uint64_t end)
{
    count(map, area->flags, end - area->end);
    area->end = end;
    set_gap(map, areas_next(area), area);
}

void areas_set_flags(struct area_map *map, struct area *area, unsigned flags)
{
    count(map, area->flags, area->start - area->end);
    area->flags = flags;
    count(map, area->flags, area->end - area->start);
}

void areas_split(struct area_map *map, struct area *area, uint64_t at, struct area *upper)
{
    *upper = *area;
    upper->start = at;
    upper->offset += area->backing != NULL ? at - area->start : 0;
    areas_set_end(map, area, at);
    areas_insert(map, upper);
}

struct area *areas_join(struct area_map *map, struct area *area)
{
    struct area *next = areas_next(area);
    bool same = next != NULL && next->start == area->end && next->flags == area->flags &&
                next->backing == area->backing &&
                (area->backing == NULL || next->offset == area->offset + (area->end - area->start));
    if (!same) {
        return NULL;
    }
    uint64_t end = next->end;
    areas_remove(map, next);
    areas_set_end(map, area, end);
    return next;
}

static const char *check_area(struct area *area, const struct area *previous)
{
    uint64_t before = previous != NULL ? previous->end : 0;
    if (area->start >= area->end || !is_aligned(area->start | area->end | area->offset, PAGE_SIZE)) {
        return "an area is empty or no whole pages";
    }
    if (area->start < before) {
        return "areas overlap or are out of order";
    }
    if (area_forbids(area->flags, area->flags)) {
        return "an area has a right that its source never gives";
    }
    if (area->gap != area->start - before) {
        return "a gap is wrong";
    }
    uint64_t widest = max_u64(widest_below(area->node.child[0]), widest_below(area->node.child[1]));
    return area->widest == max_u64(area->gap, widest) ? NULL : "a widest gap is wrong";
}

const char *areas_check(const struct area_map *map)
{
    const char *broken = tree_check(&map->tree);
    const struct area *previous = NULL;
    struct area_map sums = {0};
    for (struct area *area = areas_first(map); area != NULL && broken == NULL; area = areas_next(area)) {
        broken = check_area(area, previous);
        sums.count++;
        count(&sums, area->flags, area->end - area->start);
        previous = area;
    }
    bool same =
        sums.count == map->count && sums.bytes == map->bytes && sums.data == map->data && sums.locked == map->locked;
    if (broken == NULL && !same) {
        broken = "areas or their bytes are counted wrong";
    }
    return broken;
}
