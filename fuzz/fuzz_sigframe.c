// Signal frames: what a handler finds on its stack is where Linux has it, sigreturn brings back exactly what was, and
// whatever else lies there never gives user space more than it may have.
#include "harness/fuzz.h"

#include <fault/fault.h>
#include <hal/irq.h>

#include "harness/boot.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/make.h"
#include "kernel/proc/sigframe.h"

#include <string.h>

// Linux's layout: arch/arm64/include/uapi/asm/sigcontext.h, asm-generic/ucontext.h and siginfo.h.
#define SIGINFO_SIZE 128u
#define CONTEXT SIGINFO_SIZE
#define CONTEXT_STACK (CONTEXT + 16)
#define CONTEXT_MASK (CONTEXT + 40)
#define CONTEXT_FAULT (CONTEXT + 176)
#define CONTEXT_WORDS (CONTEXT + 184)
#define CONTEXT_RECORDS (CONTEXT + 464)
#define CONTEXT_SIZE 4560u
#define FRAME_RECORD (CONTEXT + CONTEXT_SIZE)
#define FRAME_BYTES (FRAME_RECORD + 16)
#define FP_BYTES 528u

#define STACK 0x200000ull // read and write, a hole on either side
#define STACK_PAGES 4u
#define ALTERNATE 0x300000ull
#define ALTERNATE_PAGES 3u
#define READ_ONLY 0x400000ull

static struct thread thread;
static struct process *process;
static struct task *task;
static struct user_regs regs;

static void map(uint64_t address, unsigned pages, unsigned flags)
{
    uint64_t at;
    struct space_request request = {.address = address, .size = pages * PAGE_SIZE, .flags = flags, .fixed = true};
    int error = space_map(process->space, &request, &at);
    EXPECT_MODEL(error == 0, "mapping gave %d", error);
}

static void start(void)
{
    struct fault_status faults = fault_status();
    fault_disarm();
    EXPECT_MODEL(process_make(&process) == 0 && process_space_create(&process->space) == 0, "no process");
    EXPECT_MODEL(task_make(process, &task) == 0, "no task");
    map(STACK, STACK_PAGES, AREA_READ | AREA_WRITE);
    map(ALTERNATE, ALTERNATE_PAGES, AREA_READ | AREA_WRITE);
    map(READ_ONLY, 1, AREA_READ);
    memset(&thread, 0, sizeof(thread));
    thread.task = task;
    thread.process = process;
    task->thread = &thread;
    flow_local_set(&thread);
    process_use_space(&thread, process->space, &task->fp);
    if (faults.armed) {
        fault_arm(&faults.plan);
    }
}

static void finish(void)
{
    if (process != NULL) {
        process_use_space(&thread, NULL, NULL);
        flow_local_set(NULL);
        task_free(task);
        process_unmake(process);
    }
    heap_trim(&kernel_heap);
}

static bool is_writable(uint64_t from, uint64_t size)
{
    bool stack = from >= STACK && from <= STACK + STACK_PAGES * PAGE_SIZE - size;
    return stack || (from >= ALTERNATE && from <= ALTERNATE + ALTERNATE_PAGES * PAGE_SIZE - size);
}

static uint64_t word_at(uint64_t address)
{
    uint64_t word;
    int error = copy_from_user(&word, uaddr(address), sizeof(word));
    EXPECT_MODEL(error == 0, "a frame that was written cannot be read");
    return word;
}

static uint64_t some_sp(struct input *input)
{
    static const uint64_t places[] = {
        STACK + STACK_PAGES * PAGE_SIZE,
        ALTERNATE + ALTERNATE_PAGES * PAGE_SIZE,
        STACK + FRAME_BYTES,
        ALTERNATE + FRAME_BYTES,
        READ_ONLY + PAGE_SIZE,
        0,
        USER_LIMIT,
        STACK + 2 * PAGE_SIZE,
    };
    uint8_t how = input_u8(input);
    uint64_t sp = (how & 0x80) != 0 ? input_u64(input) : places[how % ARRAY_SIZE(places)];
    return sp - ((how & 0x40) != 0 ? 16ull * input_u8(input) : 0) + ((how & 0x20) != 0 ? input_u8(input) : 0);
}

