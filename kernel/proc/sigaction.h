// What sigaction(2) can say: between the files of this folder and its system calls.
#pragma once

#include "kernel/proc/signal.h"

#define HANDLER_DEFAULT 0ul
#define HANDLER_IGNORE 1ul
#define SA_NOCLDSTOP 1ul
#define SA_NOCLDWAIT 2ul
#define SA_SIGINFO 4ul
#define SA_RESTORER 0x04000000ul
#define SA_ONSTACK 0x08000000ul
#define SA_RESTART 0x10000000ul
#define SA_NODEFER 0x40000000ul
#define SA_RESETHAND 0x80000000ul

#define SS_ONSTACK 1
#define SS_DISABLE 2
#define SS_AUTODISARM ((int32_t)0x80000000)

#define SIGNAL_STACK_MIN 5120u // MINSIGSTKSZ

#define STOPPING (signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU))
#define IGNORED (signal_bit(SIGCHLD) | signal_bit(SIGCONT) | signal_bit(SIGURG) | signal_bit(SIGWINCH))
#define UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))
