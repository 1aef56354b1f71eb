"""One run of one target under one engine: libFuzzer or AFL++, for some seconds, with what it found."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from faultline import files, process, untrusted
from faultline.campaign.targets import Target, is_input
from faultline.campaign.triage import SANITIZER_ENV, copy_into
from faultline.errors import FaultlineError

INPUT_TIMEOUT = 10   # seconds one input may take under libFuzzer
RSS_LIMIT_MB = 2048
_LIBFUZZER_OF_PROGRAMS = ("-entropic=0", "-use_counters=0")  # how often an edge is taken says little here, and costs half of the time
MAX_RESTARTS = 20    # libFuzzer ends at a finding; it is started again for the time that is left
_COV = re.compile(r"\bcov: (\d+)")
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COUNTERS = re.compile(r"\((\d+) inline 8-bit counters\)|Loaded \d+ PC tables \((\d+) PCs\)")


@dataclass
class EngineRun:
    """An entry of report.json's "targets", with the findings still to be sorted as (input, report), and inputs that took
    too long by the host's clock, which a busy host makes of any."""

    name: str
    engine: str
    sanitizer: str
    executions: int = 0
    seconds: float = 0.0
    edges: int = 0
    edges_total: int = 0
    corpus: int = 0
    crashes: int = 0
    stability: float | None = None
    error: str = ""
    rate: float = 0.0  # executions per second, without what the engine does before its first
    findings: list[tuple[bytes, str]] = field(default_factory=list)
    slow: list[tuple[bytes, str]] = field(default_factory=list)


def _stop_softly(child: subprocess.Popen) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            pass
    process.end(child)


def _watch(command, *, log: Path, deadline: float, stop: Callable[[], bool], env, writes: list[Path], memory=None,
           cwd=None) -> tuple[str, int | None]:
    """Runs with its output in a file, as nobody, whose folders `writes` are for so long. Returns the output's text and the
    status, None when it was cut short."""
    log.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + deadline
    with files.create(log) as sink:
        child = process.start(command, memory=memory, env=env, cwd=cwd, stdout=sink, stderr=subprocess.STDOUT, untrusted=True,
                              writes=writes)
        cut = False
        try:
            while child.poll() is None:
                if stop() or time.monotonic() > until:
                    cut = not stop()
                    _stop_softly(child)
                    break
                try:
                    child.wait(0.2)
                except subprocess.TimeoutExpired:
                    pass
        finally:
            process.end(child)
            untrusted.take_back(writes)
    return log.read_text(errors="replace"), None if cut else child.returncode


def libfuzzer(target: Target, seconds: float, folder: Path, stop: Callable[[], bool], *, root: Path | None = None,
              corpus: Path | None = None, extra: tuple[Path, ...] = (), first_only: bool = False,
              options: tuple[str, ...] = ()) -> EngineRun:
    """Fuzzes with libFuzzer for `seconds`. `folder` takes logs and artifacts; `corpus` grows, `extra` folders are read;
    `options` are libFuzzer's own. libFuzzer itself writes into folders of this run alone, from which the corpus is fed.

    Never raises for what the target does; `error` of the result says when nothing could be run.
    """
    result = EngineRun(target.name, "libfuzzer", "address,undefined")
    binary = target.binary("host-fuzz", root)
    corpus = corpus or target.corpus
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts, fresh_inputs = _empty(folder / "artifacts"), _empty(folder / "found")
    began = time.monotonic()
    seen: set[str] = set()
    for attempt in range(MAX_RESTARTS):
        left = seconds - (time.monotonic() - began)
        if left < 1 or stop():
            break
        command = [binary, f"-max_total_time={max(1, int(left))}", f"-timeout={INPUT_TIMEOUT}", "-len_control=20",
                   f"-rss_limit_mb={RSS_LIMIT_MB}", f"-artifact_prefix={artifacts}/", "-print_final_stats=1", "-detect_leaks=0", *options]
        if target.dictionary:
            command.append(f"-dict={target.dictionary}")
        if target.boots:
            command += _LIBFUZZER_OF_PROGRAMS
        text, status = _watch([*command, fresh_inputs, corpus, *extra], log=folder / f"libfuzzer-{attempt}.log",
                              deadline=left + INPUT_TIMEOUT + 30, stop=stop, env=SANITIZER_ENV, cwd=folder,
                              writes=[artifacts, fresh_inputs])
        copy_into(corpus, [path for path in fresh_inputs.iterdir() if is_input(path)])
        _read_libfuzzer(result, text)
        fresh = [path for path in artifacts.iterdir() if path.name not in seen]
        seen.update(path.name for path in fresh)
        for path in fresh:
            if is_input(path) and not path.name.startswith("slow-unit"):
                found = result.slow if path.name.startswith("timeout") else result.findings
                found.append((path.read_bytes(), text[-20000:]))
        if status is None:
            result.error = "did not end in time and was killed"
            break
        if status != 0 and not fresh and not stop():
            result.error = f"ended with status {status} without an artifact: {text.strip()[-300:]}"
            break
        if status == 0 or (first_only and result.findings):
            break
    result.seconds = time.monotonic() - began
    result.rate = result.executions / result.seconds
    result.corpus = sum(1 for _ in corpus.iterdir())
    if result.executions == 0 and not result.error and not stop():
        result.error = "executed nothing"
    return result


