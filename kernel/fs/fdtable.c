#include "kernel/fs/fdtable.h"

#include "kernel/base/atomic.h"
#include "kernel/fs/lock.h"
#include "kernel/mm/kmalloc.h"

#define FIRST_CAPACITY 16u

static int make(uint32_t capacity, struct fd_table **out)
{
    void *memory, *slots;
    int error = kmalloc(sizeof(struct fd_table), &memory);
    if (error != 0) {
        return error;
    }
    error = kmalloc(capacity * sizeof(struct fd_slot), &slots);
    if (error != 0) {
        kfree(memory);
        return error;
    }
    struct fd_table *table = memory;
    *table = (struct fd_table){.references = 1, .capacity = capacity, .slots = slots};
    mutex_init(&table->lock, "descriptors");
    __builtin_memset(slots, 0, capacity * sizeof(struct fd_slot));
    *out = table;
    return 0;
}

// table no longer has file at some descriptor. A process loses its record locks on a file with any of them: fcntl(2).
static void let_go(struct fd_table *table, struct file *file)
{
    if (file != NULL && file->node != NULL) {
        lock_drop_owner(file->node, table);
    }
    file_put(file);
}

int fd_table_create(struct fd_table **out)
{
    return make(FIRST_CAPACITY, out);
}

int fd_table_copy(struct fd_table *table, struct fd_table **out)
{
    mutex_lock(&table->lock);
    int error = make(table->capacity, out);
    for (uint32_t fd = 0; error == 0 && fd < table->capacity; fd++) {
        (*out)->slots[fd] = table->slots[fd];
        if (table->slots[fd].file != NULL) {
            file_get(table->slots[fd].file);
        }
    }
    if (error == 0) {
        (*out)->lowest = table->lowest;
    }
    mutex_unlock(&table->lock);
    return error;
}

void fd_table_put(struct fd_table *table)
{
    if (__atomic_fetch_sub(&table->references, 1, __ATOMIC_ACQ_REL) > 1) {
        return;
    }
    for (uint32_t fd = 0; fd < table->capacity; fd++) {
        let_go(table, table->slots[fd].file);
    }
    kfree(table->slots);
    kfree(table);
}

void fd_close_on_exec(struct fd_table *table)
{
    for (uint32_t fd = 0; fd < table->capacity; fd++) { // the table is not shared any more
        if (table->slots[fd].file != NULL && table->slots[fd].close_on_exec) {
            int error = fd_close(table, fd);
            (void)error; // it was there
        }
    }
}

int fd_file_or_place(struct fd_table *table, uint64_t fd, struct file **out) NO_LOCK_ANALYSIS
{
    // Who has the only reference is the only one to change it.
    bool shared = load_acquire(&table->references) > 1;
    if (shared) {
        mutex_lock(&table->lock);
    }
    struct file *file = fd < table->capacity ? table->slots[fd].file : NULL;
    if (file != NULL) {
        file_get(file);
        *out = file;
    }
    if (shared) {
        mutex_unlock(&table->lock);
    }
    return file != NULL ? 0 : -EBADF;
}

int fd_file(struct fd_table *table, uint64_t fd, struct file **out)
{
    struct file *file;
    int error = fd_file_or_place(table, fd, &file);
    if (error == 0 && (READ_ONCE(file->flags) & O_PATH) != 0) {
        file_put(file);
        error = -EBADF;
    }
    if (error == 0) {
        *out = file;
    }
    return error;
}

static int grow(struct fd_table *table, uint32_t wanted)
{
    uint32_t capacity = table->capacity;
    while (capacity < wanted) {
        capacity *= 2;
    }
    if (capacity == table->capacity) {
        return 0;
    }
    void *slots;
    int error = kmalloc(capacity * sizeof(struct fd_slot), &slots);
    if (error != 0) {
        return error;
    }
    __builtin_memset(slots, 0, capacity * sizeof(struct fd_slot));
    __builtin_memcpy(slots, table->slots, table->capacity * sizeof(struct fd_slot));
    kfree(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return 0;
}

int fd_install(struct fd_table *table, struct file *file, uint32_t first, bool close_on_exec)
{
    mutex_lock(&table->lock);
    uint32_t fd = first > table->lowest ? first : table->lowest;
    while (fd < table->capacity && table->slots[fd].file != NULL) {
        fd++;
    }
    int result = fd >= fd_limit() ? -EMFILE : grow(table, fd + 1);
    if (result == 0) {
        table->slots[fd] = (struct fd_slot){file, close_on_exec};
        table->lowest = first <= table->lowest ? fd + 1 : table->lowest;
        result = (int)fd;
    }
    mutex_unlock(&table->lock);
    if (result < 0) {
        file_put(file);
    }
    return result;
}

int fd_replace(struct fd_table *table, struct file *file, uint32_t fd, bool close_on_exec)
{
    struct file *before = NULL;
    mutex_lock(&table->lock);
    int error = fd >= fd_limit() ? -EBADF : grow(table, fd + 1);
    if (error == 0) {
        before = table->slots[fd].file;
        table->slots[fd] = (struct fd_slot){file, close_on_exec};
    }
    mutex_unlock(&table->lock);
    let_go(table, error == 0 ? before : NULL);
    file_put(error == 0 ? NULL : file);
    return error == 0 ? (int)fd : error;
}

int fd_close(struct fd_table *table, uint64_t fd)
{
    mutex_lock(&table->lock);
    struct file *file = fd < table->capacity ? table->slots[fd].file : NULL;
    if (file != NULL) {
        table->slots[fd] = (struct fd_slot){NULL, false};
        table->lowest = fd < table->lowest ? (uint32_t)fd : table->lowest;
    }
    mutex_unlock(&table->lock);
    let_go(table, file);
    return file != NULL ? 0 : -EBADF;
}

int fd_flags(struct fd_table *table, uint64_t fd, const bool *set, bool *out)
{
    mutex_lock(&table->lock);
    struct fd_slot *slot = fd < table->capacity && table->slots[fd].file != NULL ? &table->slots[fd] : NULL;
    if (slot != NULL && set != NULL) {
        slot->close_on_exec = *set;
    }
    if (slot != NULL && out != NULL) {
        *out = slot->close_on_exec;
    }
    mutex_unlock(&table->lock);
    return slot != NULL ? 0 : -EBADF;
}

void fd_close_range(struct fd_table *table, uint32_t first, uint32_t last, bool mark_only)
{
    for (uint64_t fd = first; fd <= last && fd < READ_ONCE(table->capacity); fd++) {
        const bool mark = true;
        int error = mark_only ? fd_flags(table, fd, &mark, NULL) : fd_close(table, fd);
        (void)error; // not all of them need be open
    }
}

int64_t fd_next(struct fd_table *table, uint32_t from)
{
    int64_t found = -ENOENT;
    mutex_lock(&table->lock);
    for (uint64_t fd = from; fd < table->capacity && found < 0; fd++) {
        found = table->slots[fd].file != NULL ? (int64_t)fd : -ENOENT;
    }
    mutex_unlock(&table->lock);
    return found;
}
