// Run-time options of the sanitizers that every driver wants.
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__msan_default_options(void);
const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);

const char *__asan_default_options(void)
{
    // Fake stacks would outlive the fibers they belong to; the kernel allocates nothing that LeakSanitizer could see.
    // The engine's own memory is not what we watch: it needs no quarantine.
    return "detect_stack_use_after_return=0:detect_leaks=0:abort_on_error=1:handle_abort=0:allow_user_poisoning=1:"
           "quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=1";
}

const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1:halt_on_error=1";
}

const char *__msan_default_options(void)
{
    return "intercept_memcmp=0:abort_on_error=1"; // the slab compares memory that is free on purpose
}

const char *__tsan_default_options(void)
{
    return "halt_on_error=1:abort_on_error=1:atexit_sleep_ms=0"; // each test and input is a process of its own
}

const char *__tsan_default_suppressions(void)
{
    return "race:file_flags\n"; // fcntl(2): one word; who uses the file meanwhile does so with the old or the new ones
}
