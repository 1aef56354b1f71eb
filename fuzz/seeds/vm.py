#!/usr/bin/env python3
"""Seeds of fuzz_vm: those programs of all that are about memory."""
from programs import write

if __name__ == "__main__":
    write(("mappings", "break", "copy-on-write", "munmap-race", "advice", "file-mappings", "locked-memory",
           "stack-mapping", "faults-of-user", "memfd", "fork-*", "sizes", "barriers", "limits", "threads",
           "failures"))
