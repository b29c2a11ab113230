"""A service runs the workloads whose shims, monitors or VMMs its processes started, wherever those are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collectors.actions.protection import Protection
from collectors.kernel.carried import carried_by
from collectors.model.actions import Dependents
from collectors.model.workloads import State, Workload
from tests.helpers.process_tree import capture
from tests.unit.collectors.actions.test_actions import container, service

MANAGER = "/system.slice/manager.service"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A service with process 50, the parent of shim 60, whose child 70 is a container; nobody started 80."""
    proc, tree = tmp_path / "proc", tmp_path / "cgroup"
    for pid, parent in ((50, 1), (60, 50), (70, 60), (80, 1)):
        capture(proc, pid, f"p{pid}", parent=parent)
    for group, pids in ((MANAGER, "50\n"), ("/a.scope", "70\n"), ("/b.scope", "80\n"), ("/shims.slice", "60\n")):
        (tree / group[1:]).mkdir(parents=True)
        (tree / group[1:] / "cgroup.procs").write_text(pids)
    (tree / "cgroup.controllers").write_text("cpu\n")
    return tmp_path


def placed(name: str, number: int, group: str) -> Workload:
    return msgspec.structs.replace(container(name, number=number), cgroup=group)


def manager(group: str = MANAGER) -> Workload:
    return msgspec.structs.replace(service("manager.service"), cgroup=group)


def test_a_container_is_carried_by_whoever_started_its_shim(host: Path) -> None:
    workloads = [placed("web", 1, "/a.scope"), placed("other", 2, "/b.scope"), placed("gone", 3, "/none.scope")]
    assert carried_by(manager(), workloads, str(host / "proc"), str(host / "cgroup")) == ["web"]
    assert carried_by(manager("/b.scope"), workloads, str(host / "proc"), str(host / "cgroup")) == []


def test_stopped_ones_and_those_of_other_hosts_are_not_carried(host: Path) -> None:
    web = placed("web", 1, "/a.scope")
    others = [msgspec.structs.replace(web, state=State.STOPPED), msgspec.structs.replace(web, endpoint="far")]
    assert carried_by(manager(), others, str(host / "proc"), str(host / "cgroup")) == []


def test_a_service_that_carries_workloads_is_protected_whatever_its_name() -> None:
    reason = Protection().reason(manager(), dependents=Dependents(carried=("web", "db")))
    assert reason == "its processes run web, db"
    assert Protection(["manager.service"]).reason(manager(), dependents=Dependents(carried=("web",))) == ""
