// libFuzzer's driver, and that of everything that speaks its contract (OSS-Fuzz, ClusterFuzzLite, Centipede).
#include "harness/harness.h"
#include "harness/profile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    harness_lazy = true;
    harness_setup();
    profile_start();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    harness_run(data, size, NULL);
    return 0;
}
