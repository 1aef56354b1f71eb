// The end of a program without a C library: destructors, then the kernel's exit.
#include "faultline.h"

typedef void finisher(void);
extern finisher *const __fini_array_start[] __attribute__((visibility("hidden")));
extern finisher *const __fini_array_end[] __attribute__((visibility("hidden")));

_Noreturn void exit(int status)
{
    for (finisher *const *at = __fini_array_end; at > __fini_array_start;) {
        (*--at)();
    }
    _exit(status);
}
