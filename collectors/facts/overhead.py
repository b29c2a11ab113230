"""What is spent for a container beside its own cgroup: the shim that holds it.

A virtual machine's overhead is within its own process; see `details.guest_memory` and the metric EMU%.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from collectors.facts.model import Told, unknown
from collectors.sources.cgroup.processes import read_bytes

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SHIMS = (b"containerd-shim", b"conmon", b"docker-containe")


class Shim(NamedTuple):
    """The process that holds a container, at an instant."""

    pid: int
    name: str
    cpu_s: float
    resident: int
    """Bytes."""
    at: float
    """`time.monotonic()`."""


def find_shim(pid: int | None, proc: str = "/proc") -> Shim | None:
    """Return the shim above a container's first process; `None` if there is none of a known name."""
    if pid is None:
        return None
    fields = _stat(pid, proc)
    parent = int(fields[1]) if fields else 0
    held = _stat(parent, proc) if parent > 1 else []
    name = (read_bytes(f"{proc}/{parent}/comm") or b"").strip()
    if not held or not name.startswith(_SHIMS):
        return None
    cpu_s = (int(held[11]) + int(held[12])) * _TICK_S
    return Shim(parent, name.decode("ascii", "replace"), cpu_s, int(held[21]) * _PAGE, time.monotonic())


def _stat(pid: int, proc: str) -> list[bytes]:
    """Return the fields of `/proc/<pid>/stat` after the command, which may contain anything."""
    fields = (read_bytes(f"{proc}/{pid}/stat") or b"").rpartition(b")")[2].split()
    return fields if len(fields) > 21 else []


def memory_of(shim: Shim | None) -> Told:
    """Return what the shim holds."""
    if shim is None:
        return unknown("no shim of a known name holds it, or /proc may not be read")
    return Told(
        float(shim.resident), f"/proc/{shim.pid}/stat: resident size of {shim.name}; the engine itself is shared"
    )


def cpu_of(before: Shim | None, after: Shim | None) -> Told:
    """Return the CPU that the shim used between two looks, in percent of a core."""
    if before is None or after is None or before.pid != after.pid or after.at <= before.at:
        return unknown("its shim was not seen twice")
    percent = max(0.0, (after.cpu_s - before.cpu_s) / (after.at - before.at) * 100)
    return Told(percent, f"/proc/{after.pid}/stat: growth of {after.name}'s CPU time in {after.at - before.at:.0f} s")
