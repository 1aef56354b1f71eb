#!/usr/bin/env python3
"""Seeds of fuzz_path: a tree, links and their loops, renames, mounts, other roots, somebody who may not, failures."""
import struct

from common import NO_FAULT, plan, write

FOLDER, PLAIN, LINK, REMOVE, LINKAT, RENAME, MOUNT, UNMOUNT, GO, MODE, PLACE, WALK = 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
PARTS = {"a": 0, "b": 1, "c": 2, "d": 3, ".": 4, "..": 5, "": 7}
TARGETS = ["a", "b/c", "../b", "..", "/", "/a", "/a/../b", "./d", "c/", "a/b/", "../..", "../../d", "d", "."]


def path(text):
    absolute, slash = text.startswith("/"), text.endswith("/") and text != "/"
    parts = [part for part in text.strip("/").split("/") if text.strip("/")]
    which = sum(PARTS[part] << 3 * i for i, part in enumerate(parts))
    return bytes([absolute | len(parts) << 1 | slash << 6]) + struct.pack("<H", which)


def make(kind, text, target="a", mode=1):
    return bytes([kind, TARGETS.index(target), mode]) + path(text)


def remove(text, folder=0):
    return bytes([REMOVE, folder]) + path(text)


def rename(text, other, flags=0):
    return bytes([RENAME, flags]) + path(text) + path(other)


def linkat(text, other):
    return bytes([LINKAT, 0]) + path(text) + path(other)


def walk(text, flags=1, op=WALK):
    return bytes([op, flags]) + path(text)


TREE = make(FOLDER, "a") + make(FOLDER, "a/b") + make(PLAIN, "a/b/c") + make(FOLDER, "b")
SEEDS = {
    "tree": NO_FAULT + TREE + walk("a/b/c") + walk("/a/../b/.") + walk("a/b/c/") + remove("a/b/c") + remove("a/b", 1) + remove("a", 1),
    "links": NO_FAULT + TREE + make(LINK, "c", "/a/../b") + make(LINK, "a/d", "../b") + walk("c/") + walk("a/d/..") + walk("c", 0) +
             make(LINK, "d", "d") + walk("d") + walk("c", 0x21) + walk("a/d", 0x31),
    "rename": NO_FAULT + TREE + rename("a/b", "b/d") + rename("b", "b/d/a") + rename("b/d", "a", 2) + rename("a", "b", 1) + rename("b", "a/b"),
    "hard": NO_FAULT + TREE + linkat("a/b/c", "d") + linkat("a/b/c", "b/d") + remove("d") + rename("b/d", "a/b/c") + walk("b/d"),
    "mount": NO_FAULT + TREE + bytes([MOUNT]) + path("b") + make(FOLDER, "b/a") + walk("b/a/../..") + walk("b/..", 0x11) + bytes([UNMOUNT]) +
             path("b") + bytes([GO]) + path("b/a") + bytes([UNMOUNT]) + path("/b") + bytes([PLACE]) + rename("/b", "/c") + remove("/b", 1),
    "root": NO_FAULT + TREE + bytes([9 + 13 * 5]) + path("a") + walk("/../../b") + walk("/b") + bytes([GO]) + path("/b") + bytes([PLACE]),
    "removed": NO_FAULT + TREE + bytes([GO]) + path("b") + remove("/b", 1) + make(PLAIN, "c") + walk("..") + walk(".") + bytes([PLACE]),
    "stranger": NO_FAULT + make(FOLDER, "a", mode=0) + make(FOLDER, "a/b") + walk("a/b", 1, 12 + 13 * 10) + walk("a", 1, 12 + 13 * 10),
    "fault": plan(6, 4, 1) + TREE + rename("a/b", "b/d") + make(LINK, "c", "a"),
    "fault-for-good": plan(2, 9, 0) + TREE + make(LINK, "c", "a") + bytes([MOUNT]) + path("b"),
}

if __name__ == "__main__":
    write(SEEDS)
