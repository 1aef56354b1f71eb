"""scripts/boot at a terminal of its own, driven as a person would."""

import os
import pty
import re
import select
import subprocess
import time

from faultline import process
from faultline.paths import ROOT

BOOT = ROOT / "scripts" / "boot"
DEADLINE = 240.0  # seconds; a busy machine needs some


class Terminal:
    """scripts/boot at a terminal of its own."""

    def __init__(self, *words):
        self.master, slave = pty.openpty()
        self.child = subprocess.Popen([BOOT, *words], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.said = ""

    def until(self, pattern):
        end = time.monotonic() + DEADLINE
        while not re.search(pattern, self.said):
            assert time.monotonic() < end, self.said
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.said += os.read(self.master, 4096).decode(errors="replace")
                except OSError:  # its end
                    assert re.search(pattern, self.said), self.said

    def lines(self):
        """What was said, without colours, cursor movements and carriage returns."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.said).replace("\r", "").split("\n")

    def run(self, line):
        """Types a line at the shell's prompt and waits for the next; what came in between, without the line itself."""
        self.type(line.encode() + b"\r")
        self.until_prompt()
        return self.lines()[1:-1]

    def until_prompt(self):
        """A shell's. It asks its terminal where the cursor is, and takes what comes within 50 ms of the answer for a part of
        it: there is no event to wait for but the silence."""
        self.until("\x1b\\[6n")
        os.write(self.master, b"\x1b[1;3R")
        time.sleep(0.3)

    def type(self, keys):
        self.said = ""
        os.write(self.master, keys)

    def close(self):
        process.end(self.child)
        os.close(self.master)
