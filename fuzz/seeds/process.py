#!/usr/bin/env python3
"""Seeds of fuzz_process: those programs of all that are about processes: how they begin, wait and end."""
from programs import write

if __name__ == "__main__":
    write(("fork-*", "vfork", "exec*", "exit-race", "orphans", "groups-of-processes", "job-control", "clone3",
           "threads", "identities", "limits", "failures", "stop-continue", "proc-*"))
