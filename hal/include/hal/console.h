// HAL: output before there are drivers. Any context, any boot phase, cannot fail, may spin on the device.
#pragma once

#include "kernel/base/types.h"

void console_write_early(const char *text, size_t size);