static void fill_state(struct input *input, uint64_t words[USER_WORDS], uint8_t fp[FP_BYTES])
{
    for (unsigned i = 0; i < USER_WORDS; i++) {
        words[i] = i * 0x0101010101010101ull + input_u8(input);
    }
    words[31] = some_sp(input);
    words[33] = (uint64_t)(input_u8(input) & 15) << 28;
    EXPECT_MODEL(user_regs_write(&regs, words) == 0, "the registers cannot be set");
    for (unsigned i = 0; i < FP_BYTES; i++) {
        fp[i] = (uint8_t)(i * 7 + words[0]);
    }
    memset(fp + 516, 0, 4); // the control words have 32 bits
    memset(fp + 524, 0, 4);
    memcpy(&task->fp, fp, FP_BYTES);
    fp_restore(&task->fp);
}

static void set_stack(struct input *input)
{
    static const uint64_t sizes[] = {ALTERNATE_PAGES * PAGE_SIZE, SIGNAL_STACK_MIN, PAGE_SIZE * 2, 1};
    uint8_t how = input_u8(input);
    bool off = (how & 1) != 0;
    uint64_t at = ((how & 2) != 0 ? ALTERNATE : STACK) + ((how & 0x20) != 0 ? PAGE_SIZE : 0); // memory below, or a hole
    task->signals.stack = off ? 0 : at;
    task->signals.stack_size = off ? 0 : sizes[how >> 2 & 3];
    task->signals.stack_flags = off ? SS_DISABLE : (how & 0x10) != 0 ? SS_AUTODISARM : 0;
}

// Where the frame goes, or 0 if the alternate stack is full.
static uint64_t expect_frame(const struct task_signals *signals, uint64_t sp, uint64_t flags)
{
    bool on_it = sp > signals->stack && sp <= signals->stack + signals->stack_size;
    bool switches = (flags & SA_ONSTACK) != 0 && !on_it && (signals->stack_flags & SS_DISABLE) == 0;
    uint64_t top = switches ? signals->stack + signals->stack_size : sp;
    uint64_t frame = (top - FRAME_BYTES) & ~15ull;
    return (on_it || switches) && frame < signals->stack ? 0 : frame;
}

static void check_frame(uint64_t frame, const struct signal_info *info, const struct signal_action *action,
                        const uint64_t before[USER_WORDS], const uint8_t fp[FP_BYTES], uint64_t mask)
{
    uint64_t after[USER_WORDS];
    uint8_t saved[FP_BYTES];
    user_regs_read(&regs, after);
    EXPECT_MODEL(after[31] == frame && after[0] == (uint64_t)info->signal && after[1] == frame &&
                     after[2] == frame + CONTEXT && after[32] == action->handler,
                 "the handler does not start as it should");
    EXPECT_MODEL(after[30] == ((action->flags & SA_RESTORER) != 0 ? action->restorer : process->space->vdso),
                 "the handler returns to 0x%llx", (unsigned long long)after[30]);
    EXPECT_MODEL(after[29] == frame + FRAME_RECORD && word_at(after[29]) == before[29] &&
                     word_at(after[29] + 8) == before[30],
                 "the frame record is wrong");
    EXPECT_MODEL((uint32_t)word_at(frame) == (uint32_t)info->signal &&
                     (uint32_t)word_at(frame + 8) == (uint32_t)info->code && word_at(frame + 16) == info->value[0] &&
                     word_at(frame + 24) == info->value[1],
                 "siginfo is wrong");
    EXPECT_MODEL(word_at(frame + CONTEXT_MASK) == mask, "the mask is wrong");
    for (unsigned i = 0; i < USER_WORDS; i++) {
        EXPECT_MODEL(word_at(frame + CONTEXT_WORDS + 8 * i) == before[i], "word %u of the context is wrong", i);
    }
    EXPECT_MODEL(word_at(frame + CONTEXT_RECORDS) == (0x46508001ull | (uint64_t)FP_BYTES << 32), "no FP record");
    EXPECT_MODEL(word_at(frame + CONTEXT_RECORDS + FP_BYTES) == 0, "the records do not end");
    int error = copy_from_user(saved, uaddr(frame + CONTEXT_RECORDS + 16), 512);
    EXPECT_MODEL(error == 0 && memcmp(saved, fp, 512) == 0, "the FP registers are wrong");
}

