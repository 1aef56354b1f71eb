// Intrusive doubly linked list with a head. Any context; the owner's lock covers it.
#pragma once

#include "kernel/base/types.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}
static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}
static inline void list_insert_before(struct list *where, struct list *node)
{
    node->prev = where->prev;
    node->next = where;
    where->prev->next = node;
    where->prev = node;
}
static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_before(head, node);
}
static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_before(head->next, node);
}
// Leaves node empty, so that a second removal is harmless and list_empty(node) says whether it is linked.
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}
#define list_first(head, type, member) container_of((head)->next, type, member)
#define list_for_each(at, head) for (struct list *at = (head)->next; at != (head); at = at->next)
