"""Rows about allocators and page tables: instructions per operation, counted by callgrind inside counted_* alone."""

from __future__ import annotations

import re

from faultline import build, process
from faultline.bench import peers
from faultline.bench.rows import Row
from faultline.errors import FaultlineError
from faultline.paths import ROOT, relative

# Counts must not depend on which string functions this processor has.
_ENV = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_stosb_threshold=1000000000"}
_DEADLINE = 600.0  # seconds for one workload under callgrind


def workloads(skipped: list[str]) -> list[Row]:
    """One row per workload that bench_kernel lists."""
    try:
        build.build("host-bench")
    except FaultlineError as error:
        skipped.append(f"workloads: {str(error).splitlines()[0]}")
        return []
    program = ROOT / "build" / "host-bench" / "bench" / "bench_kernel"
    if not program.is_file():
        skipped.append(f"workloads: {relative(program)} is not there")
        return []
    rows = []
    for name in process.run([program, "--list"], deadline=60).output.split():
        done = process.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=counted_*",
                            program, name], deadline=_DEADLINE, env=_ENV)
        counted = re.search(r"Collected : (\d+)", done.errors)
        operations = done.output.strip()
        if done.status != 0 or not counted or not operations.isdigit() or operations == "0":
            skipped.append(f"workload {name}: ended with {done.status}: {done.errors.strip()[-200:]}")
            continue
        others, best = peers.of(name)
        group = "page tables" if name in peers.KERNEL and not name.startswith("w") else "allocators"
        rows.append(Row(name, group, "instructions/op", round(int(counted[1]) / int(operations), 1), others, goal=best))
    return rows
