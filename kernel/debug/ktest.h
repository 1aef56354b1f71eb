// Tests that live in the image, and in the host test runner from the same file: no registration.
//     TEST(suite, name) { EXPECT(1 + 1 == 2); }
// A test runs in task context with interrupts on. It must leave no memory behind: the runner compares before and after.
#pragma once

#include "kernel/base/types.h"

struct ktest {
    const char *suite, *name;
    void (*run)(void);
};

// Pointers, not structs, in the section: compilers align larger aggregates up and leave gaps.
#define TEST(suite_, name_)                                                                                            \
    static void test_##suite_##_##name_(void);                                                                         \
    static const struct ktest ktest_##suite_##_##name_ = {#suite_, #name_, test_##suite_##_##name_};                   \
    static const struct ktest *const ktest_pointer_##suite_##_##name_ __attribute__((used, section("ktests"))) =       \
        &ktest_##suite_##_##name_;                                                                                     \
    static void test_##suite_##_##name_(void)

// Records the failure and leaves the test.
#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            ktest_fail(__FILE__, __LINE__, "expected %s", #condition);                                                 \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
#define EXPECT_EQ(a, b)                                                                                                \
    do {                                                                                                               \
        long long a_ = (long long)(a), b_ = (long long)(b);                                                            \
        if (a_ != b_) {                                                                                                \
            ktest_fail(__FILE__, __LINE__, "expected %s == %s, got %lld and %lld", #a, #b, a_, b_);                    \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)
// For `check-walks`: NULL is well.
#define EXPECT_SOUND(walk)                                                                                             \
    do {                                                                                                               \
        const char *broken_ = (walk);                                                                                  \
        if (broken_ != NULL) {                                                                                         \
            ktest_fail(__FILE__, __LINE__, "%s: %s", #walk, broken_);                                                  \
            return;                                                                                                    \
        }                                                                                                              \
    } while (0)

void ktest_fail(const char *file, int line, const char *text, ...) __attribute__((format(printf, 3, 4)));
size_t ktest_count(void);
const struct ktest *ktest_at(size_t index);
// Runs one; true when it passed. Failures are printed through ktest_print() as KTAP diagnostics.
bool ktest_run(const struct ktest *test);
