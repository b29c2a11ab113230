"""The VMM process of a workload, looked for when something is asked of it."""

from __future__ import annotations

from collectors.kernel.vmm.process import VmmProcess, words_of
from collectors.kernel.vmm.scan import machine_of
from collectors.model.errors import WorkloadGone
from collectors.model.workloads import Workload


def process_of(workload: Workload) -> VmmProcess:
    """Return the VMM process of a machine.

    Raises:
        WorkloadGone: It has none: it does not run.
    """
    process = machine_of(*workload.id[:2])
    if process is None:
        raise WorkloadGone(f"no process runs {workload.name} any more")
    return process


def command_line(process: VmmProcess, proc: str = "/proc") -> list[str]:
    """Return the words of a VMM's command line; empty if it has ended."""
    return words_of(process.pid, proc)
