// The bodies named in syscalls.def. Task context, interrupts on; may sleep. Arguments have passed syscall_validate().
#pragma once

#include "kernel/base/types.h"

#define SYSCALL(number_, name_, ...) int64_t sys_##name_(const uint64_t arguments[6]);
#include "kernel/syscall/syscalls.def"
#undef SYSCALL
