#include "kernel/proc/process.h"

#include <hal/irq.h>
#include <hal/memory.h>
#include <hal/mmu.h>
#include <hal/upcall.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/format.h"
#include "kernel/debug/log.h"
#include "kernel/mm/idalloc.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/stack.h"

#define ASID_LIMIT 256u // every implementation has 8 bits
#define SIGNAL_ILL 4
#define SIGNAL_TRAP 5
#define SIGNAL_BUS 7
#define SIGNAL_SEGV 11

static struct {
    struct spinlock lock; // covers the rest
    struct id_allocator asids;
    bool ready;
    int32_t next_pid;
} processes = {.lock = SPINLOCK_INIT("processes", RANK_PROCESS), .next_pid = 1};

// ASID 0 belongs to no process: it tags what runs while there is none.
static int take_identity(struct process *process)
{
    irqflags_t flags = spin_lock(&processes.lock);
    int error = 0;
    if (!processes.ready) {
        error = id_init(&processes.asids, ASID_LIMIT);
        ASSERT(error == 0 && id_reserve(&processes.asids, 0) == 0);
        processes.ready = true;
    }
    error = id_alloc(&processes.asids, &process->asid) == 0 ? 0 : -EAGAIN;
    if (error == 0) {
        process->pid = processes.next_pid++;
    }
    spin_unlock(&processes.lock, flags);
    return error;
}

static void drop_identity(const struct process *process)
{
    irqflags_t flags = spin_lock(&processes.lock);
    id_free(&processes.asids, process->asid);
    spin_unlock(&processes.lock, flags);
}

// Adds a region of zeroed pages. On -ENOMEM the region holds what it got so far: free_process() takes it back.
static int add_region(struct process *process, uint64_t start, uint64_t size, unsigned flags)
{
    struct region *region = &process->regions[process->region_count++];
    *region = (struct region){start, 0};
    while (region->size < size) {
        paddr_t page;
        int error = page_alloc_zeroed(&kernel_pages, &page);
        if (error != 0) {
            return error;
        }
        error = pagetable_map(&process->table, vaddr(start + region->size), page, PAGE_SIZE, flags);
        if (error != 0) {
            page_free(&kernel_pages, page, 0);
            return error;
        }
        region->size += PAGE_SIZE;
    }
    return 0;
}

// Writes into the process's memory whatever its rights are; the range is mapped.
void process_write(struct process *process, uint64_t va, const void *from, uint64_t size)
{
    for (uint64_t done = 0; done < size;) {
        struct mapping mapping;
        int error = pagetable_query(&process->table, vaddr(va + done), &mapping);
        ASSERT(error == 0);
        uint64_t part = min_u64(size - done, PAGE_SIZE - ((va + done) & PAGE_MASK));
        void *to = phys_to_virt(mapping.pa);
        __builtin_memcpy(to, (const char *)from + done, part);
        if ((mapping.flags & MAP_EXEC) != 0) {
            mmu_sync_code(to, part);
        }
        done += part;
    }
}

static int load(struct process *process, const void *image, size_t size, const char *name)
{
    struct elf_image elf;
    int error = elf_parse(image, size, &elf);
    for (unsigned i = 0; error == 0 && i < elf.segment_count; i++) {
        const struct elf_segment *segment = &elf.segments[i];
        uint64_t start = round_down(segment->va, PAGE_SIZE);
        uint64_t end = round_up(segment->va + segment->memory_size, PAGE_SIZE);
        error =
            end > USER_STACK_TOP - USER_STACK_SIZE ? -ENOEXEC : add_region(process, start, end - start, segment->flags);
        if (error == 0) {
            process_write(process, segment->va, (const char *)image + segment->offset, segment->file_size);
        }
    }
    if (error == 0) {
        error = add_region(process, USER_STACK_TOP - USER_STACK_SIZE, USER_STACK_SIZE, MAP_USER | MAP_WRITE);
    }
    if (error == 0) {
        uint64_t sp = process_build_stack(process, &elf, name);
        user_regs_init(&process->regs, uaddr(elf.entry), uaddr(sp));
    }
    return error;
}

