// What page tables must say, from the flat model: expected results, and one address asked in every way there is.
#pragma once

#include "harness/intervals.h"
#include "kernel/mm/pagetable.h"

// upper: the kernel's half.
bool space_bad_range(bool upper, uint64_t va, uint64_t size);
int space_expect_map(const struct intervals *model, bool upper, uint64_t va, uint64_t pa, uint64_t size,
                     unsigned flags);
int space_expect_protect(const struct intervals *model, bool upper, uint64_t va, uint64_t size, unsigned flags);
// The table is active. Model, kernel, independent walker and TLB agree on the page of va, or it is a finding.
void space_verify(const struct intervals *model, const struct pagetable *table, bool upper, uint64_t va);
