// What is pending, and in which order.
#include "kernel/proc/sigqueue.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/mm/kmalloc.h"

void signal_queue_init(struct signal_queue *queue)
{
    queue->pending = queue->single = 0;
    list_init(&queue->records);
}

static struct signal_record *find_record(struct signal_queue *queue, int signal)
{
    list_for_each(at, &queue->records)
    {
        struct signal_record *record = container_of(at, struct signal_record, link);
        if (record->info.signal == signal) {
            return record;
        }
    }
    return NULL;
}

static void update(struct signal_queue *queue, int signal)
{
    if ((queue->single & signal_bit(signal)) == 0 && find_record(queue, signal) == NULL) {
        queue->pending &= ~signal_bit(signal);
    }
}

// Off the queue; who owns it says what becomes of it.
static void remove_record(struct signal_queue *queue, struct signal_record *record, uint32_t *records)
{
    list_remove(&record->link);
    update(queue, record->info.signal);
    if (!record->kept) {
        (*records)--;
        kfree(record);
    }
}

void signal_queue_forget(struct signal_queue *queue, uint64_t set, uint32_t *records)
{
    queue->single &= ~set;
    struct list *at = queue->records.next;
    while (at != &queue->records) {
        struct signal_record *record = container_of(at, struct signal_record, link);
        at = at->next;
        if ((signal_bit(record->info.signal) & set) != 0) {
            remove_record(queue, record, records);
        }
    }
    queue->pending &= ~set;
}

void signal_queue_add_single(struct signal_queue *queue, const struct signal_info *info)
{
    uint64_t bit = signal_bit(info->signal);
    if ((queue->single & bit) == 0) {
        queue->single |= bit;
        queue->pending |= bit;
        queue->singles[info->signal - 1] = *info;
    }
}

void signal_queue_add_record(struct signal_queue *queue, struct signal_record *record)
{
    list_push_back(&queue->records, &record->link);
    queue->pending |= signal_bit(record->info.signal);
}

void signal_queue_cancel(struct signal_queue *queue, struct signal_record *record)
{
    list_remove(&record->link);
    update(queue, record->info.signal);
}

bool signal_queue_has(const struct signal_queue *queue, const struct signal_record *record)
{
    list_for_each(at, &queue->records)
    {
        if (at == &record->link) {
            return true;
        }
    }
    return false;
}

// Faults of the program come first, then by number.
#define SYNCHRONOUS                                                                                                    \
    (signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGFPE) |        \
     signal_bit(SIGSYS))

int signal_queue_take(struct signal_queue *queue, uint64_t set, struct signal_info *info, uint32_t *records)
{
    uint64_t ready = queue->pending & set;
    if (ready == 0) {
        return 0;
    }
    uint64_t first = (ready & signal_bit(SIGKILL)) != 0 ? signal_bit(SIGKILL) : ready & SYNCHRONOUS;
    int signal = __builtin_ctzll(first != 0 ? first : ready) + 1;
    if ((queue->single & signal_bit(signal)) != 0) {
        *info = queue->singles[signal - 1];
        queue->single &= ~signal_bit(signal);
        update(queue, signal);
    } else {
        struct signal_record *record = find_record(queue, signal);
        ASSERT(record != NULL);
        *info = record->info;
        WRITE_ONCE(record->told, info->value[0] >> 32);
        remove_record(queue, record, records);
    }
    return signal;
}
