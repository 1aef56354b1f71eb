#!/usr/bin/env python3
"""Seeds of fuzz_ipc: those programs of all that are about pipes, events, waiting for several things at once."""
from programs import write

if __name__ == "__main__":
    write(("pipe*", "poll", "epoll*", "eventfd", "signalfd", "timerfd", "fifo", "futex-*", "locks", "splice",
           "close-race", "threads", "failures", "terminal"))
