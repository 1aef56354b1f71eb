#!/usr/bin/env python3
"""Seeds of fuzz_threads: those programs of all that are about threads, futexes, scheduling."""
from programs import write

if __name__ == "__main__":
    write(("threads", "futex-*", "robust", "scheduling", "exit-race", "close-race", "munmap-race", "clone3",
           "exec-with-threads", "barriers", "sleeping", "failures"))
