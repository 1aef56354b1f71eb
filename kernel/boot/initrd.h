// The first files. Task context.
#pragma once

#include "kernel/drivers/fdt.h"

// Mounts the root filesystem and fills it from the machine's initrd, whose memory is then free. Task context.
// What mounting says; a broken archive is said in the log and no error.
[[nodiscard]] int boot_files(const struct machine_description *machine);
[[nodiscard]] int boot_builtin_programs(void); // under /programs. -ENOMEM, -ENOSPC
