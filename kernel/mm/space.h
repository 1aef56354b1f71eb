// User address spaces: areas (kernel/mm/area.h) whose pages come when they are touched, and are shared until they are
// written. Task context; may sleep, unless said otherwise. Fault sites: slab_alloc, page_alloc.
// Source: mmap(2), mprotect(2), munmap(2), mremap(2), madvise(2), brk(2); what POSIX leaves open is as on Linux.
#pragma once

#include "kernel/base/atomic.h"
#include "kernel/base/list.h"
#include "kernel/mm/area.h"
#include "kernel/mm/pagetable.h"
#include "kernel/mm/usercopy.h"
#include "kernel/sync/mutex.h"

// A source of pages: a file's contents, memory that is shared between processes.
struct backing {
    const struct backing_ops *ops;
    uint32_t mapped;   // atomic: areas
    uint32_t running;  // spaces whose program it is; its owner lets nobody write meanwhile
    uint64_t identity; // atomic: 0 until somebody asks for it, see space_identify()
};
struct backing_ops {
    // The page at offset, with a reference for the caller. -ENXIO: beyond the end (SIGBUS); -ENOMEM, -EIO.
    int (*page)(struct backing *backing, uint64_t offset, paddr_t *out);
    void (*get)(struct backing *backing); // each area holds a reference
    void (*put)(struct backing *backing);
    struct vnode *(*node)(struct backing *backing); // whose contents it is, for /proc; may be NULL
};

static inline void backing_get(struct backing *backing) // NULL is nothing
{
    if (backing != NULL) {
        backing->ops->get(backing);
    }
}
static inline void backing_put(struct backing *backing)
{
    if (backing != NULL) {
        backing->ops->put(backing);
    }
}

// space->program, with its references. NULL is nothing.
static inline void backing_run(struct backing *backing)
{
    backing_get(backing);
    if (backing != NULL) {
        (void)atomic_add(&backing->running, 1);
    }
}
static inline void backing_run_ended(struct backing *backing)
{
    if (backing != NULL) {
        (void)atomic_add(&backing->running, -1);
    }
    backing_put(backing);
}

// The backing now ends at size bytes: whole pages behind that are forgotten wherever they are mapped, copies of them
// too. By its owner, when page() says so already; no lock of a space or of the backing held. kernel/proc/space_use.c.
void backing_truncated(struct backing *backing, uint64_t size);

#define SPACE_LOW 0x10000ull                // mappings without a wish lie above, as vm.mmap_min_addr
#define SPACE_HIGH (USER_LIMIT - PAGE_SIZE) // and all end below
#define SPACE_STACK_GUARD MIB(1)            // a stack does not grow nearer than this to what lies below
#define SPACE_AREAS_MAX 65530u              // as vm.max_map_count

struct space {
    uint32_t references; // atomic: the processes that use it
    uint64_t identity;   // as a backing's
    struct list link;    // kernel/proc/space_use.c
    struct mutex lock;   // covers the rest
    struct page_pool *pool;
    struct pagetable table;
    struct area_map areas;
    uint64_t brk_start, brk; // bytes
    uint64_t mmap_top;       // mappings without a wish lie below
    uint64_t stack_top;      // where a program's stack began
    bool fixed_layout;       // nothing of it is put at random
    bool reaped;             // its users are killed: no page comes any more
    uint64_t resident;       // pages present
    uint64_t resident_most;  // so far
    uint64_t faults;         // that brought a page
    unsigned barriers;       // atomic: those of membarrier(2) that it has asked for
    // As prctl(2) says; atomic. PR_SET_DUMPABLE: kernel/proc/access.h; PR_SET_THP_DISABLE.
    unsigned dumpable, no_huge_pages;
    unsigned lock_future; // what each new area gets of AREA_LOCKED, AREA_LOCK_LATER
    uint64_t vdso;        // where the kernel's own code is, an ELF image; or 0
    uint64_t sigreturn;   // in it: where signal handlers return to
    // For /proc, set by whoever loads the program: its file with a reference, or NULL, and where things are.
    struct backing *program;
    uint64_t arguments, environment, environment_end, stack_start;
};

// What the current process may have, in bytes: RLIMIT_STACK, RLIMIT_AS, RLIMIT_DATA (private areas that can be written,
// but stacks), RLIMIT_MEMLOCK. Asked for where they apply: whoever shares a space has limits of its own.
struct space_limits {
    uint64_t stack, size, data, locked;
};
struct space_limits space_limits(void); // kernel/proc/limits.c

enum space_access { SPACE_READ, SPACE_WRITE, SPACE_EXEC };

// An empty space. -ENOMEM: *space undefined.
[[nodiscard]] int space_init(struct space *space, struct page_pool *pool);
void space_destroy(struct space *space); // no CPU uses its table any more
// All its users are killed, and may be long in coming to their end: what it has of its own goes at once.
void space_reap(struct space *space);

