// A fuzz target, and what it is given. One file of bytes is one run: operations from the front, the machine's choices
// from the back, the fault plan in the first eight bytes.
#pragma once

#include "hal/host/machine.h"
#include "kernel/base/types.h"

struct input {
    const uint8_t *data;
    size_t size, at;
};

struct fuzz_target {
    const char *name;
    bool not_nightly;    // a baseline for rates, nothing to find
    bool boots;          // setup() leaves a world that runs (harness/world.h)
    void (*setup)(void); // once; the state it leaves is the state every run starts from. May be NULL
    void (*run)(struct input *input);
    void (*finish)(void); // faults disarmed: gives everything back, whole checks. May be NULL
};
extern const struct fuzz_target fuzz_target;

// Bytes of the input; zero for ever after its end.
static inline bool input_more(const struct input *input)
{
    return input->at < input->size;
}
static inline uint8_t input_u8(struct input *input)
{
    return input->at < input->size ? input->data[input->at++] : 0;
}
static inline uint16_t input_u16(struct input *input)
{
    uint16_t low = input_u8(input);
    return (uint16_t)(low | input_u8(input) << 8);
}
static inline uint32_t input_u32(struct input *input)
{
    uint32_t low = input_u16(input);
    return low | (uint32_t)input_u16(input) << 16;
}
static inline uint64_t input_u64(struct input *input)
{
    uint64_t low = input_u32(input);
    return low | (uint64_t)input_u32(input) << 32;
}
// 0 to bound - 1, bound up to 65536.
static inline uint32_t input_range(struct input *input, uint32_t bound)
{
    uint32_t value = bound > 256 ? input_u16(input) : input_u8(input);
    return bound == 0 ? 0 : value % bound;
}
static inline bool input_bool(struct input *input)
{
    return (input_u8(input) & 1) != 0;
}

// A line of the decoded program, printed only by replay --trace.
extern bool harness_tracing;
void harness_trace(const char *text, ...) __attribute__((format(printf, 1, 2)));
#define OP(...)                                                                                                        \
    do {                                                                                                               \
        if (unlikely(harness_operation())) {                                                                           \
            harness_trace(__VA_ARGS__);                                                                                \
        }                                                                                                              \
    } while (0)
extern unsigned harness_operations;
MACHINE_INLINE bool harness_operation(void)
{
    harness_operations++;
    return harness_tracing;
}

// What a model says and the kernel denies.
#define EXPECT_MODEL(condition, ...)                                                                                   \
    do {                                                                                                               \
        if (unlikely(!(condition))) {                                                                                  \
            machine_finding("model", __VA_ARGS__);                                                                     \
        }                                                                                                              \
    } while (0)
#define EXPECT_CHECK(walk)                                                                                             \
    do {                                                                                                               \
        const char *broken_ = (walk);                                                                                  \
        if (unlikely(broken_ != NULL)) {                                                                               \
            machine_finding("check", "%s: %s", #walk, broken_);                                                        \
        }                                                                                                              \
    } while (0)
#define EXPECT_NO_LEAK(condition, ...)                                                                                 \
    do {                                                                                                               \
        if (unlikely(!(condition))) {                                                                                  \
            machine_finding("leak", __VA_ARGS__);                                                                      \
        }                                                                                                              \
    } while (0)

// Did the plan of this input make something fail? Then an -ENOMEM needs no other reason.
bool harness_faulted(void);

// A page pool in simulated RAM, its page array beside it; for setup().
struct page_pool;
struct page;
#define HARNESS_POOL_BASE (MACHINE_RAM_BASE + MIB(4))
void harness_pool(struct page_pool *pool, struct page *pages, uint32_t frames);
