// Keeps its CPU busy without a system call, for a while: preemption must come from the timer.
#include "faultline.h"

int main(int argc, char **argv, char **envp)
{
    for (volatile unsigned i = 0; i < 20000000; i++) {
    }
    print("spun\n");
    return 0;
}
