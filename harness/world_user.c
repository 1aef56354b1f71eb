// User space of the simulated machine: the interpreter of programs, in C, on the stack of each thread's flow. It
// reaches memory through the MMU, and the kernel with a full set of registers, as a program of machine code would.
#include "harness/world.h"

#include <fault/fault.h>

#include "harness/neighbour.h"
#include "harness/signalmodel.h"
#include "harness/waits.h"
#include "kernel/proc/layout.h"
#include "kernel/proc/process.h"
#include "kernel/proc/task.h"

#include <string.h>
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#endif

// Where the program counter is while what happens.
#define PC_CALL (WORLD_IMAGE + 0x200)    // SVC
#define PC_HANDLER (WORLD_IMAGE + 0x300) // first instruction of the signal handler
#define PC_RETURN (WORLD_IMAGE + 0x400)  // where a handler returns to: SVC
#define PC_ACCESS (WORLD_IMAGE + 0x500)  // a load or store
#define SYS_RT_SIGRETURN 139u
#define SYS_CLONE 220u
#define SYS_WAITID 95u
#define SYS_WAIT4 260u
#define SYS_EXIT_GROUP 94u
#define SYS_MOUNT 40u
#define SYS_CLONE3 435u
#define SYS_NANOSLEEP 101u
#define SYS_MKNODAT 33u
#define SYS_CHMODAT 53u
#define SYS_UMASK 166u
#define SYS_MKDIRAT 34u
#define SYS_CHROOT 51u
#define SYS_OPENAT 56u
#define SYS_CLOSE 57u
#define SYS_SENDFILE 71u
#define FRAME_PC (128 + 184 + 8 * 32) // in the frame of a signal: the interrupted pc (sigcontext.h)
#define RETRIES_MAX 1000u
#define IMAGE_NS 200000u // that a new image runs on the other machine
// Registers that say whose flow it is, across clone(2), and that nobody else may change.
#define REG_ID 20
#define REG_WHAT 19
#define REG_KEEP 21
#define FP_LAST 508u // of V0 to V31

struct world world __attribute__((section("kernel_data"))); // a reset restores it
void (*world_on_event)(const struct prog_event *event);

struct user {
    struct user_regs *regs;
    struct prog_task *task;
};

static struct user *here(void)
{
    return machine_user_data();
}

static uint64_t keepsake(const struct prog_task *task, unsigned reg)
{
    return (uint64_t)task->id << 32 | reg * 0x01010101u;
}

static void set_registers(struct user_regs *regs, const struct prog_task *task)
{
    regs->x[REG_WHAT] = task->list | (uint64_t)task->level << 8 | (uint64_t)task->slot << 16 |
                        (uint64_t)task->is_process << 24 | (uint64_t)task->owns_memory << 25;
    regs->x[REG_ID] = task->id | (uint64_t)(uint32_t)task->pid << 32;
    for (unsigned i = REG_KEEP; i < 30; i++) {
        regs->x[i] = keepsake(task, i);
    }
}

// Its floating-point registers, likewise: only the first and the last word are looked at.
static void set_fp(const struct prog_task *task)
{
    struct fp_state state;
    memset(&state, 0, sizeof(state));
    memcpy(&state, &task->id, sizeof(task->id));
    memcpy((char *)&state + FP_LAST, &task->id, sizeof(task->id));
    fp_restore(&state);
}

static void check_fp(uint32_t id)
{
    struct fp_state state;
    uint32_t words[2];
    fp_save(&state);
    memcpy(&words[0], &state, sizeof(words[0]));
    memcpy(&words[1], (char *)&state + FP_LAST, sizeof(words[1]));
    EXPECT_MODEL(words[0] == id && words[1] == id, "the floating-point registers of a thread changed in the kernel");
}

static void check_registers(const struct user *user, uint64_t sp)
{
    for (unsigned i = REG_KEEP; i < 30 && user->task != NULL; i++) {
        EXPECT_MODEL(user->regs->x[i] == keepsake(user->task, i), "x%u of a thread changed in the kernel", i);
    }
    EXPECT_MODEL(user->regs->sp == sp, "sp of a thread changed in the kernel");
    if (user->task != NULL) {
        check_fp(user->task->id);
    }
}

static void make_call(struct user_regs *regs, uint64_t number, const uint64_t arguments[6])
{
    memcpy(regs->x, arguments, 6 * sizeof(*arguments));
    regs->x[8] = number;
    regs->pc = PC_CALL;
}

_Noreturn static void end_image(struct user_regs *regs, int status)
{
    for (;;) { // a signal may come between
        make_call(regs, SYS_EXIT_GROUP, (const uint64_t[6]){(uint64_t)status});
        machine_user_call(regs);
    }
}

_Noreturn static void begin_image(struct user_regs *regs);

