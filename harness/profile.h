// Where the time of a fuzzing run goes: samples of the program counter, when FAULTLINE_PROFILE names a file to write.
#pragma once

void profile_start(void);
