"""The threads of a VMM that are virtual CPUs, by their names, and how long they ran and waited.

Source: kernel Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat.
"""

from __future__ import annotations

import os
import re

from collectors.kernel.cgroup.open_files import GroupGone, OpenFile, slow_file_bound
from collectors.kernel.procfs import read_bytes

_MOST_THREADS = 8192


class VcpuThreads:
    """The virtual CPUs of one process. Totals never fall: a thread that has ended keeps what it used.

    Args:
        folder: The process's directory in procfs.
        name: Regular expression for the names of the threads.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._folder = folder
        self._name = re.compile(name)
        self._files: dict[str, OpenFile] = {}
        self._times: dict[str, tuple[int, int]] = {}
        self._ended = (0, 0)

    def __len__(self) -> int:
        """The number of virtual CPUs; 0 when no thread has such a name."""
        return len(self._files)

    def find(self) -> None:
        """List the threads again."""
        found = {tid for tid in _threads(self._folder) if self._is_vcpu(tid)}
        for tid in self._files.keys() - found:
            self._drop(tid)
        for tid in found - self._files.keys():
            self._files[tid] = OpenFile(f"{self._folder}/task/{tid}/schedstat", slow_file_bound())

    def read(self) -> tuple[int, int] | None:
        """Return for how many ns all of them ran, and waited for a CPU; `None` without any, or without schedstats."""
        for tid, file in tuple(self._files.items()):
            times = _times(file)
            if times is None:
                self._drop(tid)
            else:
                self._times[tid] = times
        if not self._times:
            return None
        ran, waited = (sum(column) for column in zip(*self._times.values(), self._ended, strict=True))
        return ran, waited

    def by_name(self) -> dict[str, tuple[int, int]]:
        """Return for how many ns each ran and waited, by its name."""
        found = {self._comm(tid): times for tid, file in self._files.items() if (times := _times(file)) is not None}
        return dict(sorted(found.items()))

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _is_vcpu(self, tid: str) -> bool:
        return bool(self._name.fullmatch(self._comm(tid)))

    def _comm(self, tid: str) -> str:
        comm = read_bytes(f"{self._folder}/task/{tid}/comm") or b""
        return comm.decode("utf-8", "replace").rstrip("\n")

    def _drop(self, tid: str) -> None:
        self._files.pop(tid).close()
        ran, waited = self._times.pop(tid, (0, 0))
        self._ended = (self._ended[0] + ran, self._ended[1] + waited)


def vcpu_times(folder: str, name: str) -> dict[str, tuple[int, int]]:
    """Return for how many ns each virtual CPU ran and waited, by the name of its thread; see `VcpuThreads`."""
    threads = VcpuThreads(folder, name)
    threads.find()
    try:
        return threads.by_name()
    finally:
        threads.close()


def _threads(folder: str) -> list[str]:
    try:
        return os.listdir(f"{folder}/task")[:_MOST_THREADS]
    except OSError:
        return []


def _times(file: OpenFile) -> tuple[int, int] | None:
    try:
        words = (file.read() or b"").split()
    except GroupGone:
        return None
    return (int(words[0]), int(words[1])) if len(words) >= 2 and words[0].isdigit() and words[1].isdigit() else None
