"""Measures a command by its process tree: the weaker way, for those who may not make a control group."""

from __future__ import annotations

import resource
from collections import defaultdict

from collectors.kernel.processes.listing import ProcessListing
from collectors.model.processes import Process, ProcessId
from collectors.running.group_meter import cpu_of, disk_of
from collectors.running.quantities import Measured, Usage, missing
from collectors.running.resident import ResidentPeak


class TreeMeter:
    """Follows a process and its descendants by the processes' parents.

    A descendant whose parent ended before a sample saw it is missed: so are daemons that leave at once.

    Args:
        pid: The command's process.
        proc: Where procfs is mounted.
    """

    def __init__(self, pid: int, proc: str = "/proc") -> None:
        self._root: int | None = pid
        """Until it was seen: afterwards its start time tells it from another process with its number."""
        self._pid = pid
        self._listing = ProcessListing(proc)
        self._resident = ResidentPeak(proc)
        self._known: dict[ProcessId, Process] = {}
        """What runs, as of the last sample."""
        self._most_tasks = 0
        self._is_new = False
        """Whether it has just become the command, and was not measured yet."""

    def begin(self) -> None:
        """Find the process before it becomes the command: what it holds until then is a copy of vmtop's memory."""
        self._find()
        self._is_new = True

    def sample(self) -> bool:
        """Read once; return whether anything still runs."""
        if self._is_new:  # at once: a short command ends while its descendants are looked for
            self._is_new = False
            self._resident.sample([self._pid])
        self._find()
        self._resident.sample([identity.pid for identity in self._known])
        return bool(self._known)

    def _find(self) -> None:
        try:
            processes = self._listing.read().processes
        except OSError:
            return
        self._known = {process.id: process for process in family(processes, self._root, self._known)}
        if self._known:
            self._root = None
        self._most_tasks = max(self._most_tasks, sum(process.threads for process in self._known.values()))

    def pids(self) -> list[int]:
        """Return what runs now."""
        self.sample()
        return [identity.pid for identity in self._known]

    def usage(self, resources: resource.struct_rusage | None = None) -> Usage:
        """Return what was used until the last reading, with what the kernel counted for the command."""
        no_group = missing("only a group counts it")
        how = "sampled from its processes"
        tasks = Measured(self._most_tasks, how, True) if self._most_tasks else missing("it ended before a sample")
        return {
            "mem": self._resident.peak(resources),
            **(self._cpu(resources) if resources is not None else {}),
            "throttled_seconds": no_group,
            "throttled_percent": no_group,
            "oom_kills": no_group,
            **(disk_of(resources) if resources is not None else {}),
            "pids": tasks,
        }

    def _cpu(self, resources: resource.struct_rusage) -> dict[str, Measured]:
        """Add what still runs to what was waited for."""
        values = cpu_of(resources)
        running_s = sum(process.cpu_seconds for process in self._known.values() if process.id.pid != self._pid)
        total = values["cpu_seconds"]
        return {**values, "cpu_seconds": total._replace(value=(total.value or 0.0) + running_s)}

    def close(self) -> None:
        """Nothing is open."""


def family(processes: tuple[Process, ...], root: int | None, known: dict[ProcessId, Process]) -> list[Process]:
    """Return the root, if one is given, what was known before, and all descendants; zombies do not count."""
    children: dict[int, list[Process]] = defaultdict(list)
    for process in processes:
        children[process.parent_pid].append(process)
    waiting = [process for process in processes if process.id.pid == root or process.id in known]
    found: dict[ProcessId, Process] = {}
    while waiting:
        process = waiting.pop()
        if process.id not in found:
            found[process.id] = process
            waiting += children[process.id.pid]
    return [process for process in found.values() if process.state not in "ZX"]
