"""One night from beginning to report. Whatever happens, what was found so far is kept and reported."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from faultline import build, process
from faultline.campaign import booted, coverage, engines, hostsweep, planted, triage, worlds
from faultline.campaign.bootcase import BootCase, Failure
from faultline.campaign.progress import Progress
from faultline.campaign.sites import Sites
from faultline.campaign.targets import Target, all_targets
from faultline.errors import FaultlineError
from faultline.paths import OUT, ROOT, relative
from faultline.report import write
from faultline.report.write import Night

PARTS = ("fuzz", "sweep", "planted", "booted", "worlds", "coverage")
# Saved inputs are always replayed; what else is built depends on the parts.
PRESETS = {"host-test": PARTS, "host-fuzz": ("fuzz",), "host-afl": ("fuzz",), "qemu-virt-debug": ("sweep", "booted"), "qemu-virt": ("worlds",)}
LEAST_SECONDS = 3.0  # one engine's run of one target
LINUX_A_MINUTE = 2000  # generated programs that are compared with Linux, for each minute of fuzzing
CORPUS_MOST = 5000     # programs of each target's corpus that are compared with the booted kernel
TESTS_FILED = 10     # failed booted tests that get a crash folder; all are named in the report


@dataclass(frozen=True)
class Options:
    """`minutes` of fuzzing are shared by the targets; sweeps, planted bugs and booted tests come on top."""

    minutes: float
    jobs: int
    targets: list[Target]
    folder: Path
    parts: frozenset[str] = frozenset(PARTS)


class Campaign:
    """Runs a night. stop() may be called from a signal handler."""

    def __init__(self, options: Options, progress: Progress):
        self.options = options
        self.progress = progress
        self.night = Night(commit=_commit(), started=datetime.now(UTC).isoformat(timespec="seconds"))
        self.sites = Sites()
        self.triage = triage.Triage(options.folder / "crashes", triage.load_known(_previous(options.folder)))
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._trees: queue.Queue[Path] = queue.Queue()
        for slot in range(options.jobs):
            self._trees.put(OUT / "planted" / f"tree-{slot}")

    def stop(self) -> None:
        """Ends the children; the report is still written."""
        self._stopped.set()

    def stopping(self) -> bool:
        return self._stopped.is_set()

    def run(self) -> Night:
        """The whole night. Does not raise for what it finds."""
        began = time.monotonic()
        try:
            self._run()
        finally:
            if self.stopping():
                self._broken(f"interrupted after {time.monotonic() - began:.0f} s")
            self.night.seconds = time.monotonic() - began
            self.night.crashes = sorted(self.triage.crashes.values(), key=lambda crash: crash.signature)
            self.night.targets.sort(key=lambda run: (run.name, run.engine))
            self.night.sites = self.sites.rows()
            write.write(self.night, self.options.folder)
            free_old_work(self.options.folder)
            _link_latest(self.options.folder)
        return self.night

    def _run(self) -> None:
        parts = self.options.parts
        bugs = self._bugs() if "planted" in parts else []
        steps = [("replay", t) for t in self.options.targets]
        steps += [("libfuzzer", t) for t in self.options.targets if "fuzz" in parts]
        steps += [("afl", t) for t in self.options.targets if "fuzz" in parts]
        steps += [("planted", bug) for bug in bugs]
        steps += [("hostsweep", t) for t in self.options.targets if "sweep" in parts]
        if "sweep" in parts:
            steps.insert(len(self.options.targets), ("qemusweep", None))  # long, so early
        presets = [preset for preset, needed in PRESETS.items() if parts & set(needed)]
        self.progress.planned = len(presets) + len(steps) + sum(part in parts for part in ("booted", "worlds", "coverage"))
        ready = self._build(presets)
        if not self.options.targets:
            self._broken("there is no fuzz target")
        pool = ThreadPoolExecutor(self.options.jobs)
        try:
            futures = {pool.submit(self._step, kind, item, ready): (kind, item) for kind, item in steps}
            for future in as_completed(futures):
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)
        if "booted" in parts and "qemu-virt-debug" in ready and not self.stopping():
            with self.progress.task("booted tests", long=True):
                self._booted_tests()
        if "worlds" in parts and {"host-test", "qemu-virt"} <= ready and not self.stopping():
            with self.progress.task("worlds", long=True):
                self._worlds()
        if "coverage" in parts and not self.stopping():
            with self.progress.task("coverage", long=True):
                self._coverage()

    def _build(self, presets: list[str]) -> set[str]:
        ready = set()
        for preset in presets:
            if self.stopping():
                break
            with self.progress.task(f"building {preset}", long=True):
                try:
                    build.build(preset, stop=self.stopping)
                    ready.add(preset)
                except FaultlineError as error:
                    if not self.stopping():
                        self.progress.say(f"building {preset} failed")
                        self._broken(str(error))
        return ready

    def _bugs(self) -> list[planted.Planted]:
        names = {target.name for target in self.options.targets}
        try:
            bugs = planted.all_planted()
        except FaultlineError as error:
            self._broken(str(error))
            return []
        known = {target.name for target in all_targets()}
        whole = names == known  # a night of some targets leaves out what is no target's
        return [bug for bug in bugs if bug.target in names or (bug.target not in known and (whole or not bug.compared))]

    def _step(self, kind: str, item, ready: set[str]) -> None:
        name = getattr(item, "name", "")
        needs = {"libfuzzer": "host-fuzz", "afl": "host-afl", "qemusweep": "qemu-virt-debug"}.get(kind, "host-test")
        if self.stopping() or needs not in ready:
            return
        with self.progress.task(f"{kind} {name}".strip()):
            try:
                getattr(self, f"_{kind}")(item)
            except FaultlineError as error:
                self._broken(f"{kind} {name}: {error}".strip())
            except Exception as error:  # a bug of ours must not cost the night what others found
                self._broken(f"{kind} {name}: internal error: {error!r}")

    def _inputs(self, target: Target) -> list[Path]:
        return target.seeds() + target.regressions()

    def _replay(self, target: Target) -> None:
        for file in self._inputs(target):
            if self.stopping():
                return
            done = triage.replay(target, [file])
            if done.status != 0:
                self._crash(target, file.read_bytes(), done.errors, f"replay of {relative(file)}")

    def _share(self) -> float:
        return max(LEAST_SECONDS, self.options.minutes * 60 * self.options.jobs / (2 * max(1, len(self.options.targets))))

    def _work(self, name: str) -> Path:
        folder = self.options.folder / "work" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _libfuzzer(self, target: Target) -> None:
        triage.copy_into(target.corpus, self._inputs(target))
        self._fuzzed(target, engines.libfuzzer(target, self._share(), self._work(f"{target.name}-libfuzzer"), self.stopping))

    def _afl(self, target: Target) -> None:
        folder = self._work(f"{target.name}-afl")
        self._fuzzed(target, engines.afl(target, self._share(), folder, self.stopping, seeds=self._inputs(target)))

    def _fuzzed(self, target: Target, run: engines.EngineRun) -> None:
        found = [self._crash(target, data, report, run.engine) for data, report in run.findings]
        found += [self._crash(target, data, report, run.engine, slow=True) for data, report in run.slow]
        run.crashes = len({crash.signature for crash in found if crash})
        run.findings, run.slow = [], []
        with self._lock:
            self.night.targets.append(run)
        if run.error:
            self._broken(f"{run.name} under {run.engine}: {run.error}")
        if run.stability is not None and run.stability < 100:
            self.progress.say(f"{run.name} is only {run.stability:g} % stable under AFL++")
        rate = run.executions / run.seconds if run.seconds else 0
        self.progress.say(f"{run.name} {run.engine}: {run.executions:,} executions ({rate:,.0f}/s), {run.edges} edges, "
                          f"{run.crashes} findings")

    def _crash(self, target: Target, data: bytes, report: str, source: str, slow: bool = False) -> triage.Crash | None:
        crash = self.triage.add(target, data, report, source, slow)
        if not crash:
            return None
        self.progress.say(f"FOUND {crash.signature} in {target.name} by {source} ({crash.replays} replays)")
        return crash

    def _planted(self, bug: planted.Planted) -> None:
        tree = self._trees.get()
        try:
            outcome = planted.hunt(bug, tree, self._work(f"planted-{bug.path.stem}"), self.stopping)
        finally:
            self._trees.put(tree)
        if self.stopping() and not outcome.found:
            return
        with self._lock:
            self.night.planted.append(outcome)
        if not outcome.found:
            self._broken(f"planted bug '{outcome.name}' lived" + (f": {outcome.error}" if outcome.error else
                         f" for its whole budget of {outcome.budget:g} s"))
        self.progress.say(f"planted '{outcome.name}': {'found' if outcome.found else 'LIVED'} in {outcome.seconds:.1f} s")

    def _hostsweep(self, target: Target) -> None:
        result = hostsweep.sweep(target, self._inputs(target), self.sites, self.stopping)
        with self._lock:
            self.night.host_injections += result.injections
        for error in result.errors:
            self._broken(error)
        for data, report, file in result.failing:
            self._crash(target, data, report, f"sweep of {relative(file)}")
        self.progress.say(f"{target.name} host sweep: {result.injections} failures injected into {result.files} inputs")

    def _qemusweep(self, _) -> None:
        result = booted.run_sweeps(self.options.folder, self.sites, self.stopping,
                                   lambda line: self.progress.say(f"QEMU {line}"))
        counts = self.night.booted
        counts["injections"], counts["interrupts"], counts["places"] = result.injections, result.interrupts, result.places
        if not (result.injections and result.interrupts) and not self.stopping():
            self._broken("the sweep in QEMU injected nothing")
        for case, failure in result.failures:
            self._booted_crash(case, failure, "sweep in QEMU")

    def _booted_crash(self, case: BootCase, failure: Failure, source: str) -> None:
        crash = self.triage.add_booted(case, failure, source)
        self.progress.say(f"FOUND {crash.signature} in QEMU by {source} ({crash.replays} replays)")

    def _booted_tests(self) -> None:
        result = booted.run_tests(self.options.folder, self.options.jobs, self.stopping)
        for verdict in ("passed", "failed", "skipped"):
            self.night.booted[verdict] = result.count(verdict)
        failed = [case for case in result.cases if case.verdict == "failed"]
        self.night.findings += [f"booted test {case.name} failed: {case.message}" for case in failed]
        for case in failed[:TESTS_FILED]:
            self._booted_crash(BootCase(test=case.name), Failure("test", f"{case.name}: {case.message}"), "booted tests")
        if result.error and not self.stopping():
            self._broken(result.error)
        self.progress.say("booted tests: " + ", ".join(f"{result.count(verdict)} {verdict}" for verdict in ("passed", "failed", "skipped")))

    def _worlds(self) -> None:
        """The corpus of programs on the booted kernel, generated ones on Linux."""
        chosen = [target for target in self.options.targets if target.runs_programs]
        if not chosen:
            return
        count = max(500, int(self.options.minutes * LINUX_A_MINUTE))
        runs = {"booted": lambda folder: worlds.booted(chosen, CORPUS_MOST, self.progress.say, self.stopping, folder),
                "linux": lambda folder: worlds.linux(count, int(time.time()), self.progress.say, self.stopping, folder)}
        for world, run in runs.items():
            folder = self.options.folder / "worlds" / world
            try:
                result = run(folder)
            except FaultlineError as error:
                self._broken(f"worlds: {error}")
                continue
            worlds.write(result, folder)
            self.night.worlds[world] = {**result.verdict.as_json(), "failures": result.failures}
            self.night.findings += [f"{world}: {difference}" for difference in result.verdict.unexplained] + result.failures
            for sentence in result.stale:
                self._broken(sentence)
            self.progress.say(f"worlds: {result.verdict}")

    def _coverage(self) -> None:
        try:
            measured = coverage.measure(self.options.targets, self.options.folder / "coverage", self.progress.say, self.stopping)
        except FaultlineError as error:
            if not self.stopping():
                self._broken(f"coverage: {error}")
            return
        self.night.coverage = measured.percents
        if measured.failed:
            self._broken(f"coverage: ended badly: {', '.join(measured.failed)}")
        self.progress.say(f"coverage of kernel/: {measured.percents['lines']} % of lines")

    def _broken(self, reason: str) -> None:
        with self._lock:
            self.night.broken.append(reason)


def _commit() -> str:
    done = process.run(["git", "rev-parse", "HEAD"], deadline=10, cwd=ROOT)
    return done.output.strip() if done.status == 0 else ""


def _previous(folder: Path) -> Path:
    latest = folder.parent / "latest"
    return latest.resolve() if latest.exists() else latest


def _link_latest(folder: Path) -> None:
    partial = folder.parent / f".latest-{os.getpid()}"
    partial.unlink(missing_ok=True)
    partial.symlink_to(folder.name)
    partial.rename(folder.parent / "latest")


def free_old_work(folder: Path) -> None:
    """Logs and engine folders of a night are kept; what AFL++ copied from the shared corpus, and libFuzzer into it, is not."""
    for inputs in [*folder.glob("work/*-afl/in"), *folder.glob("work/*-libfuzzer/found")]:
        shutil.rmtree(inputs, ignore_errors=True)
