// The fault engine: every injected failure, on both machines, is decided here.
//
// A site is one line of code that can be made to fail:
//     if (fault_here(FAULT_PAGE_ALLOC))
//         return -ENOMEM;
// Sites register themselves; a plan says which of them fail, and when; counters say what happened. Libc-free,
// allocation-free. All state is one struct, changed with atomics, so that a site may stand in any context. Never
// consumed by interrupt context.
#pragma once

#include "kernel/base/types.h"

enum fault_kind {
    FAULT_BOOT_ALLOC, // bump allocator; -ENOMEM
    FAULT_PAGE_ALLOC, // page allocator; -ENOMEM
    FAULT_SLAB_ALLOC, // slab and kmalloc; -ENOMEM
    FAULT_USER_COPY,  // copies to and from user space; -EFAULT
    FAULT_KINDS,
};

struct fault_site {
    const char *function, *file;
    int line;
    enum fault_kind kind;
    // Since fault_reset_counters(), while the engine was on:
    uint32_t reached;           // the line was executed in task context
    uint32_t failed_transient;  // made to fail by a plan with a bound on times
    uint32_t failed_persistent; // made to fail by a plan without one
};

// What to fail. All conditions hold at once. Semantics follow Linux's fault-injection.rst.
struct fault_plan {
    uint32_t kinds;       // bit per enum fault_kind; 0 is all
    uint64_t nth;         // the nth matching arrival, counted from 1, is the first candidate; 0 and 1 are the first
    uint64_t interval;    // after that every interval-th; 0 and 1 are each
    uint64_t times;       // how often at most; 0 is without end (persistent)
    uint32_t probability; // 1 to 100 per cent, drawn from a generator seeded by seed; 0 is 100
    uint64_t seed;
    uint64_t task; // only this task id; 0 is any
};

struct fault_status {
    bool armed;
    struct fault_plan plan;
    uint64_t arrivals;                  // matching arrivals since armed
    uint64_t fired;                     // failures injected since armed
    const struct fault_site *last_site; // where the last one fired, or NULL
};

// Who is asking. The kernel (or a test) provides this function at link time.
struct fault_context {
    uint64_t task; // id of the current task, 0 before there are tasks
    bool interrupt;
};
struct fault_context fault_current_context(void);

extern bool fault_engine_on; // armed or observing; read it only through fault_here()
bool fault_arrive(struct fault_site *site);

#ifndef FAULTLINE_NO_FAULTS
// False: fault_here() would be too, so that a fast path may leave the site to the slow one.
#define fault_possible() __builtin_expect(__atomic_load_n(&fault_engine_on, __ATOMIC_RELAXED), 0)
#define fault_here(kind_)                                                                                              \
    ({                                                                                                                 \
        static struct fault_site site_ = {.function = __func__, .file = __FILE__, .line = __LINE__, .kind = (kind_)};  \
        static struct fault_site *const listed_ __attribute__((used, section("fault_sites"))) = &site_;                \
        fault_possible() && fault_arrive(&site_);                                                                      \
    })
#else
#define fault_possible() false
#define fault_here(kind_) ((void)(kind_), false)
#endif

// Arms plan and zeroes arrivals and fired. Any context; the last caller wins.
void fault_arm(const struct fault_plan *plan);
void fault_disarm(void);     // keeps what fault_status() says of the last plan
void fault_observe(bool on); // count sites as reached even while nothing is armed
struct fault_status fault_status(void);

size_t fault_site_count(void);
struct fault_site *fault_site_at(size_t index); // index < fault_site_count()
void fault_reset_counters(void);
const char *fault_kind_name(enum fault_kind kind); // "boot_alloc", "page_alloc", "slab_alloc", "user_copy"

// Plan text: KIND[+KIND…|all][,nth=N][,interval=N][,times=N|,persistent][,probability=P][,seed=S][,task=T]
// A plan without times= or persistent fails once. E.g. "page_alloc,nth=3" or "page_alloc+slab_alloc,nth=2,persistent".
// -EINVAL when text is not a plan: *error then points at the character that is wrong, and *out is unchanged.
[[nodiscard]] int fault_plan_parse(const char *text, struct fault_plan *out, const char **error);
size_t fault_plan_format(const struct fault_plan *plan, char *out, size_t size); // the text form, as format() returns
