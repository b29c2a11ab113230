"""The helpers of an engine's containers, found on a captured procfs."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from collectors.comparison import facts
from collectors.comparison.facts import FactsReader
from collectors.comparison.overhead import find_engines, find_shim
from collectors.engines.connections import EngineConnections
from collectors.model.workloads import Kind, State, Workload
from tests.helpers.process_tree import capture
from tests.helpers.strategies import workload


@pytest.fixture(autouse=True)
def procfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give psutil this host's procfs back after a test with a captured one."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", "/proc")


def test_the_shim_above_a_container_and_its_engine_are_found_by_name(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    capture(proc, 2, "dockerd", start=100)
    capture(proc, 3, "containerd-shim", start=200, command=b"/usr/bin/containerd-shim-runc-v2\0-id\0x\0")
    capture(proc, 4, "web", parent=3, start=300)
    shim = find_shim(4, str(proc))
    assert shim is not None
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    assert (shim.pid, shim.name, shim.cpu_s, shim.resident) == (
        3,
        "containerd-shim-runc-v2",
        150 / ticks,
        25 * page,
    )
    assert find_shim(2, str(proc)) is None
    assert find_shim(99, str(proc)) is None
    engines = find_engines(2, str(proc))
    assert [usage.name for usage in engines.processes] == ["dockerd"]
    assert engines.resident == 25 * page / 2


def test_the_overhead_of_what_runs_here_is_read_without_an_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc = tmp_path / "proc"
    capture(proc, 2, "dockerd", start=100)
    capture(proc, 3, "containerd-shim", start=200, command=b"/usr/bin/containerd-shim-runc-v2\0-id\0x\0")
    capture(proc, 4, "web", parent=3, start=300)
    pids = {"web": 4, "vm": None}
    monkeypatch.setattr(FactsReader, "_pid", lambda _, one: pids[one.name])
    monkeypatch.setattr(facts, "detect", lambda *_: None)
    known: list[Workload] = [
        workload("web"),
        workload("vm", Kind.VM, "libvirt"),
        workload("sshd", Kind.SERVICE, "systemd"),
        workload("off", state=State.STOPPED),
        workload("far", endpoint="far:2376"),
    ]
    found = FactsReader(EngineConnections(()), may_write=False, proc=str(proc)).memory_overheads(known)
    by_name = {identity.id: fact for identity, fact in found.items()}
    page = os.sysconf("SC_PAGE_SIZE")
    assert by_name["web"].value == 25 * page + 25 * page, "its shim, and all of the engine: it is the only container"
    assert by_name["vm"].value is None
    assert set(by_name) == {"web", "vm"}
