// `context-says`: what the running context may do, proved at run time with FAULTLINE_CHECKS, nothing without.
#pragma once

#include "kernel/base/types.h"

#if FAULTLINE_CHECKS
void context_may_allocate(void); // panics in an interrupt handler
void context_may_sleep(void);    // panics in an interrupt handler, and while a spinlock is held
#else
static inline void context_may_allocate(void)
{
}
static inline void context_may_sleep(void)
{
}
#endif
