// The part of prctl(2) that is about capabilities. Task context.
#pragma once

#include "kernel/base/types.h"

#define PR_GET_KEEPCAPS 7
#define PR_SET_KEEPCAPS 8
#define PR_CAPBSET_READ 23
#define PR_CAPBSET_DROP 24
#define PR_GET_SECUREBITS 27
#define PR_SET_SECUREBITS 28
#define PR_CAP_AMBIENT 47

// arguments[0] is one of these. -EINVAL, -EPERM, -ENOMEM.
int64_t capabilities_control(const uint64_t arguments[6]);