def _read_libfuzzer(result: EngineRun, text: str) -> None:
    executed = _EXECUTED.search(text)
    lines = re.findall(r"^#(\d+)", text, re.MULTILINE)
    result.executions += int(executed[1]) if executed else (int(lines[-1]) if lines else 0)
    covered = _COV.findall(text)
    result.edges = max(result.edges, *(int(c) for c in covered), 0) if covered else result.edges
    total = _COUNTERS.search(text)
    if total:
        result.edges_total = int(total[1] or total[2])


_AFL_ENV = {
    "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_NO_AFFINITY": "1",
    "AFL_QUIET": "1", "AFL_FORKSRV_INIT_TMOUT": "10000", "AFL_IGNORE_PROBLEMS": "1",
}
_AFL_SEEDS_MAX = 1000
_AFL_FINDINGS_MAX = 50  # of crashes, and of hangs


def afl(target: Target, seconds: float, folder: Path, stop: Callable[[], bool], *, seeds: list[Path],
        shared: bool = True, options: tuple[str, ...] = ()) -> EngineRun:
    """Fuzzes with AFL++ for `seconds` from `seeds`, and where `shared` from the corpus of all nights, which gets what it adds;
    `options` are AFL++'s own.
    """
    result = EngineRun(target.name, "afl++", "none")
    binary = target.binary("host-afl")
    start, output = folder / "in", folder / "out"
    _empty(output)
    corpus = target.saved()[:_AFL_SEEDS_MAX] if shared else []
    copy_into(start, [*seeds, *corpus])
    for empty in [path for path in start.iterdir() if path.stat().st_size == 0]:
        empty.unlink()  # AFL++ does not take empty files
    if not any(start.iterdir()):
        files.write(start / "zero", bytes(64), mode=0o644)
    command = ["afl-fuzz", "-i", start, "-o", output, "-V", str(max(2, int(seconds))), "-t", "5000+", "-m", "none", *options]
    if target.dictionary:
        command += ["-x", target.dictionary]
    began = time.monotonic()
    text, status = _watch([*command, "--", binary], log=folder / "afl.log", deadline=seconds + 90, stop=stop,
                          env=_AFL_ENV | _afl_mutator(target), writes=[output], memory=16 * process.GIB)
    result.seconds = time.monotonic() - began
    _read_afl(result, output / "default")
    if not result.executions and not stop():
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        wrong = [line.strip() for line in plain.splitlines() if "PROGRAM ABORT" in line or "SYSTEM ERROR" in line]
        result.error = wrong[0] if wrong else f"executed nothing (status {status})"
    queue = output / "default" / "queue"
    if shared and queue.is_dir():
        found = [path for path in queue.iterdir() if is_input(path) and "orig:" not in path.name]
        copy_into(target.corpus, found)
    return result


def _afl_mutator(target: Target) -> dict[str, str]:
    """What makes AFL++ change programs as programs, and not as bytes besides: that reaches more."""
    if not target.boots:
        return {}
    library = target.root / "build" / "host-afl" / "harness" / "libprog_mutator.so"
    if not library.is_file():
        raise FaultlineError(f"{library.name} is missing from preset host-afl (cmake --build --preset host-afl)")
    return {"AFL_CUSTOM_MUTATOR_LIBRARY": str(library), "AFL_CUSTOM_MUTATOR_ONLY": "1", "FAULTLINE_GROUP": target.short}


def _read_afl(result: EngineRun, folder: Path) -> None:
    try:
        lines = (folder / "fuzzer_stats").read_text().splitlines()
    except OSError:
        return
    stats = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    result.executions = int(stats.get("execs_done", 0))
    result.rate = float(stats.get("execs_per_sec", 0))
    result.corpus = int(stats.get("corpus_count", 0))
    result.edges = int(stats.get("edges_found", 0))
    result.edges_total = int(stats.get("total_edges", 0))
    result.stability = float(stats.get("stability", "0").rstrip("%"))
    for kind, found in (("crashes", result.findings), ("hangs", result.slow)):
        for path in [path for path in sorted((folder / kind).glob("id:*")) if is_input(path)][:_AFL_FINDINGS_MAX]:
            found.append((path.read_bytes(), f"found by AFL++ as {kind}/{path.name}"))


def _empty(folder: Path) -> Path:
    """A new folder, whatever was there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def fingerprint(data: bytes) -> str:
    """The name libFuzzer would give an input."""
    return hashlib.sha1(data).hexdigest()
