// User memory, through the walker only. Between two fetches the user's other threads may change it: the machine
// chooses.
#include "hal/host/internal.h"

#include <hal/irq.h>
#include <hal/upcall.h>
#include <hal/user.h>

#include <string.h>

#if MACHINE_TSAN
void __tsan_read_range(void *at, unsigned long size); // of its run-time, in no header
void __tsan_write_range(void *at, unsigned long size);
#endif

static void (*user_program)(struct user_regs *regs);
static void (*user_return)(void);
static void (*user_copied)(const void *bytes, size_t size);

// What is done to the kernel's memory in its name: TSan does not see it here.
static void kernel_reads(const void *at, size_t size)
{
#if MACHINE_TSAN
    __tsan_read_range((void *)(uintptr_t)at, size);
#endif
}

static void kernel_writes(void *at, size_t size)
{
#if MACHINE_TSAN
    __tsan_write_range(at, size);
#endif
}

void machine_double_fetch(bool on)
{
    machine.double_fetch = on;
}

void machine_set_user_program(void (*program)(struct user_regs *regs))
{
    user_program = program;
}

// The bytes behind va up to the end of its page, or NULL.
static char *reach(uint64_t va, bool write, size_t *here)
{
    paddr_t pa;
    enum mmu_access access = write ? MMU_USER_WRITE : MMU_USER_READ;
    while (!mmu_probe(vaddr(va), access, &pa)) {
        if (!irq_enabled() || !kernel_copy_fault(va, write)) {
            return NULL;
        }
    }
    if (va >> 48 != 0) {
        machine_finding("check", "a user copy reached 0x%llx, which is not user space", (unsigned long long)va);
    }
    *here = PAGE_SIZE - (va & PAGE_MASK);
    return phys_to_virt(pa);
}

// User space sees these bytes now. Under MSan each must have been set.
void machine_user_sees(uint64_t va, const void *bytes, size_t size)
{
#if MACHINE_MSAN
    intptr_t unset = __msan_test_shadow(bytes, size);
    if (unset >= 0) {
        size_t shown = size - (size_t)unset < 16 ? size - (size_t)unset : 16;
        __msan_print_shadow((const char *)bytes + unset, shown);
        machine_finding("infoleak", "byte %zd of %zu that go to user space at 0x%llx was never set", unset, size,
                        (unsigned long long)va);
    }
#endif
}

bool machine_user_changed(void)
{
    bool changed = machine.user_changed;
    machine.user_changed = false;
    return changed;
}

static void change_behind_the_back(char *bytes, size_t size)
{
    if (machine.double_fetch && size > 0) {
        uint32_t choice = machine_choose(256);
        if ((choice & 1) != 0) {
            bytes[(choice >> 1) % size] ^= (char)(1 + choice);
            machine.user_changed = true;
        }
    }
}

size_t user_copy_in(void *to, uaddr_t from, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t here;
        char *bytes = reach(from.raw + done, false, &here);
        if (bytes == NULL) {
            break;
        }
        here = here < size - done ? here : size - done;
        memmove((char *)to + done, bytes, here); // a page of a file may be mapped where it is read to
        kernel_writes((char *)to + done, here);
        change_behind_the_back(bytes, here);
        done += here;
    }
    return done;
}

size_t user_copy_out(uaddr_t to, const void *from, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t here;
        char *bytes = reach(to.raw + done, true, &here);
        if (bytes == NULL) {
            break;
        }
        here = here < size - done ? here : size - done;
        machine_user_sees(to.raw + done, (const char *)from + done, here);
        if (user_copied != NULL) {
            user_copied((const char *)from + done, here);
        }
        kernel_reads((const char *)from + done, here);
        memmove(bytes, (const char *)from + done, here);
        done += here;
    }
    return done;
}

int64_t user_copy_string(char *to, uaddr_t from, size_t limit)
{
    size_t done = 0;
    while (done < limit) {
        size_t here;
        char *bytes = reach(from.raw + done, false, &here);
        if (bytes == NULL) {
            return -EFAULT;
        }
        here = here < limit - done ? here : limit - done;
        memcpy(to + done, bytes, here);
        kernel_writes(to + done, here);
        const char *end = memchr(to + done, 0, here); // in the copy: the original may change
        if (end != NULL) {
            return end - to;
        }
        change_behind_the_back(bytes, here);
        done += here;
    }
    return (int64_t)limit;
}

int user_compare_exchange(uaddr_t word, uint32_t expected, uint32_t desired, uint32_t *seen)
{
    size_t here;
    char *bytes = (word.raw & 3) == 0 ? reach(word.raw, true, &here) : NULL;
    if (bytes == NULL) {
        return -EFAULT;
    }
    *seen = *(uint32_t *)(void *)bytes;
    if (*seen == expected) {
        *(uint32_t *)(void *)bytes = desired;
    }
    return 0;
}

