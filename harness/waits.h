// Who waits for what, for reports and for what is told when nothing goes on. Nothing else may run meanwhile.
#pragma once

#include "kernel/base/types.h"

void waits_print(void); // to stderr: every thread, and a circle when there is one
// A thread that sleeps although it was woken, or what it waits for is there: a sentence, else NULL. While every CPU is
// idle.
const char *waits_lost(void);
// Lets user space's sleepers look again at what they wait for, as if woken for it; how many. While every CPU is idle,
// interrupts off. Whoever finds it there has lost a wake-up: waits_stirred() says whether it was one of them.
unsigned waits_stir(void);
struct thread;
bool waits_stirred(const struct thread *thread);
void waits_forget(void); // whom it has stirred
