// /dev/kmsg: the kernel's log, a line a read, and lines for it.
#pragma once

[[nodiscard]] int kmsg_start(void); // once, before the devices have their nodes; -EBUSY, -EINVAL: no interrupt for it