struct space_request {
    uint64_t address;        // a wish, or with fixed a demand
    uint64_t size;           // bytes, made whole pages
    unsigned flags;          // enum area_flags; with AREA_LOCKED its pages come at once
    bool fixed, replace;     // replace: what is there goes
    struct backing *backing; // NULL: zeroes; a reference is taken
    uint64_t offset;
};
// W^X: an area may be writable and executable, a page is one of them at a time, as it was last used.
// -EINVAL: size 0, misaligned fixed address or offset; -EEXIST: fixed without replace, and taken; -EAGAIN: more would
// be locked than may be; -ENOMEM: no room, a limit, no memory. Nothing changed then.
[[nodiscard]] int space_map(struct space *space, const struct space_request *request, uint64_t *out);
// Holes are fine. -EINVAL: misaligned, empty, outside; -ENOMEM: an area cannot be split. Nothing changed then.
[[nodiscard]] int space_unmap(struct space *space, uint64_t start, uint64_t size);
// rights: AREA_READ, AREA_WRITE, AREA_EXEC. -EINVAL: misaligned; -EACCES: an area never has them; -ENOMEM: a hole, a
// limit, or an area cannot be split. What lies before the area where it failed has changed, as on Linux.
[[nodiscard]] int space_protect(struct space *space, uint64_t start, uint64_t size, unsigned rights);
// MADV_DONTNEED, MADV_FREE: private pages are forgotten. -EINVAL: also when one is locked, or only_anonymous and one is
// not; -ENOMEM: a hole (the rest is done).
[[nodiscard]] int space_forget(struct space *space, uint64_t start, uint64_t size, bool only_anonymous);
// Other flags of the areas there: those of clear go, those of set come; where only(area) is true. -EINVAL: where it is
// not; else as space_protect().
[[nodiscard]] int space_advise(struct space *space, uint64_t start, uint64_t size, unsigned set, unsigned clear,
                               bool (*only)(const struct area *area));
// What of the backing lies at offset from and behind it.
void space_forget_backing(struct space *space, const struct backing *backing, uint64_t from);
// mlock(2): from here on nothing of it is forgotten; how: AREA_LOCKED, or also AREA_LOCK_LATER. -EINVAL; -ENOMEM: a
// hole, or more than limit bytes would be locked; without AREA_LOCK_LATER also what space_touch() says.
[[nodiscard]] int space_lock(struct space *space, uint64_t start, uint64_t size, unsigned how, uint64_t limit);
[[nodiscard]] int space_unlock(struct space *space, uint64_t start, uint64_t size);
// mlockall(2), munlockall(2): all there is (now), and all to come (future); how: as space_lock().
[[nodiscard]] int space_lock_all(struct space *space, bool now, bool future, unsigned how, uint64_t limit);
void space_unlock_all(struct space *space);
// Makes pages present, to be written where that is asked. The errors of space_touch() of the first that cannot be.
[[nodiscard]] int space_populate(struct space *space, uint64_t start, uint64_t end, bool write);
void space_populate_usually(struct space *space, uint64_t start, uint64_t end); // as their rights say, if it can be
// mincore(2): a byte for each page from start on, 1: present. -EINVAL; -ENOMEM: a hole.
[[nodiscard]] int space_resident(struct space *space, uint64_t start, uint64_t pages, uint8_t *out);
[[nodiscard]] int space_covered(struct space *space, uint64_t start, uint64_t size); // -EINVAL; -ENOMEM: a hole
// Moves the end of the heap. The new end, or the old one when that cannot be.
uint64_t space_set_brk(struct space *space, uint64_t brk);
// mremap(2): may_move, and fixed_to (0: anywhere). -EINVAL, -EFAULT: nothing mapped there, or the kernel's own;
// -EAGAIN: more would be locked than may be; -ENOMEM. Nothing changed then.
[[nodiscard]] int space_remap(struct space *space, uint64_t old, uint64_t old_size, uint64_t new_size, bool may_move,
                              uint64_t fixed_to, uint64_t *out);
// child becomes what parent is; private pages are shared until one writes. child is initialised and empty. -ENOMEM,
// -EINTR: child must be destroyed, parent is as before.
[[nodiscard]] int space_fork(struct space *child, struct space *parent);

// Makes the page of va present for that access. -EFAULT: nothing there (SEGV_MAPERR); -EACCES: not allowed
// (SEGV_ACCERR); -ENXIO: beyond the end of its file (SIGBUS); -ENOMEM, -EIO.
[[nodiscard]] int space_touch(struct space *space, uint64_t va, enum space_access access);
// What va stands for: two that say the same are one memory, in whichever spaces. offset in bytes. object: a number that
// nothing else ever has, also when what it names is gone. -EFAULT: nothing there, or what can never change.
[[nodiscard]] int space_identify(struct space *space, uint64_t va, uint64_t *object, uint64_t *offset);
uint64_t space_identity(struct space *space); // the object of all that it has for itself
// Copies into the space whatever its rights are, as for a program that is being loaded; all of it is mapped. -ENOMEM,
// -EFAULT.
[[nodiscard]] int space_write(struct space *space, uint64_t va, const void *from, uint64_t size);
[[nodiscard]] int space_zero(struct space *space, uint64_t va, uint64_t size); // likewise
// Whatever is mapped there, also of another process. -EFAULT; -ENXIO, -ENOMEM, -EIO.
[[nodiscard]] int space_read(struct space *space, uint64_t va, void *to, uint64_t size);

[[nodiscard]] const char *space_check(struct space *space);
