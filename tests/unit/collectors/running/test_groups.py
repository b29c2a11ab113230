"""Which group a command gets, by trees of the test's own making: no kernel takes part."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy, Mode
from collectors.kernel.cgroup.limits import Limits
from collectors.model.errors import AccessDenied
from collectors.model.processes import Process, ProcessId
from collectors.running import scope
from collectors.running.own_group import has_other_runs, own_directories, own_paths, remove_stale
from collectors.running.run_group import NoGroup, RunGroup
from collectors.running.scope import NoScope, enter_scope, lost_limit, slice_of
from collectors.running.tree_meter import family
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write


def test_paths_are_read_by_controller_and_the_root_is_empty(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("5:cpu,cpuacct:/a:b\n4:memory:/\n1:name=systemd:/s\n0::/u/v\n")
    paths = own_paths(str(tmp_path))
    assert paths == {"cpu": "/a:b", "cpuacct": "/a:b", "memory": "", "name=systemd": "/s", UNIFIED: "/u/v"}


def test_a_directory_counts_only_if_this_process_is_listed_in_it(tmp_path: Path) -> None:
    path = own_paths().get(UNIFIED, "")
    write(tmp_path, {"cgroup.procs": f"1\n{os.getpid()}\n"})
    if path:
        write(tmp_path / path.strip("/"), {"cgroup.procs": "1\n"})
    tree = Hierarchy(Mode.V2, {UNIFIED: str(tmp_path)})
    found = own_directories(tree)
    assert found == ({UNIFIED: str(tmp_path)} if UNIFIED in own_paths() else {}), "a container's mount shows its part"
    write(tmp_path, {"cgroup.procs": "1\n"})
    assert own_directories(tree) == {}


@pytest.mark.parametrize(
    ("path", "is_user", "expected"),
    [
        ("/system.slice/ci.service", False, "system.slice"),
        ("/user.slice/user-1000.slice/session-3.scope", False, "user-1000.slice"),
        ("/user.slice/user-1000.slice/session-3.scope", True, ""),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope", True, "app.slice"),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", True, ""),
        ("/init.scope", False, ""),
        ("", False, ""),
    ],
)
def test_a_scope_goes_into_the_innermost_slice_that_its_manager_has(path: str, is_user: bool, expected: str) -> None:
    assert slice_of(path, is_user) == expected


def limited(root: Path, service: dict[str, str], of_slice: dict[str, str]) -> Limits:
    files = {"memory.max": "max", "memory.high": "max", "cpu.max": "max 100000"}
    write(root / "ci.slice" / "ci.service", files | service)
    write(root / "ci.slice", files | of_slice)
    write(root / "sys", {"devices/system/cpu/online": "0-7\n"})
    return Limits(Hierarchy(Mode.V2, {UNIFIED: str(root)}), str(root / "sys"))


@pytest.mark.parametrize(
    ("service", "of_slice", "lost"),
    [
        ({}, {}, ""),
        ({}, {"memory.max": "1000000"}, ""),  # it holds in the slice, where the scope is too
        ({"memory.max": "1000000"}, {}, "the memory limit of /ci.slice/ci.service"),
        ({"memory.high": "1000000"}, {}, "the memory limit of /ci.slice/ci.service"),
        ({"cpu.max": "50000 100000"}, {}, "the CPU limit of /ci.slice/ci.service"),
        ({"memory.max": "9000000"}, {"memory.max": "1000000"}, ""),
    ],
)
def test_a_limit_that_a_scope_would_escape_is_seen(
    tmp_path: Path, service: dict[str, str], of_slice: dict[str, str], lost: str
) -> None:
    assert lost_limit("/ci.slice/ci.service", limited(tmp_path, service, of_slice)) == lost


def test_without_systemd_there_is_no_scope_and_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "BOOTED", "/nonexistent")
    with pytest.raises(NoScope) as failure:
        enter_scope([1], ["true"], Hierarchy(Mode.NONE))
    assert str(failure.value) == ""


def test_a_systemd_that_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise AccessDenied("systemd does not allow it: \x1b[31minteractive authentication required")

    monkeypatch.setattr(scope, "BOOTED", "/")
    monkeypatch.setattr(scope, "system_bus", refuse)
    monkeypatch.setattr(scope, "user_bus", refuse)
    with pytest.raises(NoScope, match="not in a scope of systemd: systemd does not allow it: ") as failure:
        enter_scope([1], ["true"], Hierarchy(Mode.NONE))
    assert "authentication" in str(failure.value)
    assert "\x1b" not in str(failure.value)


def test_where_no_tree_lists_vmtop_there_is_no_group(tmp_path: Path) -> None:
    with pytest.raises(NoGroup, match="no cgroup tree lists this process"):
        RunGroup(Hierarchy(Mode.V2, {UNIFIED: str(tmp_path)}), os.getpid())


def test_only_groups_of_a_vmtop_that_has_ended_and_that_are_empty_are_removed(tmp_path: Path) -> None:
    for name in ("vmtop-run-999999999", f"vmtop-run-{os.getpid()}", "other", "vmtop-run-999999998"):
        (tmp_path / name).mkdir()
    write(tmp_path / "vmtop-run-999999998", {"cgroup.procs": "1\n"})
    remove_stale(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["other", f"vmtop-run-{os.getpid()}", "vmtop-run-999999998"]


def test_another_vmtop_is_not_taken_for_this_one_by_the_beginning_of_its_pid(tmp_path: Path) -> None:
    (tmp_path / "vmtop-run-12").mkdir()
    assert not has_other_runs(str(tmp_path), {"vmtop-run-12", "vmtop-run-12-vmtop"})
    (tmp_path / "vmtop-run-123").mkdir()
    assert has_other_runs(str(tmp_path), {"vmtop-run-12", "vmtop-run-12-vmtop"})


def process(pid: int, parent: int, start: int = 1, state: str = "S") -> Process:
    return Process(ProcessId(pid, start), parent, "x", state, None, 0.0, 0, 1, ())


def test_a_family_keeps_those_whose_parent_has_gone_and_no_stranger_with_an_old_number() -> None:
    first = family((process(10, 1), process(11, 10), process(12, 11), process(20, 1)), 10, {})
    assert {one.pid for one in first} == {10, 11, 12}
    known = {one.id: one for one in first}
    later = (process(12, 1), process(13, 12), process(10, 1, start=99), process(11, 1, state="Z"))
    assert {one.pid for one in family(later, None, known)} == {12, 13}
