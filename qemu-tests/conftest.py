"""The `machine` fixture and its options. Each test boots a machine of its own; its serial line is kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from faultline import build, files
from faultline.errors import FaultlineError
from faultline.paths import OUT, kernel_elf, kernel_image
from faultline.qemu import Machine, MachineConfig, memory_bytes
from faultline.qemu.person import Terminal

PRESET = "qemu-virt-debug"
RELEASE = "qemu-virt"  # without checks: what the checks would hide


# A shell starts what runs in its background with SIGINT ignored, and so would be what the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser):
    group = parser.getgroup("faultline")
    group.addoption("--smp", type=int, default=2, help="CPUs of the machine fixture (default 2)")
    group.addoption("--cpu", default="cortex-a72", help="CPU model of the machine fixture")
    group.addoption("--mem", default="64M", help="memory of the machine fixture")
    group.addoption("--gdb-on-failure", action="store_true", help="stop at a failed test and wait for gdb; not with -n")
    group.addoption("--log-dir", default=str(OUT / "qemu-tests"), help="where each test's serial log goes")


def pytest_configure(config):
    """The image is built, and its tests are listed, once: by the process that hands out the tests, not by its workers."""
    if hasattr(config, "workerinput"):
        return
    try:
        build.build(PRESET)
        build.build(RELEASE)
        ktests()
    except FaultlineError as error:
        raise pytest.UsageError(str(error)) from error
    _check_options(config.option)


def _check_options(options) -> None:
    try:
        MachineConfig(kernel_image(PRESET), cpu=options.cpu, smp=options.smp, memory=memory_bytes(options.mem)).check()
    except FaultlineError as error:
        raise pytest.UsageError(str(error)) from error
    if options.gdb_on_failure and getattr(options, "numprocesses", None):
        raise pytest.UsageError("--gdb-on-failure waits for a person: not with -n")


def ktests() -> list[str]:
    """SUITE.NAME of every test in the image; asked of the kernel once per image."""
    digest = hashlib.sha256(kernel_image(PRESET).read_bytes()).hexdigest()[:16]
    cache = OUT / "ktests" / f"{digest}.json"
    if cache.is_file():
        return json.loads(cache.read_text())
    with Machine(MachineConfig(kernel_image(PRESET))) as machine:
        machine.boot()
        names = machine.monitor.ktests()
    cache.parent.mkdir(parents=True, exist_ok=True)
    files.write(cache, json.dumps(names))
    return names


def pytest_generate_tests(metafunc):
    if "ktest" in metafunc.fixturenames:
        metafunc.parametrize("ktest", ktests())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.stash[_FAILED] = outcome.get_result().failed


_FAILED = pytest.StashKey[bool]()


@pytest.fixture
def image() -> Path:
    """The debug Image, built."""
    return kernel_image(PRESET)


@pytest.fixture
def make_machine(request) -> Callable[..., Machine]:
    """Makes machines that end with the test: make_machine(smp=…, cpu=…, memory=…, el2=…, bootargs=…, gdb=True,
    preset="qemu-virt")."""
    options = request.config.option
    made: list[Machine] = []
    name = re.sub(r"[^\w.-]+", "_", request.node.name)[:120]

    def make(*, gdb: bool = False, preset: str = PRESET, **changes) -> Machine:
        settings = {"cpu": options.cpu, "smp": options.smp, "memory": memory_bytes(options.mem)} | changes
        number = f"-{len(made)}" if made else ""
        log = Path(options.log_dir) / f"{request.node.path.stem}.{name}{number}.log"
        machine = Machine(MachineConfig(kernel_image(preset), **settings), log=log, gdb=gdb or options.gdb_on_failure)
        made.append(machine)
        return machine

    yield make
    if options.gdb_on_failure and request.node.stash.get(_FAILED, False) and made:
        _wait_for_gdb(request, made[-1])
    for machine in made:
        machine.close()


def _wait_for_gdb(request, machine: Machine) -> None:
    capture = request.config.pluginmanager.getplugin("capturemanager")
    capture.suspend(in_=True)
    try:
        print(f"\n{request.node.nodeid} failed; its machine waits:\n  gdb-multiarch {kernel_elf(machine.config.kernel.parent.name)} "
              f"-ex 'target remote {machine.gdb_socket}'\nEnter ends it.", flush=True)
        sys.stdin.readline()
    finally:
        capture.resume()


@pytest.fixture
def machine(make_machine) -> Machine:
    """A machine at its prompt. A record lost or damaged fails the test, whatever else it did."""
    made = make_machine()
    made.boot()
    yield made
    assert made.console.gaps == []


@pytest.fixture
def terminal():
    """Makes terminals with scripts/boot in them: terminal(WORDS…)."""
    made = []

    def make(*words):
        made.append(Terminal(*words))
        return made[-1]

    yield make
    for terminal in made:
        terminal.close()


@pytest.fixture
def alive() -> Callable[[Machine], None]:
    """Checks that a machine still works: the monitor answers and every walk of the kernel's structures is clean."""
    def check(machine: Machine) -> None:
        machine.monitor.mem()
        machine.monitor.threads()

    return check


