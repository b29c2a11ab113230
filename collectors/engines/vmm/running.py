"""The VMM processes of this host, as the sources of this folder need them."""

from __future__ import annotations

from collectors.kernel.procfs import read_process_stat
from collectors.kernel.vmm.process import VmmProcess
from collectors.kernel.vmm.scan import shared_scan

LONGEST_ID = 1024
"""Characters of an id, which may be a path."""


def running_machines(is_due: bool = False) -> list[VmmProcess]:
    """Return the VMM processes; as of two seconds ago at most, or as of now if `is_due`."""
    return list(shared_scan().update(is_due).values())


def is_alive(process: VmmProcess) -> bool:
    """Return whether a process still runs: another one may have its pid by now."""
    stat = read_process_stat("/proc", process.pid)
    return stat is not None and stat.start_ticks == process.start_ticks and not stat.is_zombie
