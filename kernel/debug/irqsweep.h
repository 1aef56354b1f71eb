// Interrupts a function at each instruction: the timer is armed FIRST, FIRST + 1, … LAST nanoseconds ahead, where
// it comes another thread does the same work from beginning to end, and then every walk must find all sound. With one
// instruction to the nanosecond (QEMU: -icount shift=0,sleep=off and cntfrq=1000000000) no place is left out. On one
// CPU: on more, the other thread may run beside instead of between.
#pragma once

int irqsweep_command(char *arguments); // the monitor's
