#!/usr/bin/env python3
"""Seeds of fuzz_signals: those programs of all that are about signals and timers."""
from programs import write

if __name__ == "__main__":
    write(("signal*", "alternate-stack", "stop-continue", "timers", "cpu-timers", "job-control", "timerfd",
           "sleeping", "faults-of-user", "fork-wait", "threads", "failures"))
