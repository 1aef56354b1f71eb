// Address space identifiers: the tags of TLB entries. There are fewer than there may be spaces, so a space has one for
// a generation: when all are taken a new one begins, in which only what runs keeps its number, and every CPU empties
// its TLB before it goes on to another space. Source: Arm ARM D8.15.
#pragma once

#include "kernel/mm/pagetable.h"

// Makes table the lower half on this CPU, under an identifier that is its own. Interrupts off.
void asid_activate(struct pagetable *table);
// table is not used on any CPU any more, and nothing of it is in any TLB. Any context.
void asid_release(struct pagetable *table);

struct asid_statistics {
    uint64_t generation; // from 1
    uint32_t limit;      // identifiers are below
    uint32_t used;       // in this generation
};
struct asid_statistics asid_statistics(void);
[[nodiscard]] const char *asid_check(void);
