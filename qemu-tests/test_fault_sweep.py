"""Fail the 1st, 2nd, … allocation until nothing fires: over the boot, and over every workload of the monitor."""

import pytest

from faultline.campaign import sweep


def series_id(series):
    kind, persistent = series
    return f"{kind}-{'persistent' if persistent else 'transient'}"


@pytest.mark.parametrize("series", sweep.plans_of(sweep.BOOT_KINDS), ids=series_id)
@pytest.mark.parametrize("smp", [1, 4])
def test_boot(make_machine, series, smp):
    machine = make_machine(smp=smp)
    result = sweep.boot_series(machine, *series)
    assert not result.failures, "\n".join(map(str, result.failures))
    assert result.injections > 0


@pytest.mark.parametrize("series", sweep.plans_of(sweep.WORKLOAD_KINDS), ids=series_id)
def test_workloads(machine, series):
    failures, injections = [], 0
    for workload in machine.monitor.workloads():
        result = sweep.workload_series(machine, workload, *series)
        failures += result.failures
        injections += result.injections
    assert not failures, "\n".join(map(str, failures[:10]))
    assert injections > 0 or series[0] == "user_copy"


def test_plan_on_the_boot_line(make_machine):
    """The boot line and the poke of a runner mean the same."""
    machine = make_machine(bootargs="fault=slab_alloc,nth=1000000")
    machine.boot()
    status = machine.monitor.faults()
    assert status["armed"] and status["fired"] == 0
    assert "slab_alloc" in status["plan"]


@pytest.mark.parametrize("plan", ["nonsense", "page_alloc,nth=", "page_alloc,nth=-1", "page_alloc,,", "page_alloc,nth=99999999999999999999"])
def test_bad_plan_is_refused(machine, plan, alive):
    assert machine.monitor.command(f"faults arm {plan}", check=False).status != 0
    assert not machine.monitor.faults()["armed"]
    alive(machine)


def test_sites_are_counted(machine):
    machine.monitor.command("faults observe")
    machine.monitor.command("run kmalloc")
    reached = {site["kind"] for site in machine.monitor.sites() if site["reached"]}
    assert {"page_alloc", "slab_alloc"} <= reached
