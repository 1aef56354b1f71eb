// Bugs on demand, to test how they are reported.
#pragma once

int crash_command(char *arguments); // the monitor's; returns only for a wrong KIND