// The body of the handler and its return. An access that cannot be made is left out, or it would be made again for
// ever.
static void handle(struct user *user)
{
    struct user_regs *regs = user->regs;
    int signal = (int)regs->x[0];
    uint64_t pc = 0, at = regs->sp + FRAME_PC;
    signalmodel_handled(signal);
    prog_handler(user->task, signal);
    if (signal == SIGSEGV || signal == SIGBUS) {
        prog_machine_read(&pc, at, sizeof(pc));
        pc += pc == PC_ACCESS ? 4 : 0;
        prog_machine_write(at, &pc, sizeof(pc));
    }
    set_fp(&(struct prog_task){.id = ~0u}); // a handler may do that
    regs->x[8] = SYS_RT_SIGRETURN;
    regs->pc = PC_RETURN;
    machine_user_call(regs);
}

// Whatever the kernel has sent this thread to, until it is where it wanted to go.
static void go_on(struct user *user, uint64_t pc)
{
    struct user_regs *regs = user->regs;
    while (regs->pc != pc) {
        if (regs->pc == PC_HANDLER) {
            handle(user);
        } else if (regs->pc == PC_CALL) { // made again
            machine_user_call(regs);
        } else if (regs->pc == WORLD_ENTRY) {
            begin_image(regs);
        } else {
            machine_user_fault(regs, USER_FAULT_EXECUTE, regs->pc);
        }
    }
}

int64_t prog_machine_call(uint64_t number, const uint64_t arguments[PROG_ARGUMENTS])
{
    struct user *user = here();
    struct user_regs *regs = user->regs;
    uint64_t sp = regs->sp;
    signalmodel_called(number, arguments);
    make_call(regs, number, arguments);
    machine_user_point(regs);
    go_on(user, PC_CALL);
    machine_user_call(regs);
    go_on(user, PC_CALL + 4);
    check_registers(user, sp);
    return (int64_t)regs->x[0];
}

int64_t prog_machine_clone(uint64_t flags, uint64_t stack_top, uint64_t parent_tid, uint64_t tls, uint64_t child_tid,
                           const struct prog_task *child)
{
    struct user *user = here();
    set_registers(user->regs, child);
    struct prog_task *me = user->task;
    user->task = NULL; // whose registers they are is open for now
    signalmodel_cloned(flags & 0xff);
    int64_t result;
    if ((flags & PROG_CLONE3) != 0) { // struct clone_args (sched.h)
        const uint64_t words[] = {flags & ~(PROG_CLONE3 | 0xff),
                                  0,
                                  child_tid,
                                  parent_tid,
                                  flags & 0xff,
                                  stack_top - PROG_STACK_SIZE,
                                  PROG_STACK_SIZE,
                                  tls};
        prog_machine_write(stack_top - sizeof(words), words, sizeof(words));
        result = prog_machine_call(SYS_CLONE3, (const uint64_t[6]){stack_top - sizeof(words), sizeof(words)});
    } else {
        result = prog_machine_call(SYS_CLONE, (const uint64_t[6]){flags, stack_top, parent_tid, tls, child_tid});
    }
    user->task = me;
    set_registers(user->regs, me);
    return result;
}

// The bytes at address, after all that the kernel has to say to it; NULL: the access is left out.
static char *reach(uint64_t address, bool write)
{
    struct user *user = here();
    struct user_regs *regs = user->regs;
    uint64_t pc = regs->pc;
    char *bytes = NULL;
    for (unsigned i = 0; bytes == NULL; i++) {
        regs->pc = PC_ACCESS;
        bytes = machine_user_reach(regs, address, write);
        if (regs->pc == PC_ACCESS + 4) {
            break;
        }
        if (regs->pc != PC_ACCESS) {
            while (regs->pc != PC_ACCESS && regs->pc != PC_ACCESS + 4) {
                if (regs->pc == PC_HANDLER) {
                    handle(user);
                } else {
                    machine_user_fault(regs, USER_FAULT_EXECUTE, regs->pc);
                }
            }
            if (regs->pc == PC_ACCESS + 4) {
                bytes = NULL;
                break;
            }
        }
        if (i == RETRIES_MAX) {
            machine_finding("livelock", "the fault at 0x%llx is neither mended nor told", (unsigned long long)address);
        }
    }
    regs->pc = pc;
    return bytes;
}