static void free_process(struct process *process)
{
    // No CPU uses the table any more, so pages may go before their mappings do.
    for (unsigned i = 0; i < process->region_count; i++) {
        for (uint64_t done = 0; done < process->regions[i].size; done += PAGE_SIZE) {
            struct mapping mapping;
            int error = pagetable_query(&process->table, vaddr(process->regions[i].start + done), &mapping);
            ASSERT(error == 0);
            page_free(&kernel_pages, mapping.pa, 0);
        }
    }
    pagetable_destroy(&process->table);
    drop_identity(process);
    kfree(process);
}

static void use_table(struct thread *thread, struct pagetable *table, struct fp_state *fp)
{
    irqflags_t flags = irq_save(); // the scheduler reads both fields at a switch
    thread->user_table = table;
    thread->fp = fp;
    mmu_activate(table != NULL ? table->root : paddr(0), table != NULL ? table->asid : 0);
    if (fp != NULL) {
        fp_restore(fp);
    }
    irq_restore(flags);
}

static void run(void *argument)
{
    struct process *process = argument;
    struct thread *me = thread_current();
    me->process = process;
    use_table(me, &process->table, &process->fp);
    user_enter(&process->regs);
}

int process_create(const char *name, const void *image, size_t size, struct process **out)
{
    void *memory;
    int error = kmalloc(sizeof(struct process), &memory);
    if (error != 0) {
        return error;
    }
    struct process *process = memory;
    __builtin_memset(process, 0, sizeof(*process));
    error = take_identity(process);
    if (error != 0) {
        kfree(process);
        return error;
    }
    error = pagetable_init(&process->table, PAGETABLE_USER, (uint16_t)process->asid, &kernel_pages);
    if (error != 0) {
        drop_identity(process);
        kfree(process);
        return error;
    }
    error = load(process, image, size, name);
    if (error == 0) {
        *out = process; // before it runs
        error = thread_create(name, run, process, &process->thread);
    }
    if (error != 0) {
        free_process(process);
    }
    return error;
}

int process_wait(struct process *process)
{
    (void)thread_join(process->thread);
    int status = process->status;
    free_process(process);
    return status;
}

struct process *process_current(void)
{
    return thread_current()->process;
}

void process_exit(int status)
{
    struct thread *me = thread_current();
    me->process->status = status;
    use_table(me, NULL, NULL);
    thread_exit(status);
}

void kernel_user_fault(struct user_regs *regs, enum user_fault_kind kind, uint64_t address)
{
    static const struct {
        const char *name;
        int signal;
    } kinds[] = {
        [USER_FAULT_READ] = {"read", SIGNAL_SEGV},
        [USER_FAULT_WRITE] = {"write", SIGNAL_SEGV},
        [USER_FAULT_EXECUTE] = {"execute", SIGNAL_SEGV},
        [USER_FAULT_UNDEFINED] = {"undefined instruction", SIGNAL_ILL},
        [USER_FAULT_ALIGNMENT] = {"alignment", SIGNAL_BUS},
        [USER_FAULT_BREAKPOINT] = {"breakpoint", SIGNAL_TRAP},
        [USER_FAULT_OTHER] = {"other", SIGNAL_SEGV},
    };
    struct process *process = process_current();
    int signal = kinds[kind].signal;
    log_warning("pid %d (%s) killed by signal %d: %s fault at 0x%lx, pc 0x%lx", process->pid, process->thread->name,
                signal, kinds[kind].name, address, user_regs_pc(regs));
    process_exit(128 + signal);
}

bool kernel_copy_fault(uint64_t address, bool write)
{
    return false; // every page of a process is present or not there at all
}
