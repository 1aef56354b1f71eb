// What is pending, and in which order.
#include "kernel/proc/sigqueue.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/cred/account.h"
#include "kernel/mm/kmalloc.h"

void signal_queue_init(struct signal_queue *queue)
{
    queue->pending = queue->single = 0;
    __builtin_memset(queue->first, 0, sizeof(queue->first));
}

static struct signal_record *first_of(const struct signal_queue *queue, int signal)
{
    struct list *first = queue->first[signal - 1];
    return first != NULL ? container_of(first, struct signal_record, link) : NULL;
}

static void update(struct signal_queue *queue, int signal)
{
    if ((queue->single & signal_bit(signal)) == 0 && queue->first[signal - 1] == NULL) {
        queue->pending &= ~signal_bit(signal);
    }
}

void signal_queue_cancel(struct signal_record *record)
{
    struct signal_queue *queue = record->queue;
    struct list **first = &queue->first[record->info.signal - 1];
    if (*first == &record->link) {
        *first = list_empty(&record->link) ? NULL : record->link.next;
    }
    list_remove(&record->link);
    WRITE_ONCE(record->queue, NULL);
    update(queue, record->info.signal);
}

// Off the queue; who owns it says what becomes of it.
static void remove_record(struct signal_record *record)
{
    signal_queue_cancel(record);
    if (record->account != NULL) {
        account_uncharge(record->account, CHARGE_SIGNALS, 1);
        account_put(record->account);
        kfree(record);
    }
}

bool signal_queue_forget(struct signal_queue *queue, uint64_t set)
{
    unsigned count = 0;
    queue->single &= ~set;
    for (uint64_t left = queue->pending & set; left != 0; left &= left - 1) {
        int signal = __builtin_ctzll(left) + 1;
        struct signal_record *record;
        while ((record = first_of(queue, signal)) != NULL) {
            if (count++ == SIGNAL_FORGET_MAX) {
                return false;
            }
            remove_record(record);
        }
        queue->pending &= ~signal_bit(signal);
    }
    return true;
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
    struct list **first = &queue->first[record->info.signal - 1];
    list_init(&record->link);
    if (*first == NULL) {
        *first = &record->link;
    } else {
        list_insert_before(*first, &record->link);
    }
    WRITE_ONCE(record->queue, queue);
    queue->pending |= signal_bit(record->info.signal);
}

// Faults of the program come first, then by number.
#define SYNCHRONOUS                                                                                                    \
    (signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGTRAP) | signal_bit(SIGFPE) |        \
     signal_bit(SIGSYS))

int signal_queue_take(struct signal_queue *queue, uint64_t set, struct signal_info *info)
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
        struct signal_record *record = first_of(queue, signal);
        ASSERT(record != NULL);
        *info = record->info;
        remove_record(record);
    }
    return signal;
}
