"""Fail the 1st, 2nd, … allocation until nothing fires: over the boot, and over every workload of the monitor."""

import pytest

from faultline.campaign import sweep
from faultline.campaign.bootcase import BootCase
from faultline.campaign.sites import Sites
from faultline.qemu import Machine
from faultline.qemu.faultsites import FaultSites, fired


def series_id(series):
    kind, persistent = series
    return f"{kind}-{'persistent' if persistent else 'transient'}"


@pytest.mark.parametrize("series", sweep.BOOT_SERIES, ids=series_id)
@pytest.mark.parametrize("smp", [1, 4])
def test_boot(make_machine, series, smp):
    machine = make_machine(smp=smp)
    machine.boot()
    result = sweep.boot_series(machine, BootCase(smp=smp), *series, FaultSites(machine))
    assert not result.failures, result.described()
    assert result.injections > 0


def test_boot_to_a_shell():
    """With first files, and a program after it. (A night does the other series.)"""
    case = BootCase(files=True)
    with Machine(case.config()) as machine:
        machine.boot()
        result = sweep.boot_series(machine, case, "all", False, FaultSites(machine))
    assert not result.failures, result.described()
    assert result.injections > 50


def test_workloads(machine):
    sites = Sites()
    result = sweep.sweep_workloads(machine, BootCase(), sites, lambda: False, print)
    assert not result.failures, result.described()
    failed = {row["kind"] for row in sites.rows() if row["failed_transient"] and row["failed_persistent"]}
    assert failed == {"page_alloc", "slab_alloc", "user_copy"}


def test_interrupts(make_machine):
    """At every instruction of a function that takes locks."""
    machine = make_machine(smp=1, icount=True)
    machine.boot()
    result = sweep.sweep_interrupts(machine, BootCase(icount=True), lambda: False, print, ("locks",))
    assert not result.failures, result.described()
    assert result.places > 100


def test_sites_in_memory_are_those_of_the_monitor(machine):
    counters = FaultSites(machine)
    machine.monitor.command("sweep kmalloc")
    seen = counters.read()
    assert seen == machine.monitor.sites()
    assert fired(seen) > 0


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
