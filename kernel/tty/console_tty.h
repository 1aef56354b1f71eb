// The console as a terminal.
#pragma once

#include "kernel/tty/tty.h"

extern const struct file_ops console_tty_ops;
void console_tty_give(int32_t group);      // to a session of that number, with its first group in front
[[nodiscard]] int console_tty_start(void); // once, after the scheduler. -ENOMEM
