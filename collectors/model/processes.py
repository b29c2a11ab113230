"""Processes of this host: plain data of one pass over them, and of one process in full. Never recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import msgspec

from collectors.model.actions import Outcome
from collectors.model.details import Fact
from collectors.model.workloads import Workload


class ProcessId(NamedTuple):
    """Identifies a process for as long as it exists; a pid alone does not, as pids are reused."""

    pid: int
    start_ticks: int
    """Clock ticks from the boot to its start."""


class Process(msgspec.Struct, frozen=True, gc=False):
    """What one pass reads of every process."""

    id: ProcessId
    parent_pid: int
    name: str
    """The kernel's short name, sanitized: at most 15 characters, and chosen by the process."""
    state: str
    """The kernel's letter: R, S, D, T, t, Z, X or I; `?` for others."""
    cpu_percent: float | None
    """CPU use since the pass before; 100 is one core. `None` in its first pass."""
    cpu_seconds: float
    """User and system time since its start."""
    memory_bytes: int
    """Resident size, shared pages included."""
    threads: int
    cgroups: tuple[str, ...]
    """Its path in each hierarchy; empty where this user may not see it."""

    @property
    def pid(self) -> int:
        return self.id.pid

    @property
    def is_kernel_thread(self) -> bool:
        """Whether it is kthreadd or one of its children."""
        return self.parent_pid == 2 or (self.pid == 2 and self.parent_pid == 0)


class ProcessText(NamedTuple):
    """What is read only of processes that are looked at."""

    command: str
    """Command line with secrets masked, sanitized; the name in brackets where there is none."""
    user: str | None
    """Real user's name or number, sanitized. `None` when unreadable."""
    inner_pid: int | None
    """Its pid in the innermost pid namespace, if that is not the host's."""


class Thread(NamedTuple):
    """One thread of a process."""

    tid: int
    name: str
    role: str
    """Of a virtual machine's threads: `vCPU 0`, `emulator`, `I/O thread 1`; empty for others."""
    state: str
    cpu_percent: float | None
    wait_percent: float | None
    """Share of time that it was ready to run and waited for a CPU: a vCPU's steal. `None` without schedstat, and in the
    first reading."""
    last_cpu: int | None


class ProcessDetails(NamedTuple):
    """One process in full."""

    id: ProcessId
    facts: tuple[Fact, ...]
    threads: tuple[Thread, ...]
    problems: tuple[str, ...] = ()
    """What could not be read: one sentence each, with what helps."""


class ProcessPass(NamedTuple):
    """All processes that one pass saw."""

    at_ns: int
    """`time.monotonic_ns()` after the pass."""
    cost_ns: int
    """CPU time that the pass took on its thread."""
    processes: tuple[Process, ...]
    note: str = ""
    """Why some may be missing, with what helps; empty when all are there."""


class ProcessView(NamedTuple):
    """What a page of processes shows."""

    newest: ProcessPass
    texts: dict[ProcessId, ProcessText]
    """Of the processes that were asked for."""
    details: ProcessDetails | None
    """Of the process that was asked for; `None` when it has ended."""


class SignalLook(NamedTuple):
    """What a signal to a process would meet."""

    protected: str = ""
    """Why vmtop does not send it, as a clause; empty if it would."""
    warnings: tuple[str, ...] = ()
    """What else will happen, as sentences."""
    is_typed: bool = False
    """Whether it may end a whole workload, whose name then has to be typed."""


class SignalsElsewhere(Protocol):
    """Signals processes of another host, through the vmtop there. Both calls block and raise `SourceError`."""

    login: str
    """The command that logs in there."""

    def look(self, process: Process, signal: str, workload: Workload | None) -> SignalLook:
        """Return what a signal would meet; an empty name stands for none that has been chosen yet."""

    def send(self, process: Process, signal: str, command: str, workload: Workload | None) -> Outcome:
        """Send a signal, and return what became of it, as the host itself found out."""


class ReadsProcesses(Protocol):
    """Reads the processes of a workload, or of the whole host, repeatedly; from one thread at a time."""

    def read(
        self,
        is_due: bool,
        wanted: Callable[[ProcessPass], Iterable[Process]],
        subject: Callable[[ProcessPass], tuple[Process | None, bool]],
    ) -> ProcessView:
        """Read what a page shows. Blocking.

        Args:
            is_due: Whether to make a new pass; otherwise the last one is completed with what was not read yet.
            wanted: Chooses the processes whose texts are needed.
            subject: Chooses the process to read in full, and whether it belongs to a virtual machine.

        Raises:
            SourceError: They cannot be listed.
        """
