"""A procfs of a test's own making."""

from __future__ import annotations

from pathlib import Path


def capture(
    proc: Path,
    pid: int,
    name: str,
    state: str = "S",
    parent: int = 1,
    start: int = 500,
    command: bytes = b"",
    ticks: int = 150,
    cgroup: str = "/",
    status: str = "",
) -> Path:
    """Write what a procfs says of a process: 25 resident pages, three threads; last on CPU 1."""
    folder = proc / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (proc / "stat").write_text("cpu 1 1 1 1 1 1 1 1 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\nbtime 1700000000\n")
    fields = [state, parent, *[0] * 9, ticks - 30, 30, 0, 0, 20, 0, 3, 0, start, 0, 25, *[0] * 14, 1, *[0] * 13]
    (folder / "stat").write_text(f"{pid} ({name}) {' '.join(map(str, fields))}\n")
    (folder / "statm").write_text("100 25 5 1 0 9 0\n")
    lines = f"Name:\t{name}\nState:\t{state}\nUid:\t4000000000\t0\t0\t0\nGid:\t0\t0\t0\t0\nThreads:\t3\n{status}"
    (folder / "status").write_text(lines)
    (folder / "cmdline").write_bytes(command)
    (folder / "comm").write_text(f"{name}\n")
    (folder / "cgroup").write_text(f"0::{cgroup}\n")
    return folder


def add_thread(
    proc: Path, pid: int, tid: int, name: str, ticks: int = 0, waited_ns: int = 0, cgroup: str = "/"
) -> None:
    """Write what a procfs says of a thread of a process that is there already."""
    folder = capture(proc / str(pid) / "task", tid, name, ticks=ticks, cgroup=cgroup)
    (folder / "schedstat").write_text(f"{ticks * 10_000_000} {waited_ns} 7\n")
