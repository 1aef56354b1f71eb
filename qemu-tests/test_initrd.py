"""First files: compressed ones, several archives in one image, hard links, and images that are broken."""

import gzip

import pytest
from faultline import userland


def entry(name, data=b"", mode=0o100644, ino=1, links=1):
    """One entry of an archive in cpio's "newc" form."""
    text = name.encode() + b"\0"
    fields = (ino, mode, 0, 0, links, 1700000000, len(data), 0, 0, 0, 0, len(text), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + text
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


END = entry("TRAILER!!!")
LINKED = entry("one", ino=7, links=2) + entry("two", b"shared", ino=7, links=2) + entry("alone", b"x", ino=7) + END


@pytest.fixture
def boot(make_machine, tmp_path):
    def booted(image, **changes):
        (tmp_path / "image").write_bytes(image)
        machine = make_machine(initrd=tmp_path / "image", **changes)
        machine.boot()
        return machine
    return booted


@pytest.mark.parametrize("preset", ["qemu-virt", "qemu-virt-debug"])
def test_compressed_and_several(boot, tmp_path, preset, alive):
    script = b"#!/bin/sh\ncat /one /two; stat -c '%h %i' /one > /tmp/a; stat -c '%h %i' /two > /tmp/b; cmp /tmp/a /tmp/b && echo same\n" \
             b"stat -c '%h %Y' /two /alone; cat /late; exit 4\n"
    plain = userland.initrd(tmp_path / "initrd.cpio", {"script": script}).read_bytes()
    image = gzip.compress(plain) + bytes(100) + LINKED + bytes(512) + gzip.compress(entry("late", b"old") + END)
    image += entry("late", b"new\n") + END
    machine = boot(image, preset=preset)
    assert machine.execute("/bin/sh /script") == ("sharedsharedsame\n2 1700000000\n1 1700000000\nnew\n", 4)
    alive(machine)


def test_broken_images_are_said_and_no_more(boot, alive):
    good = gzip.compress(LINKED)
    for image in (good[:-20], good[:30] + b"\xff" * 20 + good[50:], b"\x1f\x8b", b"\x1f\x8b\x08" + bytes(500) + b"x", LINKED[:-50],
                  LINKED.replace(b"two", b"a/b"), entry("x", b"12345")[:-4], b"07070", entry("", b"x") + END):
        machine = boot(image)
        assert "initrd: broken" in machine.monitor.command("log").text, image
        alive(machine)
