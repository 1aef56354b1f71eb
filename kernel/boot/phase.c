#include "kernel/boot/phase.h"

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

static enum boot_phase current = BOOT_EARLY;

enum boot_phase boot_phase(void)
{
    return load_acquire(&current);
}

void boot_phase_advance(enum boot_phase phase)
{
    ASSERT(phase == current + 1);
    store_release(&current, phase);
}
