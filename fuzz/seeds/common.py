"""What the seed scripts share: the fault plan in front of an input, and the writing of the files."""

import pathlib
import sys

NO_FAULT = bytes(8)


def plan(kinds, nth, times):
    """The first eight bytes: kinds, nth, interval, times, probability, seed (2), high byte of nth."""
    return bytes([kinds, nth, 0, times, 0, 0, 0, 0])


def write(seeds):
    """One file per seed, into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
