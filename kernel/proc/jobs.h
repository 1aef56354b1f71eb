// What terminals ask of process groups. Source: setpgid(2), termios(3). Task context.
#pragma once

#include "kernel/proc/process.h"

// From the kernel: nobody is asked for permission. Nothing if nobody is there. A group's number may be another's by
// now, but not in the same session, which is there as long as it has a terminal.
void group_signal(int32_t group, int32_t session, int signal);
bool group_in_session(int32_t group, int32_t session); // some process is in both
// The current process does what its terminal allows to its foreground group only: with signal its group is stopped.
// -ERESTART: it has been sent, and the call is to be made again; -EIO: nobody could continue the group, or with SIGTTIN
// it would not stop; 0: it may go on, since it does not want that signal.
[[nodiscard]] int process_in_background(int signal);
// Set once, by the terminals: called when the leader of a session ends. Task context, no lock.
extern void (*session_ended)(int32_t session);
