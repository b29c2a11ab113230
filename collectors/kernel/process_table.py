"""The processes inside a workload, as psutil reports them."""

from __future__ import annotations

from collections.abc import Iterable

import psutil

from collectors.kernel.cgroup.processes import folders, members
from collectors.model.details import Column, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.safety.redact import redact_words
from collectors.safety.sanitize import sanitize

AT_MOST = 500
_LONGEST = 400
_STATES = {
    psutil.STATUS_RUNNING: "R",
    psutil.STATUS_SLEEPING: "S",
    psutil.STATUS_DISK_SLEEP: "D",
    psutil.STATUS_STOPPED: "T",
    psutil.STATUS_TRACING_STOP: "t",
    psutil.STATUS_ZOMBIE: "Z",
    psutil.STATUS_DEAD: "X",
    psutil.STATUS_IDLE: "I",
    psutil.STATUS_PARKED: "P",
    psutil.STATUS_WAKING: "W",
}
"""The kernel's letters, as in ps and top."""
_COLUMNS = (
    Column("PID"),
    Column("USER"),
    Column("S"),
    Column("CPU%", Unit.PERCENT),
    Column("MEM", Unit.BYTES),
    Column("THREADS", Unit.COUNT),
    Column("COMMAND"),
)


class Processes:
    """Lists processes. CPU use is known from a process's second reading on."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._previous: dict[int, psutil.Process] = {}

    def table(self, directories: Iterable[str]) -> Table:
        """List the processes in and below a workload's cgroup, busiest first.

        Args:
            directories: The cgroup's directory in each hierarchy; the first one with any process is used.
        """
        pids: list[int] = []
        for directory in directories:
            pids = [pid for folder in folders(directory) for pid in members(folder)]
            if pids:
                break
        psutil.PROCFS_PATH = self._proc
        current: dict[int, psutil.Process] = {}
        rows = [row for pid in pids[:AT_MOST] if (row := self._row(pid, current)) is not None]
        self._previous = current
        rows.sort(key=lambda row: (-(float(row[3] or 0)), -(float(row[4] or 0))))
        note = f"{len(pids) - AT_MOST} more are not shown" if len(pids) > AT_MOST else ""
        return Table(Page.PROCESSES, f"{len(pids)} processes", _COLUMNS, tuple(rows), note=note)

    def _row(self, pid: int, current: dict[int, psutil.Process]) -> tuple[Value, ...] | None:
        """Return a process's row; `None` when it has ended or may not be read."""
        try:
            process = psutil.Process(pid)
            previous = self._previous.get(pid)
            is_first = previous is None or previous != process  # psutil compares the start too: pids are reused
            process = process if previous is None or is_first else previous
            with process.oneshot():
                percent = process.cpu_percent()  # since the last call on the same object; 0.0 if there was none
                row = (
                    str(pid),
                    sanitize(process.username()),
                    _STATES.get(process.status(), "?"),
                    None if is_first else percent,
                    process.memory_info().rss,
                    process.num_threads(),
                    _command(process),
                )
        except psutil.Error:
            return None
        current[pid] = process
        return row


def _command(process: psutil.Process) -> str:
    """Return the command line; the name in brackets for a zombie and for a kernel thread, which have none."""
    try:
        words = process.cmdline()
    except (psutil.ZombieProcess, psutil.AccessDenied):
        words = []
    return sanitize(" ".join(redact_words(words)), _LONGEST) if words else f"[{sanitize(process.name())}]"
