"""scripts/boot: the kernel's serial console in this terminal, or one command and its status."""

from __future__ import annotations

import os
import signal
import sys
import termios
from pathlib import Path

import click

from faultline import build, process
from faultline.cli.common import verb
from faultline.errors import GuestError, UsageError
from faultline.paths import kernel_elf, kernel_image, relative
from faultline.qemu import Machine, MachineConfig, command, memory_bytes
from faultline.qemu.console import PROMPT

_KINDS = ("boot_alloc", "page_alloc", "slab_alloc", "user_copy", "all")
_COMMAND_BUDGET = 600.0  # processor seconds
_KEYS = ("nth", "interval", "times", "probability", "seed", "task")


@verb("boot")
@click.option("--smp", type=int, default=1, show_default=True, metavar="N", help="CPUs, 1 to 8.")
@click.option("--cpu", default="cortex-a72", show_default=True, metavar="C", help=f"One of {' '.join(command.CPUS)}.")
@click.option("--mem", default="64M", show_default=True, metavar="M", help="Memory, such as 64M or 8G.")
@click.option("--el2", is_flag=True, help="Start the kernel at EL2.")
@click.option("--fault", metavar="PLAN", help="Fail from the first instruction on, e.g. page_alloc,nth=3.")
@click.option("--gdb", "debug", is_flag=True, help="Wait for gdb on port 1234.")
@click.option("--record", type=click.Path(path_type=Path), metavar="F", help="Record the run into F.")
@click.option("--replay", type=click.Path(path_type=Path), metavar="F", help="Replay the run recorded in F.")
@click.option("--preset", default="qemu-virt", show_default=True, help="Which image: qemu-virt or qemu-virt-debug.")
@click.argument("words", nargs=-1, metavar="[-- COMMAND]")
def main(smp, cpu, mem, el2, fault, debug, record, replay, preset, words) -> int:
    """Boots the kernel with its serial console in this terminal; Ctrl-A x quits.

    With a COMMAND: runs it in the kernel's monitor, prints what it prints and exits with its status; 2 when it cannot be run.
    """
    if fault:
        check_plan(fault)
    if preset not in ("qemu-virt", "qemu-virt-debug"):
        raise UsageError(f"unknown preset '{preset}' (there are: qemu-virt qemu-virt-debug)")
    if record and replay:
        raise UsageError("--record and --replay exclude each other")
    if replay and not replay.is_file():
        raise UsageError(f"no recording '{replay}' (scripts/boot --record {replay} makes one)")
    build.build(preset)
    config = MachineConfig(kernel_image(preset), cpu=cpu, smp=smp, memory=memory_bytes(mem), el2=el2,
                           bootargs=f"fault={fault}" if fault else "", record=record, replay=replay)
    config.check()
    return _run_command(config, " ".join(words)) if words else _console(config, debug, preset)


def check_plan(text: str) -> None:
    """Raises UsageError naming the word of a fault plan that is wrong, and what exists."""
    kinds, *settings = text.split(",")
    for kind in kinds.split("+"):
        if kind not in _KINDS:
            raise UsageError(f"unknown fault '{kind}' in plan '{text}' (there are: {' '.join(_KINDS)})")
    for setting in settings:
        key, _, value = setting.partition("=")
        if setting != "persistent" and (key not in _KEYS or not value.isdigit()):
            raise UsageError(f"unknown setting '{setting}' in plan '{text}' (there are: persistent "
                             + " ".join(f"{key}=N" for key in _KEYS) + ")")


def _run_command(config: MachineConfig, text: str) -> int:
    with Machine(config) as machine:
        try:
            machine.boot()
            mark = machine.console.mark()
            reply = machine.monitor.command(text, budget=_COMMAND_BUDGET, check=False)
            if text.split()[0] not in ("poweroff", "reset"):
                machine.wait_text(f"{PROMPT}$", mark)
        except GuestError as error:
            print(error, file=sys.stderr)
            return 2
        printed = machine.console.text(mark).replace(PROMPT, "").strip("\n")  # programs write past the records
    if printed:
        print(printed)
    print(reply.text, end="")
    return min(abs(reply.status), 255)


def _console(config: MachineConfig, debug: bool, preset: str) -> int:
    if debug:
        print(f"boot: waiting for gdb: gdb-multiarch {relative(kernel_elf(preset))} -ex 'target remote :1234'", file=sys.stderr)
    argv = process.guarded(command.interactive(config, debug), config.memory_cap)
    terminal = sys.stdin.fileno() if sys.stdin.isatty() else None
    saved = termios.tcgetattr(terminal) if terminal is not None else None
    # In the terminal's own process group, or it could not read what is typed.
    child = os.spawnv(os.P_NOWAIT, argv[0], argv)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return 0 if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 else 2
    finally:
        if saved is not None:
            termios.tcsetattr(terminal, termios.TCSADRAIN, saved)


if __name__ == "__main__":
    main()
