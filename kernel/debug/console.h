// Where text goes: the early console until a driver takes over. Any context; takes RANK_CONSOLE.
#pragma once

#include "kernel/base/types.h"

// The driver's output: must not sleep, must not log, may be called with any lock but RANK_LEAF ones held.
typedef void console_output(const char *text, size_t size);
void console_set_output(console_output *output); // NULL: the early console
void console_write(const char *text, size_t size);
void console_print(const char *text, ...) __attribute__((format(printf, 1, 2)));
// From here on this CPU alone is heard, through the early console and without a lock: a panic must come through.
void console_enter_panic(void);

// Input: the driver's interrupt handler pushes, and one of two readers gets it. Bytes beyond the buffer are dropped and
// counted.
enum console_reader { CONSOLE_MONITOR, CONSOLE_TERMINAL };
void console_input(char byte);
char console_read(enum console_reader reader); // task context; sleeps until there is a byte, and it is this one's turn
void console_set_reader(enum console_reader reader); // whose turn it is from now on; any context
uint64_t console_input_dropped(void);
