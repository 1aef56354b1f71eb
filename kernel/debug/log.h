// Kernel log: a ring of text, and the console. Any context and phase; takes RANK_CONSOLE.
#pragma once

#include "kernel/base/types.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

// One line, without newline. Lines above the console's level go to the ring only.
void log_line(enum log_level level, const char *text, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)

// What user space can bring about as often as it likes is said a few times only. True: say it now. missed, when it is
// true: how many were not said since.
struct log_limit {
    uint64_t since_ns;     // these three atomic
    uint32_t said, missed; // since then
};
#define LOG_BURST 10u
#define LOG_BURST_NS 5000000000ull
[[nodiscard]] bool log_may_say(struct log_limit *limit, uint32_t *missed);
void log_set_console_level(enum log_level level); // LOG_WARNING until told
// The line of that number, counted from 0, or if the ring has it no more the oldest: *number then says which. False:
// it has not been written yet.
#define LOG_LINES 128u
#define LOG_WIDTH 128u
[[nodiscard]] bool log_read(uint32_t *number, char line[LOG_WIDTH]);
uint32_t log_end(void); // the number of the next line
// One more (or with -1 fewer) who waits for lines. While there are any, each line raises SGI_LOG on its CPU: its
// handler may wake them, where who writes a line may hold any lock.
#define SGI_LOG 1u
void log_follow(int change);
// Who may read the log: with restricted only who has CAP_SYSLOG; kernel.dmesg_restrict. Atomic.
extern uint32_t log_restricted;
// Each line of the ring, oldest first, at most as many as fit.
void log_for_each(void (*visit)(const char *line, void *argument), void *argument);