void user_regs_init(struct user_regs *regs, uaddr_t pc, uaddr_t sp)
{
    *regs = (struct user_regs){.pc = pc.raw, .sp = sp.raw};
}

uint64_t user_regs_syscall_number(const struct user_regs *regs)
{
    return regs->x[8];
}

const uint64_t *user_regs_arguments(const struct user_regs *regs)
{
    return regs->x;
}

uint64_t user_regs_argument(const struct user_regs *regs, unsigned index)
{
    return regs->x[index];
}

void user_regs_set_result(struct user_regs *regs, int64_t value)
{
    regs->x[0] = (uint64_t)value;
}

uint64_t user_regs_pc(const struct user_regs *regs)
{
    return regs->pc;
}

uint64_t user_regs_sp(const struct user_regs *regs)
{
    return regs->sp;
}

void user_regs_read(const struct user_regs *regs, uint64_t words[USER_WORDS])
{
    memcpy(words, regs->x, sizeof(regs->x));
    words[31] = regs->sp;
    words[32] = regs->pc;
    words[33] = regs->pstate;
}

static void write_all(struct user_regs *regs, const uint64_t words[USER_WORDS], uint64_t pstate)
{
    memcpy(regs->x, words, sizeof(regs->x));
    regs->sp = words[31];
    regs->pc = words[32];
    regs->pstate = pstate;
}

int user_regs_write(struct user_regs *regs, const uint64_t words[USER_WORDS])
{
    if ((words[33] & PSTATE_REFUSED) != 0) {
        return -EINVAL;
    }
    write_all(regs, words, words[33] & PSTATE_USER);
    return 0;
}

void user_regs_write_handler(struct user_regs *regs, const uint64_t words[USER_WORDS])
{
    write_all(regs, words, words[33] & PSTATE_USER & ~PSTATE_NOT_IN_HANDLERS);
}

void user_regs_restart(struct user_regs *regs, uint64_t first_argument)
{
    regs->pc -= 4;
    regs->x[0] = first_argument;
}

void user_regs_skip_restart(struct user_regs *regs, int64_t result)
{
    regs->pc += 4;
    regs->x[0] = (uint64_t)result;
}

void user_regs_set_sp(struct user_regs *regs, uaddr_t sp)
{
    regs->sp = sp.raw;
}

void machine_on_user_return(void (*hook)(void))
{
    user_return = hook;
}

void machine_on_user_copy(void (*hook)(const void *bytes, size_t size))
{
    user_copied = hook;
}

// The way out of the kernel; interrupts off.
static void leave_kernel(struct user_regs *regs)
{
    kernel_user_return(regs);
    if (machine_irq_depth != 1) {
        machine_finding("irq", "kernel_user_return() returned at masking depth %u", machine_irq_depth);
    }
    machine_irq_depth = 0;
    machine_tlb_settled();
    if (user_return != NULL) {
        user_return();
    }
}

static void entered(const char *what)
{
    if (machine_irq_depth != 0) {
        machine_finding("irq", "%s returned with interrupts masked %u deep", what, machine_irq_depth);
    }
    machine_irq_depth = 1;
}

void machine_user_call(struct user_regs *regs)
{
    regs->pc += 4;
    kernel_syscall(regs);
    entered("kernel_syscall()");
    leave_kernel(regs);
}

void machine_user_fault(struct user_regs *regs, enum user_fault_kind kind, uint64_t va)
{
    kernel_user_fault(regs, kind, va);
    entered("kernel_user_fault()");
    leave_kernel(regs);
}

void machine_user_point(struct user_regs *regs)
{
    machine_self()->from_user = true;
    machine_switch_point();
    if (machine_self()->from_user) { // nothing came; we are where we were
        machine_self()->from_user = false;
        return;
    }
    machine_irq_depth = 1;
    leave_kernel(regs);
}

void *machine_user_reach(struct user_regs *regs, uint64_t va, bool write)
{
    paddr_t pa;
    if (machine_tlb_access(vaddr(va), write ? MMU_USER_WRITE : MMU_USER_READ, &pa)) {
        return phys_to_virt(pa);
    }
    machine_user_fault(regs, write ? USER_FAULT_WRITE : USER_FAULT_READ, va);
    return NULL;
}

void user_enter(const struct user_regs *regs)
{
    struct user_regs own = *regs;
    machine_irq_depth = 1;
    leave_kernel(&own);
    if (user_program != NULL) {
        user_program(&own);
    }
    machine_finding("check", "user space was entered and no program of the test runs there");
}

void fp_save(struct fp_state *state)
{
    memcpy(state, &machine_self()->fp, sizeof(*state));
    kernel_writes(state, sizeof(*state));
}

void fp_restore(const struct fp_state *state)
{
    kernel_reads(state, sizeof(*state));
    memcpy(&machine_self()->fp, state, sizeof(*state));
}