// As user space does it: no sanitizer looks, races there are its own.
__attribute__((no_sanitize("address", "memory", "thread", "undefined"))) static void move(char *to, const char *from,
                                                                                          size_t size)
{
#if __has_feature(memory_sanitizer)
    __msan_unpoison(to, size);
#endif
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

// The interpreter's own: what calls gave lies there, and was looked at on its way.
static bool is_scratch(uint64_t address)
{
    return address >= PROG_STATE_BASE && address < PROG_STACK_BASE + PROG_STACK_SIZE * PROG_TASKS_MAX;
}

static void transfer(uint64_t address, void *bytes, size_t size, bool write)
{
    for (size_t done = 0; done < size;) {
        uint64_t at = address + done, left = PAGE_SIZE - (at & PAGE_MASK);
        size_t here = size - done < left ? size - done : left;
        char *place = reach(at, write);
        if (place == NULL) {
            return;
        }
        if (!write) {
            machine_user_sees(at, place, here);
            if (world_has_neighbour && !is_scratch(at)) {
                neighbour_seen((const char *)((uintptr_t)place & ~PAGE_MASK), PAGE_SIZE);
            }
        }
        move(write ? place : (char *)bytes + done, write ? (char *)bytes + done : place, here);
        done += here;
    }
}

void prog_machine_read(void *to, uint64_t address, size_t size)
{
    transfer(address, to, size, false);
}

void prog_machine_write(uint64_t address, const void *from, size_t size)
{
    transfer(address, (void *)from, size, true);
}

// Before an access another CPU, or a handler, may come.
static void step(void)
{
    struct user *user = here();
    uint64_t pc = user->regs->pc;
    machine_user_point(user->regs);
    go_on(user, pc);
}

uint64_t prog_machine_load(uint64_t address, unsigned size)
{
    uint64_t value = 0;
    step();
    transfer(address, &value, size, false);
    return value;
}

void prog_machine_store(uint64_t address, uint64_t value, unsigned size)
{
    step();
    transfer(address, &value, size, true);
}

uint32_t prog_machine_add(uint64_t address, uint32_t value)
{
    char *word = (address & 3) == 0 ? reach(address, true) : NULL;
    if (word == NULL) {
        return 0;
    }
    uint32_t before = 0;
    move((char *)&before, word, sizeof(before));
    uint32_t after = before + value;
    move(word, (const char *)&after, sizeof(after));
    return before;
}

uint64_t prog_machine_handler(void)
{
    return PC_HANDLER;
}

uint64_t prog_machine_restorer(void)
{
    return PC_RETURN;
}

bool prog_machine_fail_nth(unsigned nth)
{
    if (nth == 0) {
        fault_disarm();
    } else {
        fault_arm(&(struct fault_plan){.nth = nth, .times = 1, .task = thread_current()->id});
    }
    return true;
}

// Nobody tells who waits for children that there are none left that he means (another thread took the last one, or it
// has left its group), and who sleeps that his file is not to block any more: as on Linux.
static bool may_be_untold(const struct prog_event *event)
{
    uint16_t number = world.program.calls[event->call].number;
    return event->result == -EAGAIN || (event->result == -ECHILD && (number == SYS_WAIT4 || number == SYS_WAITID));
}

void prog_machine_trace(const struct prog_event *event)
{
    uint64_t words[] = {event->task, event->kind, event->call, (uint64_t)event->result, event->size};
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        world.hash = (world.hash ^ words[i]) * 0x100000001b3;
    }
    if (event->kind == PROG_ENDED && world.stage == WORLD_STIRRED && waits_stirred(thread_current())) {
        if (!may_be_untold(event)) {
            machine_finding("lost-wakeup", "call %u of t%u gave %lld as soon as somebody looked again", event->call,
                            event->list, (long long)event->result);
        }
        waits_forget(); // what follows comes of that
        world.stage = WORLD_RUNS;
    }
    if (world_on_event != NULL) {
        world_on_event(event);
    }
}

// --- images --------------------------------------------------------------------------------------------------------

static uint64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    int64_t result = prog_machine_call(number, (const uint64_t[6]){a, b, c, d});
    EXPECT_MODEL(result >= 0, "setting up a program: call %llu gave %lld", (unsigned long long)number,
                 (long long)result);
    return (uint64_t)result;
}

uint64_t world_text(unsigned place, const char *bytes)
{
    uint64_t at = here()->regs->sp - (place + 1) * 64;
    prog_machine_write(at, bytes, strlen(bytes) + 1);
    return at;
}

static void copy_image(void)
{
    uint64_t from = call(SYS_OPENAT, 0, world_text(0, "/bin/prog"), 0, 0);
    uint64_t to = call(SYS_OPENAT, 0, world_text(0, "/w/bin/prog"), O_WRONLY | O_CREAT, 0755);
    call(SYS_SENDFILE, to, from, 0, PAGE_SIZE);
    call(SYS_CLOSE, from, 0, 0, 0);
    call(SYS_CLOSE, to, 0, 0, 0);
}

