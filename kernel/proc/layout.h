// Where a program's parts go, at random unless asked otherwise (personality(2), the word noaslr). Any context.
#pragma once

#include "kernel/mm/space.h"

#define ADDR_NO_RANDOMIZE 0x0040000u // personality(2)

void layout_fix_all(void); // boot: nothing is random from here on
// Of an empty one: its stack's and its mappings' top, so far below that a stack of stack_limit bytes fits.
void layout_choose(struct space *space, uint64_t stack_limit);
uint64_t layout_bias(const struct space *space);              // of a position-independent program
uint64_t layout_brk(const struct space *space, uint64_t end); // of the heap of a program that ends there
uint64_t layout_stack_offset(const struct space *space);      // down from the stack's top, bytes: a multiple of 16
