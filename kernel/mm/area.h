// Which parts of an address space mean something: areas of equal rights and source, in order of address. Only the
// structure: no page, no table, no allocation. The caller's lock covers it; any context.
#pragma once

#include "kernel/base/tree.h"
#include "kernel/base/types.h"

enum area_flags {
    AREA_READ = 1 << 0, // as PROT_READ, PROT_WRITE, PROT_EXEC of mmap(2)
    AREA_WRITE = 1 << 1,
    AREA_EXEC = 1 << 2,
    AREA_SHARED = 1 << 3,     // writes reach the source, and whoever else maps it
    AREA_GROWS_DOWN = 1 << 4, // a stack: a touch below makes it larger
    AREA_STACK = 1 << 5,      // for people: [stack], [heap], [vdso]
    AREA_HEAP = 1 << 6,
    AREA_VDSO = 1 << 7,
    AREA_VVAR = 1 << 12,       // likewise [vvar]
    AREA_LOCKED = 1 << 8,      // mlock(2): pages come at once. Nothing is ever swapped out
    AREA_NOT_FORKED = 1 << 9,  // madvise(2): a child does not have it,
    AREA_WIPED = 1 << 10,      // or has it empty
    AREA_NORESERVE = 1 << 11,  // may be larger than all memory
    AREA_LOCK_LATER = 1 << 13, // with AREA_LOCKED: pages come when they are touched, and stay
    // What its source does not allow, whoever asks later: a file that is open for reading only and shared is never
    // written, nothing on a mount without programs is ever executed.
    AREA_NEVER_WRITE = 1 << 14,
    AREA_NEVER_EXEC = 1 << 15,
};
#define AREA_RIGHTS (AREA_READ | AREA_WRITE | AREA_EXEC)
#define AREA_KERNELS (AREA_VDSO | AREA_VVAR) // its pages are the kernel's: neither locked nor made larger

struct backing; // kernel/mm/space.h

struct area {
    struct tree_node node;
    uint64_t start, end;     // whole pages
    unsigned flags;          // enum area_flags
    uint64_t gap;            // free bytes from the area before (or address 0) to start
    uint64_t widest;         // of the gaps of all below in the tree
    struct backing *backing; // NULL: zeroes
    uint64_t offset;         // of start in backing, bytes, a whole number of pages; 0 without one
};

struct area_map {
    struct tree tree;
    uint32_t count;
    uint64_t bytes;
    uint64_t data, locked; // of those, as area_is_data() says; with AREA_LOCKED
};

// What RLIMIT_DATA counts.
static inline bool area_is_data(unsigned flags)
{
    return (flags & (AREA_WRITE | AREA_SHARED | AREA_GROWS_DOWN)) == AREA_WRITE;
}
// The rights that nobody can ever give it, of those asked for.
static inline bool area_forbids(unsigned flags, unsigned rights)
{
    return ((rights & AREA_WRITE) != 0 && (flags & AREA_NEVER_WRITE) != 0) ||
           ((rights & AREA_EXEC) != 0 && (flags & AREA_NEVER_EXEC) != 0);
}

void areas_init(struct area_map *map);
// The first area that ends above va, or NULL: it holds va, or is the next one up.
struct area *areas_find(const struct area_map *map, uint64_t va);
struct area *areas_first(const struct area_map *map);
struct area *areas_next(struct area *area); // NULL after the last
struct area *areas_previous(struct area *area);
bool areas_overlap(const struct area_map *map, uint64_t start, uint64_t end);
// The highest start of size free bytes inside [low, high), or 0. low is above 0.
uint64_t areas_find_gap(const struct area_map *map, uint64_t low, uint64_t high, uint64_t size);

void areas_insert(struct area_map *map, struct area *area); // must not overlap; the caller has filled it
void areas_remove(struct area_map *map, struct area *area);
void areas_set_start(struct area_map *map, struct area *area, uint64_t start); // moves offset along; no overlap
void areas_set_end(struct area_map *map, struct area *area, uint64_t end);
void areas_set_flags(struct area_map *map, struct area *area, unsigned flags);
// area keeps what is below at, upper (its old contents do not matter) takes the rest. start < at < end.
void areas_split(struct area_map *map, struct area *area, uint64_t at, struct area *upper);
// Joins area with the one after it if they say the same; that one is then the caller's to free. Else NULL.
struct area *areas_join(struct area_map *map, struct area *area);

[[nodiscard]] const char *areas_check(const struct area_map *map);
