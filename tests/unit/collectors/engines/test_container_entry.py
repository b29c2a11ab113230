"""The way into a container: its runtime where its state is there, its namespaces otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.engines import container_entry
from collectors.engines.container_entry import find_entry
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode
from collectors.model.errors import AccessDenied, SourceAbsent, WorkloadGone
from collectors.model.workloads import Kind, Workload, WorkloadId
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write

ID, OTHER = "a" * 64, "b" * 64
WEB = Workload(WorkloadId("containerd", ID), Kind.CONTAINER, "web/nginx", cgroup=f"/kubepods/podX/{ID}")


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with one container, whose shim is process 6 and whose first process is 7."""
    write(tmp_path / f"cgroups/kubepods/podX/{ID}", {"cgroup.procs": "7\n"})
    environ = "SECRET=x\0PATH=/opt/bin:/bin\0HOME=/root\0LD_PRELOAD=/evil.so\0"
    shim = f"containerd-shim-runc-v2\0-namespace\0k8s.io\0-id\0{OTHER}\0-address\0/run/c.sock\0"
    rest = " ".join(["0"] * 48)
    write(tmp_path / "proc", {"6/stat": f"6 (x) S 1 {rest}", "6/cmdline": shim, "7/stat": f"7 (x) S 6 {rest}"})
    write(tmp_path / "proc/7", {"environ": environ, "cmdline": "nginx\0"})
    write(tmp_path / "tasks" / ID, {"config.json": '{"annotations": {}}'})
    (tmp_path / "proc/6/cwd").symlink_to(tmp_path / "tasks" / OTHER)
    hierarchy = Hierarchy(Mode.V2, {"unified": str(tmp_path / "cgroups")})
    monkeypatch.setattr(container_entry, "detect", lambda: hierarchy)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda name, mode=0, path=None: f"/usr/sbin/{name}")
    return tmp_path


def test_runc_is_used_where_it_keeps_the_containers_state(host: Path) -> None:
    write(host / "runc" / "k8s.io" / ID, {"state.json": "{}"})
    entry = find_entry(WEB, str(host / "proc"), str(host / "runc"))
    assert entry.words == ("/usr/sbin/runc", "--root", f"{host}/runc/k8s.io", "exec", ID)
    assert entry.on_terminal == ("/usr/sbin/runc", "--root", f"{host}/runc/k8s.io", "exec", "--tty", ID)


def test_otherwise_its_namespaces_are_joined_and_only_path_and_home_are_taken_over(host: Path) -> None:
    words = find_entry(WEB, str(host / "proc"), str(host / "runc")).words
    assert words[:5] == ("nsenter", "--target", "7", "--all", "--")
    assert words[5:] == ("env", "-i", "PATH=/opt/bin:/bin", "HOME=/root")


def test_a_container_that_has_ended_is_gone(host: Path) -> None:
    write(host / f"cgroups/kubepods/podX/{ID}", {"cgroup.procs": ""})
    with pytest.raises(WorkloadGone):
        find_entry(WEB, str(host / "proc"))


def test_one_without_a_cgroup_has_no_process_here(host: Path) -> None:
    waits = Workload(WorkloadId("kubernetes", "u/app"), Kind.CONTAINER, "web/app")
    with pytest.raises(SourceAbsent, match="no process on this host"):
        find_entry(waits, str(host / "proc"))


def test_a_user_who_is_not_root_is_told_to_be(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(AccessDenied, match="only root may enter web/nginx"):
        find_entry(WEB, str(host / "proc"))
