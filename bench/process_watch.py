"""What a process holds while it runs: memory, threads, descriptors."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import linear_regression
from typing import NamedTuple

from tests.helpers.frame_watch import descriptors


class Held(NamedTuple):
    """What a process held at an instant."""

    at: float
    """Monotonic seconds."""
    resident_kib: int
    threads: int
    descriptors: int
    """Without those that are kept of each workload."""


def held(pid: int | str = "self") -> Held:
    """Look at a process now."""
    folder = Path("/proc") / str(pid)
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    return Held(
        time.monotonic(),
        int(status["VmRSS"].split()[0]),
        len(os.listdir(folder / "task")),
        descriptors(pid),
    )


def slope_kib_per_hour(taken: list[Held]) -> float:
    """Return how fast the resident memory grew: the line of least squares."""
    line = linear_regression([one.at for one in taken], [one.resident_kib for one in taken])
    return line.slope * 3600


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below a folder; one that goes meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
