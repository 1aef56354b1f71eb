// Queues of pending signals; the family's lock covers them. Any context.
#pragma once

#include "kernel/proc/signal.h"

void signal_queue_init(struct signal_queue *queue);
// records: goes down with each record that was the queue's own. At most SIGNAL_FORGET_MAX records go at a time. True:
// all of set is forgotten; else some is left, and the caller comes again, with the lock given up in between if it can.
#define SIGNAL_FORGET_MAX 64u
[[nodiscard]] bool signal_queue_forget(struct signal_queue *queue, uint64_t set);
void signal_queue_add_single(struct signal_queue *queue, const struct signal_info *info); // nothing if there is one
void signal_queue_add_record(struct signal_queue *queue, struct signal_record *record);
void signal_queue_cancel(struct signal_record *record); // off the queue that it is in
// The one of set that is due first: its number, or 0.
[[nodiscard]] int signal_queue_take(struct signal_queue *queue, uint64_t set, struct signal_info *info);
