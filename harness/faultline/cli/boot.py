"""scripts/boot: busybox's shell in this terminal, or one command and its status; or the kernel's own monitor."""

from __future__ import annotations

import atexit
import os
import secrets
import sys
from pathlib import Path

import click

from faultline import build, files, userland
from faultline.cli.common import verb
from faultline.errors import GuestError, UsageError
from faultline.paths import IMAGE_PRESETS, OUT, kernel_image, relative
from faultline.qemu import Machine, MachineConfig, command, memory_bytes
from faultline.qemu.console import PROMPT, Mark
from faultline.qemu.session import Session
from faultline.qemu.terminal import Terminal

_KINDS = ("boot_alloc", "page_alloc", "slab_alloc", "user_copy", "all")
_COMMAND_BUDGET = 600.0  # processor seconds
_KEYS = ("nth", "interval", "times", "probability", "seed", "task")


@verb("boot")
@click.option("--smp", type=int, default=1, show_default=True, metavar="N", help="CPUs, 1 to 8.")
@click.option("--cpu", default="cortex-a72", show_default=True, metavar="C", help=f"One of {' '.join(command.CPUS)}.")
@click.option("--mem", default="64M", show_default=True, metavar="M", help="Memory, such as 64M or 8G.")
@click.option("--el2", is_flag=True, help="Start the kernel at EL2.")
@click.option("--fault", metavar="PLAN", help="Fail from the first instruction on, e.g. page_alloc,nth=3.")
@click.option("--gdb", "debug", is_flag=True, help="Wait for gdb; says how to connect.")
@click.option("--record", type=click.Path(path_type=Path), metavar="F", help="Record the run into F.")
@click.option("--replay", type=click.Path(path_type=Path), metavar="F", help="Replay the run recorded in F.")
@click.option("--monitor", is_flag=True, help="The kernel's monitor instead of a shell; COMMAND is one of its commands.")
@click.option("--preset", default="qemu-virt", show_default=True, help=f"Which image: {' or '.join(IMAGE_PRESETS)}.")
@click.argument("words", nargs=-1, metavar="[-- COMMAND]")
def main(smp, cpu, mem, el2, fault, debug, record, replay, monitor, preset, words) -> int:
    """Boots the kernel with Debian's busybox: its shell in this terminal; Ctrl-A x quits, as does the shell's end. What is
    piped in is the shell's script. With --monitor: the kernel's own prompt; lines from a pipe or file are typed one by one.

    With a COMMAND: runs it in the shell (or the monitor), prints what it prints and exits with its status; 2 when it cannot be run.
    """
    if fault:
        check_plan(fault)
    if preset not in IMAGE_PRESETS:
        raise UsageError(f"unknown preset '{preset}' (there are: {' '.join(IMAGE_PRESETS)})")
    if record and replay:
        raise UsageError("--record and --replay exclude each other")
    if debug and words:
        raise UsageError("--gdb waits for a person: it takes no COMMAND")
    if record and not record.absolute().parent.is_dir():
        raise UsageError(f"--record: there is no folder '{record.parent}'")
    if replay and not replay.is_file():
        raise UsageError(f"no recording '{replay}' (scripts/boot --record {replay} makes one)")
    if replay and (words or debug):
        raise UsageError("--replay repeats what was recorded: it takes neither a COMMAND nor --gdb")
    build.build(preset)
    config = MachineConfig(kernel_image(preset), cpu=cpu, smp=smp, memory=memory_bytes(mem), el2=el2,
                           bootargs=f"fault={fault}" if fault else "", record=record, replay=replay)
    config.check()
    if replay:
        return _replay(config)
    text = " ".join(words)
    if monitor:
        return _run_command(config, text) if text else _console(config, debug)
    return _shell(config, text, debug)


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
            machine.wait_text(f"{PROMPT}$", Mark(0, 0))
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


def _shell(config: MachineConfig, text: str, debug: bool) -> int:
    """A shell in this terminal, or one that runs a command or the script that is piped in."""
    piped = not text and not debug and (sys.stdin is None or not sys.stdin.isatty())
    script = sys.stdin.read() if piped and sys.stdin is not None else ""
    if not text and not piped:
        config = _with_files(config, {})
        return _console(config.with_(bootargs=f"{config.bootargs} run=exec /bin/sh;poweroff".strip()), debug)
    run = Session.START_COMMAND if text else Session.START_SCRIPT
    word = secrets.token_hex(8)
    config = _with_files(config, {"command": f"{text or script}\n".encode(), "start": run.format(word=word).encode()})
    with Machine(config) as machine:
        try:
            return Session(machine, word, keys=bool(text)).run(_COMMAND_BUDGET)
        except GuestError as error:
            print(error, file=sys.stderr)
            return 2


def _with_files(config: MachineConfig, first: dict[str, bytes]) -> MachineConfig:
    """With busybox and these files. A recording keeps them beside it: a replay needs the same."""
    place = Path(f"{config.record}.initrd") if config.record else OUT / "boot" / f"initrd-{os.getpid()}.cpio"
    if not config.record:
        atexit.register(place.unlink, missing_ok=True)
    return config.with_(initrd=userland.initrd(place, first))


def _console(config: MachineConfig, debug: bool) -> int:
    if config.record:
        files.write(Path(f"{config.record}.bootargs"), config.bootargs)
    with Machine(config, gdb=debug) as machine:
        terminal = Terminal(machine)
        if debug:
            print(f"boot: waiting for gdb: gdb-multiarch {relative(config.kernel.with_suffix('.elf'))} "
                  f"-ex 'target remote {machine.gdb_socket}'", file=sys.stderr)
        return terminal.run(start=not debug)


def _replay(config: MachineConfig) -> int:
    initrd, line = Path(f"{config.replay}.initrd"), Path(f"{config.replay}.bootargs")
    config = config.with_(initrd=initrd if initrd.is_file() else None,
                          bootargs=line.read_text() if line.is_file() else config.bootargs)
    with Machine(config) as machine:
        return Terminal(machine).watch()


if __name__ == "__main__":
    main()
