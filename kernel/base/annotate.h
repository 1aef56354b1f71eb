// Clang's thread-safety attributes (`locks-say`); GCC, which has none, sees nothing.
// Annotate functions and globals. A field says in a comment which lock covers it: the analysis cannot follow siblings.
#pragma once

#ifdef __clang__
#define TS_ATTRIBUTE(x) __attribute__((x))
#else
#define TS_ATTRIBUTE(x)
#endif

#define CAPABILITY(name) TS_ATTRIBUTE(capability(name))
#define ACQUIRES(...) TS_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASES(...) TS_ATTRIBUTE(release_capability(__VA_ARGS__))
#define TRY_ACQUIRES(...) TS_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define REQUIRES(...) TS_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TS_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define NO_LOCK_ANALYSIS TS_ATTRIBUTE(no_thread_safety_analysis)