static void push_and_pop(struct input *input)
{
    uint64_t before[USER_WORDS], after[USER_WORDS], mask, fired;
    uint8_t fp[FP_BYTES], restored[FP_BYTES];
    fill_state(input, before, fp);
    set_stack(input);
    uint8_t how = input_u8(input);
    struct signal_info info = {.signal = 1 + input_u8(input) % SIGNAL_MAX, .code = (int8_t)input_u8(input)};
    struct signal_action action = {.handler = 0x5000 + how,
                                   .flags = ((how & 1) != 0 ? SA_ONSTACK : 0) | ((how & 2) != 0 ? SA_RESTORER : 0),
                                   .restorer = 0x6000};
    info.value[0] = input_u32(input);
    info.value[1] = how;
    struct task_signals signals = task->signals;
    uint64_t frame = expect_frame(&signals, before[31], action.flags);
    fired = fault_status().fired;
    int error = sigframe_push(task, &regs, &info, &action, 0x1234 + how);
    bool faulted = fault_status().fired > fired;
    OP("push at 0x%llx, flags 0x%llx = %d", (unsigned long long)before[31], (unsigned long long)action.flags, error);
    bool fits = frame != 0 && is_writable(frame, FRAME_BYTES);
    EXPECT_MODEL((error == 0) == (fits && !faulted) || (faulted && error == 0), "pushing gave %d", error);
    if (error != 0) {
        return;
    }
    fault_disarm();
    check_frame(frame, &info, &action, before, fp, 0x1234u + how);
    memset(&task->fp, 0x11, FP_BYTES); // what the handler did
    fp_restore(&task->fp);
    uint8_t damage = input_u8(input);
    if (damage < 0x80) {
        error = sigframe_pop(task, &regs, &mask);
        user_regs_read(&regs, after);
        fp_save(&task->fp);
        memcpy(restored, &task->fp, FP_BYTES);
        EXPECT_MODEL(error == 0 && mask == 0x1234u + how && memcmp(before, after, sizeof(before)) == 0 &&
                         memcmp(restored, fp, FP_BYTES) == 0,
                     "popping gave %d, or something else than was pushed", error);
        bool same_stack = signals.stack == task->signals.stack && signals.stack_size == task->signals.stack_size;
        EXPECT_MODEL(signals.stack_size < SIGNAL_STACK_MIN || same_stack, "the alternate stack is another one");
        return;
    }
    uint64_t at = frame + input_u16(input) % FRAME_BYTES, value = input_u64(input);
    int damaged = copy_to_user(uaddr(at), &value, at + 8 <= frame + FRAME_BYTES ? 8 : 1);
    error = sigframe_pop(task, &regs, &mask);
    OP("damage at + 0x%llx = %d, pop = %d", (unsigned long long)(at - frame), damaged, error);
}

// What is on the stack by chance.
static void pop_anything(struct input *input)
{
    uint64_t words[USER_WORDS], after[USER_WORDS], mask;
    uint8_t fp[FP_BYTES];
    fill_state(input, words, fp);
    uint64_t at = words[31] + CONTEXT + input_range(input, 1024), value = input_u64(input);
    int written = copy_to_user(uaddr(at), &value, sizeof(value));
    int error = sigframe_pop(task, &regs, &mask);
    user_regs_read(&regs, after);
    OP("write = %d, pop at 0x%llx = %d", written, (unsigned long long)words[31], error);
    EXPECT_MODEL(error == 0 || memcmp(words, after, sizeof(words)) == 0, "a bad frame changed the registers");
}

static void run(struct input *input)
{
    start();
    while (input_more(input)) {
        if ((input_u8(input) & 3) == 0) {
            pop_anything(input);
        } else {
            push_and_pop(input);
        }
        uint64_t words[USER_WORDS];
        user_regs_read(&regs, words);
        EXPECT_MODEL((words[33] & ~PSTATE_USER) == 0, "user space has pstate 0x%llx", (unsigned long long)words[33]);
    }
}

const struct fuzz_target fuzz_target = {
    .name = "fuzz_sigframe", .setup = boot_memory_once, .run = run, .finish = finish};
