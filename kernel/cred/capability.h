// What root's rights are made of. Source: capabilities(7); the numbers are Linux's. Any context.
#pragma once

#include "kernel/base/types.h"

enum {
    CAP_CHOWN = 0,
    CAP_DAC_OVERRIDE = 1,
    CAP_DAC_READ_SEARCH = 2,
    CAP_FOWNER = 3,
    CAP_FSETID = 4,
    CAP_KILL = 5,
    CAP_SETGID = 6,
    CAP_SETUID = 7,
    CAP_SETPCAP = 8,
    CAP_LINUX_IMMUTABLE = 9,
    CAP_IPC_LOCK = 14,
    CAP_SYS_CHROOT = 18,
    CAP_SYS_PTRACE = 19,
    CAP_SYS_ADMIN = 21,
    CAP_SYS_BOOT = 22,
    CAP_SYS_NICE = 23,
    CAP_SYS_RESOURCE = 24,
    CAP_SYS_TIME = 25,
    CAP_SYS_TTY_CONFIG = 26,
    CAP_MKNOD = 27,
    CAP_MAC_OVERRIDE = 32,
    CAP_SYSLOG = 34,
    CAP_WAKE_ALARM = 35,
    CAP_LAST = 40, // CAP_CHECKPOINT_RESTORE
};

#define CAP_BIT(number) (1ul << (number))
#define CAPABILITIES_ALL (CAP_BIT(CAP_LAST + 1) - 1)
// Those that a change of the user for files takes and gives: setfsuid(2).
#define CAPABILITIES_OF_FILES                                                                                          \
    (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) |              \
     CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MAC_OVERRIDE))

struct credentials;
bool credentials_capable(const struct credentials *as, unsigned capability);
// The current task: the only question that is asked about root's rights.
bool capable(unsigned capability);
