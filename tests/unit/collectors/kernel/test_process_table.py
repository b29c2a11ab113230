"""The page of processes: on this host, and on a captured procfs."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path

import psutil
import pytest

from collectors.comparison.overhead import find_engines, find_shim
from collectors.kernel.process_table import AT_MOST, Processes


@pytest.fixture(autouse=True)
def procfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give psutil this host's procfs back after a test with a captured one."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", "/proc")


def group(folder: Path, *pids: int) -> list[str]:
    """Make the directory of a cgroup with these processes."""
    folder.mkdir(exist_ok=True)
    (folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))
    return [str(folder)]


def capture(
    proc: Path, pid: int, name: str, state: str = "S", parent: int = 1, start: int = 500, command: bytes = b""
) -> None:
    """Write what a procfs says of a process: 120 and 30 ticks of CPU time, 25 resident pages, three threads."""
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (proc / "stat").write_text("cpu 1 1 1 1 1 1 1 1 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nbtime 1700000000\n")
    fields = [state, parent, *[0] * 9, 120, 30, 0, 0, 20, 0, 3, 0, start, 0, 25, *[0] * 28]
    (folder / "stat").write_text(f"{pid} ({name}) {' '.join(map(str, fields))}\n")
    (folder / "statm").write_text("100 25 5 1 0 9 0\n")
    status = f"Name:\t{name}\nState:\t{state}\nUid:\t4000000000\t0\t0\t0\nGid:\t0\t0\t0\t0\nThreads:\t3\n"
    (folder / "status").write_text(status)
    (folder / "cmdline").write_bytes(command)
    (folder / "comm").write_text(f"{name}\n")


def test_this_process_is_listed_with_its_cpu_use_from_the_second_reading_on(tmp_path: Path) -> None:
    processes, directories = Processes(), group(tmp_path / "group", os.getpid())
    (first,) = processes.table(directories).rows
    assert first[:2] == (str(os.getpid()), getpass.getuser())
    assert first[3] is None, "a first reading has nothing to compare with"
    assert isinstance(first[4], int)
    assert first[4] > 1 << 20
    assert "python" in str(first[6])
    (second,) = processes.table(directories).rows
    assert isinstance(second[3], float)
    assert second[3] >= 0


def test_a_process_that_has_ended_has_no_row(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert Processes().table(group(tmp_path / "group", child.pid)).rows == ()


def test_a_captured_procfs_is_read_instead_of_this_hosts(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    capture(proc, 7, "web) S 3", command=b"web\0--password=hunter2\0\x1b[2J\0")
    capture(proc, 8, "kworker/0:1", "I")
    capture(proc, 9, "gone", "Z")
    rows = {row[0]: row for row in Processes(str(proc)).table(group(tmp_path / "group", 7, 8, 9)).rows}
    page = os.sysconf("SC_PAGE_SIZE")
    assert rows["7"][1:6] == ("4000000000", "S", None, 25 * page, 3)
    assert "hunter2" not in str(rows["7"][6])
    assert "\x1b" not in str(rows["7"][6])
    assert (rows["8"][2], rows["8"][6]) == ("I", "[kworker/0:1]")
    assert (rows["9"][2], rows["9"][6]) == ("Z", "[gone]")


def test_another_process_with_the_same_pid_is_compared_with_nothing(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    processes, directories = Processes(str(proc)), group(tmp_path / "group", 7)
    for start in (500, 900):
        capture(proc, 7, "web", start=start, command=b"web\0")
        (row,) = processes.table(directories).rows
        assert row[3] is None


def test_a_crowd_is_cut_and_the_page_says_so(tmp_path: Path) -> None:
    table = Processes(str(tmp_path / "proc")).table(group(tmp_path / "group", *range(1, AT_MOST + 4)))
    assert table.note == "3 more are not shown"


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
