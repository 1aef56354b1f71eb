// Forced into every kernel file of the host build: its variables get sections of their own, so that a reset of the
// machine restores exactly the kernel's state and nothing else.
#pragma clang section bss = "kernel_bss" data = "kernel_data"