// A root directory of its own: whatever a program does to files goes with it.
void world_make_root(void)
{
    static const struct {
        const char *name;
        uint32_t device;
    } nodes[] = {{"/w/dev/null", 0x103},    {"/w/dev/zero", 0x105}, {"/w/dev/full", 0x107}, {"/w/dev/random", 0x108},
                 {"/w/dev/urandom", 0x109}, {"/w/dev/kmsg", 0x10b}, {"/w/dev/tty", 0x500},  {"/w/dev/ptmx", 0x502}};
    static const struct {
        const char *name;
        uint32_t mode;
    } folders[] = {{"/w/bin", 0755}, {"/w/dev", 0755}, {"/w/dev/pts", 0755}, {"/w/proc", 0755}, {"/w/tmp", 01777}};
    uint64_t mask = call(SYS_UMASK, 0, 0, 0, 0);
    call(SYS_MOUNT, world_text(0, "tmpfs"), world_text(1, "/w"), world_text(2, "tmpfs"), 0);
    call(SYS_CHMODAT, 0, world_text(0, "/w"), 0755, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
        call(SYS_MKDIRAT, 0, world_text(0, folders[i].name), folders[i].mode, 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
        call(SYS_MKNODAT, 0, world_text(0, nodes[i].name), S_IFCHR | 0666, nodes[i].device);
    }
    copy_image();
    call(SYS_UMASK, mask, 0, 0, 0);
    call(SYS_MOUNT, world_text(0, "proc"), world_text(1, "/w/proc"), world_text(2, "proc"), 0);
    call(SYS_MOUNT, world_text(0, "devpts"), world_text(1, "/w/dev/pts"), world_text(2, "devpts"), 0);
    call(SYS_CHROOT, world_text(0, "/w"), 0, 0, 0);
}

_Noreturn static void begin_program(struct user *user)
{
    struct user_regs *regs = user->regs;
    if (world_has_neighbour) { // its files are there already
        call(SYS_CHROOT, world_text(0, "/w"), 0, 0, 0);
    } else {
        world_make_root();
    }
    int error = prog_setup();
    EXPECT_MODEL(error == 0, "setting up a program gave %d", error);
    if (world.measured) {
        layout_fix_all();
        machine_leave(WORLD_READY); // the snapshot; what follows depends on the input
    }
    struct prog_task first = {.program = &world.program, .id = 1, .dump = world.dumps};
    user->task = &first;
    set_registers(regs, &first);
    set_fp(&first);
    struct fault_status faults = fault_status();
    fault_disarm(); // what an input makes fail is what it does itself
    if (world_has_neighbour) {
        neighbour_wake();
    }
    error = prog_setup_for(&world.program);
    EXPECT_MODEL(error == 0, "setting up a program gave %d", error);
    world.guarded = world.program.unprivileged;
    if (faults.armed) {
        fault_arm(&faults.plan);
    }
    prog_run(&first);
}

_Noreturn static void begin_image(struct user_regs *regs)
{
    struct user user = {.regs = regs};
    machine_user_data_set(&user);
    enum world_image starts = world.starts;
    world.starts = IMAGE_ENDS;
    if (starts == IMAGE_PROGRAM) {
        begin_program(&user);
    }
    if (starts == IMAGE_NEIGHBOUR) {
        neighbour_live();
    }
    if (world_is_other && world.stage != WORLD_BOOTS) {
        const uint64_t time[2] = {0, IMAGE_NS};
        uint64_t at = regs->sp - sizeof(time);
        prog_machine_write(at, time, sizeof(time));
        prog_machine_call(SYS_NANOSLEEP, (const uint64_t[6]){at});
    }
    end_image(regs, world.stage == WORLD_BOOTS ? 0 : 42);
}

void world_user(struct user_regs *regs)
{
    struct user user = {.regs = regs};
    machine_user_data_set(&user);
    if (regs->pc == WORLD_ENTRY) {
        if (world.stage == WORLD_BOOTS && world.starts == IMAGE_ENDS) {
            world_begin();
        }
        begin_image(regs);
    }
    uint64_t what = regs->x[REG_WHAT];
    struct prog_task task = {.program = &world.program,
                             .list = (uint8_t)what,
                             .level = (uint8_t)(what >> 8),
                             .slot = (uint8_t)(what >> 16),
                             .is_process = (what >> 24 & 1) != 0,
                             .owns_memory = (what >> 25 & 1) != 0,
                             .id = (uint32_t)regs->x[REG_ID],
                             .pid = (int32_t)(regs->x[REG_ID] >> 32),
                             .call = PROG_CALLS_MAX};
    user.task = &task;
    go_on(&user, PC_CALL + 4); // a handler may come first
    check_fp(task.id / 10);    // its maker's
    set_fp(&task);
    check_registers(&user, PROG_STACK_BASE + (task.slot + 1ull) * PROG_STACK_SIZE);
    prog_child(&task);
}
