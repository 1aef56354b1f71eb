#!/usr/bin/env python3
"""Seeds of fuzz_files: those programs of all that are about files, directories, descriptors."""
from programs import write

if __name__ == "__main__":
    write(("cwd", "descriptors", "directory", "close-race", "devices", "file-*", "fifo", "locks", "memfd", "mounts",
           "names", "open-how", "owners*", "pipes", "rename-directories", "sizes", "splice", "statfs", "tree",
           "vectors", "xattrs", "failures", "proc-texts", "threads"))
