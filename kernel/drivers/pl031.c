#include "kernel/drivers/pl031.h"

#include <hal/mmio.h>

#define DR 0x000
#define PERIPH_ID0 0xfe0
#define PERIPH_ID1 0xfe4

int pl031_read(paddr_t base, uint64_t size, uint64_t *seconds)
{
    mmio_t registers;
    if (size < PAGE_SIZE) {
        return -EINVAL;
    }
    int error = mmio_map(base, size, &registers);
    if (error != 0) {
        return error;
    }
    if ((mmio_read32(registers, PERIPH_ID0) & 0xff) != 0x31 || (mmio_read32(registers, PERIPH_ID1) & 0xf) != 0) {
        return -ENODEV;
    }
    *seconds = mmio_read32(registers, DR);
    return 0;
}
