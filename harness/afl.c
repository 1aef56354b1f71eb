// AFL++'s driver: persistent, the test case in shared memory. Also runs one file, or standard input, without afl-fuzz.
#include "harness/harness.h"

#include <stdio.h>
#include <unistd.h>

__AFL_FUZZ_INIT();

int main(int argc, char **argv)
{
    if (argc > 1 && freopen(argv[1], "rb", stdin) == NULL) {
        fprintf(stderr, "%s: cannot read %s\n", fuzz_target.name, argv[1]);
        return 2;
    }
    harness_lazy = true;
    harness_setup();
    __AFL_INIT();
    unsigned char *data = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(UINT32_MAX)) {
        harness_run(data, (size_t)__AFL_FUZZ_TESTCASE_LEN, NULL);
    }
    return 0;
}
