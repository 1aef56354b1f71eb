#include "kernel/base/atomic.h"
#include "kernel/debug/console.h"
#include "kernel/sync/waitq.h"

#define INPUT_SIZE 4096u // power of two

static struct {
    struct wait_queue readers; // its lock covers the rest
    char bytes[INPUT_SIZE];
    uint32_t head, tail; // written, read; modulo 2^32
    uint64_t dropped;
    enum console_reader turn;
} input = {.readers = {.lock = SPINLOCK_INIT("input", RANK_WAIT_QUEUE),
                       .waiters = {&input.readers.waiters, &input.readers.waiters}}};

void console_input(char byte)
{
    irqflags_t flags = spin_lock(&input.readers.lock);
    if (input.head - input.tail == INPUT_SIZE) {
        input.dropped++;
    } else {
        input.bytes[input.head++ % INPUT_SIZE] = byte;
        (void)wait_queue_wake_all(&input.readers);
    }
    spin_unlock(&input.readers.lock, flags);
}

void console_set_reader(enum console_reader reader)
{
    irqflags_t flags = spin_lock(&input.readers.lock);
    input.turn = reader;
    (void)wait_queue_wake_all(&input.readers);
    spin_unlock(&input.readers.lock, flags);
}

char console_read(enum console_reader reader)
{
    irqflags_t flags = spin_lock(&input.readers.lock);
    while (input.head == input.tail || input.turn != reader) {
        wait_queue_sleep(&input.readers, &flags);
    }
    char byte = input.bytes[input.tail++ % INPUT_SIZE];
    spin_unlock(&input.readers.lock, flags);
    return byte;
}

uint64_t console_input_dropped(void)
{
    return READ_ONCE(input.dropped);
}
