"""What the seed scripts of the program targets share: fuzz/seeds/programs/NAME.prog, encoded by the prog tool."""

import pathlib
import subprocess
import sys

from faultline import build
from faultline.paths import ROOT

TEXTS = pathlib.Path(__file__).parent / "programs"
TOOL = ROOT / "build" / "host-test" / "harness" / "prog"


def write(names=("*",)):
    """The seeds whose names match a glob, into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} FOLDER")
    if not TOOL.is_file():
        build.build("host-test", ["prog"])
    texts = sorted(path for name in names for path in TEXTS.glob(f"{name}.prog"))
    pathlib.Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    sys.exit(subprocess.run([TOOL, "encode", *texts, sys.argv[1]], check=False).returncode)
