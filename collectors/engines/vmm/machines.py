"""The VMM process of a workload, looked for when something is asked of it."""

from __future__ import annotations

from collectors.kernel.procfs import read_bytes
from collectors.kernel.vmm.process import VmmProcess
from collectors.kernel.vmm.scan import machine_of
from collectors.model.errors import WorkloadGone
from collectors.model.workloads import Workload

_LONGEST_COMMAND = 1 << 17


def process_of(workload: Workload) -> VmmProcess:
    """Return the VMM process of a machine.

    Raises:
        WorkloadGone: It has none: it does not run.
    """
    process = machine_of(*workload.id)
    if process is None:
        raise WorkloadGone(f"no process runs {workload.name} any more")
    return process


def command_line(process: VmmProcess, proc: str = "/proc") -> list[str]:
    """Return the words of a VMM's command line; empty if it has ended."""
    text = (read_bytes(f"{proc}/{process.pid}/cmdline") or b"")[:_LONGEST_COMMAND]
    return text.decode("utf-8", "surrogateescape").rstrip("\0").split("\0") if text else []
