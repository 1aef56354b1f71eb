#!/usr/bin/env python3
"""Seeds of fuzz_cpio: files, folders, links of both kinds, devices, several archives, compressed ones, broken ones, failures."""
import gzip

from common import NO_FAULT, plan, write

FILE, FOLDER, LINK, FIFO, DEVICE = 0o100644, 0o040755, 0o120777, 0o010644, 0o020644


def entry(name, data=b"", mode=FILE, ino=1, links=1, device=(0, 0), special=(0, 0), mtime=77):
    text = name + b"\0"
    fields = (ino, mode, 3, 4, links, mtime, len(data), *device, *special, len(text), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + text
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


END = entry(b"TRAILER!!!")
PLAIN = entry(b"a", b"one") + entry(b"bc", b"") + entry(b"a", b"another") + END
TREE = entry(b".", mode=FOLDER) + entry(b"d", mode=FOLDER) + entry(b"d/f", b"x" * 9000) + entry(b"l", b"d/f", LINK) + entry(
    b"null", mode=DEVICE, special=(1, 3)) + entry(b"p", mode=FIFO) + END
LINKED = entry(b"x", ino=5, links=2) + entry(b"y", b"both", ino=5, links=2) + entry(b"z", b"not", ino=5, links=2, device=(0, 9)) + END
SEEDS = {
    "plain": NO_FAULT + PLAIN,
    "tree": NO_FAULT + TREE,
    "linked": NO_FAULT + LINKED,
    "several": NO_FAULT + PLAIN + bytes(30) + LINKED + bytes(512),
    "compressed": NO_FAULT + gzip.compress(TREE, mtime=0) + bytes(3) + PLAIN,
    "compressed-short": NO_FAULT + gzip.compress(PLAIN, mtime=0)[:-12],
    "no-end": NO_FAULT + entry(b"a", b"one"),
    "short": NO_FAULT + entry(b"a", b"one")[:-2],
    "name-too-long": NO_FAULT + entry(b"n" * 5000, b"one") + END,
    "no-name": NO_FAULT + entry(b"", b"one") + END,
    "two-names": NO_FAULT + entry(b"a\0b", b"one") + END,
    "broken-after-link": NO_FAULT + entry(b"x", b"1", ino=5, links=2) + b"070709",
    "no-folder": NO_FAULT + entry(b"d/f", b"x") + END,
    "over-folder": NO_FAULT + entry(b"d", mode=FOLDER) + entry(b"d", b"file") + END,
    "fault": plan(6, 9, 1) + LINKED,
    "fault-for-good": plan(6, 12, 0) + TREE + PLAIN,
}

if __name__ == "__main__":
    write(SEEDS)
