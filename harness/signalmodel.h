// No signal runs more handlers than it was sent times. Only signals that nobody but programs send, and only while every
// sender can be counted.
#pragma once

#include "kernel/base/types.h"

void signalmodel_called(uint64_t number, const uint64_t arguments[6]); // a system call is about to be made
void signalmodel_cloned(unsigned exit_signal);
void signalmodel_handled(int signal); // a handler runs. More often than sent is a finding
