"""One process in full: command line, folders, limits, control group, and its threads."""

from __future__ import annotations

import os
import re
import time

from collectors.analysis.counter_rates import Rates
from collectors.kernel.cgroup.processes import started_at
from collectors.kernel.processes.listing import read_cgroups
from collectors.kernel.processes.texts import read_text, status_values
from collectors.kernel.procfs import Process as Started
from collectors.kernel.procfs import read_bytes, stat_fields
from collectors.model.details import Fact
from collectors.model.metrics import Unit
from collectors.model.processes import Process, ProcessDetails, Thread
from collectors.safety.permissions import as_root, is_in_container
from collectors.safety.sanitize import sanitize

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_THREADS_AT_MOST = 1000
_LONGEST = 4000
"""Characters of a command line."""
_VCPU_NAME = re.compile(r"(?:CPU |EMT-|vmx-vcpu-|fc_vcpu ?|crosvm_vcpu|kvm-vcpu-|vcpu)(\d+)(?:/\w+)?")
"""Names of vCPUs' threads: QEMU's, with `debug-threads=on`, as libvirt starts it, and those of other VMMs."""
_IO_NAME = re.compile(r"IO (\w+)")
_LIMITS = {
    "Max open files": "open files",
    "Max processes": "processes",
    "Max locked memory": "locked memory",
    "Max core file size": "core dump",
}
"""Lines of /proc/PID/limits that explain failures, and how they are shown."""


class ProcessDetailsReader:
    """Reads one process repeatedly; the rates of its threads need a second reading.

    Args:
        proc: Where procfs is mounted.
    """

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._rates = Rates()
        self._subject: Process | None = None

    def read(self, process: Process, is_vm: bool = False) -> ProcessDetails | None:
        """Read a process; `None` when it has ended.

        Args:
            process: The process, as the newest pass saw it.
            is_vm: Whether it belongs to a virtual machine: its threads then get their roles.
        """
        if self._subject is None or self._subject.id != process.id:
            self._rates = Rates()
        self._subject = process
        text = read_text(self._proc, process, _LONGEST)
        if text is None:
            return None
        directory = f"{self._proc}/{process.pid}"
        problems: list[str] = []
        facts = [
            Fact("command", text.command),
            Fact("user", text.user),
            Fact("program", _link(directory, "exe")),
            Fact("working directory", _link(directory, "cwd")),
            Fact("cgroup", sanitize(max(process.cgroups, key=len, default="")) or None),
            Fact("started", started_at(self._proc, Started(process.pid, process.id.start_ticks))),
            *([Fact("pid inside", str(text.inner_pid))] if text.inner_pid is not None else []),
            *self._memory(directory),
            Fact("open files", _count(f"{directory}/fd"), Unit.COUNT),
            *_limits(directory),
        ]
        if _is_refused(f"{directory}/exe"):
            problems.append(_hidden())
        return ProcessDetails(process.id, tuple(facts), self._threads(directory, is_vm), tuple(problems))

    def _memory(self, directory: str) -> list[Fact]:
        status = read_bytes(f"{directory}/status") or b""
        return [
            Fact(label, int(words[0]) * 1024, Unit.BYTES)
            for key, label in ((b"VmHWM", "memory, most so far"), (b"VmSwap", "swapped out"))
            if (words := status_values(status, key)) and words[0].isdigit()
        ]

    def _threads(self, directory: str, is_vm: bool) -> tuple[Thread, ...]:
        try:
            tids = sorted(int(name) for name in os.listdir(f"{directory}/task") if name.isdigit())
        except OSError:
            return ()
        threads = [self._thread(f"{directory}/task/{tid}", tid, is_vm) for tid in tids[:_THREADS_AT_MOST]]
        return tuple(thread for thread in threads if thread is not None)

    def _thread(self, directory: str, tid: int, is_vm: bool) -> Thread | None:
        text = read_bytes(f"{directory}/stat")
        at = time.monotonic()
        fields = stat_fields(text)
        if text is None or len(fields) < 37:
            return None
        name = sanitize(text[text.find(b"(") + 1 : text.rfind(b")")])
        spent = (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND
        cpu = self._rates.per_second(f"{tid} cpu", spent, at)
        waits = (read_bytes(f"{directory}/schedstat") or b"").split()
        waited = int(waits[1]) / 1e9 if len(waits) > 1 and waits[1].isdigit() else None
        wait = self._rates.per_second(f"{tid} wait", waited, at)
        return Thread(
            tid=tid,
            name=name,
            role=role_of(name, read_cgroups(directory, ".")) if is_vm else "",
            state=fields[0].decode("ascii", "replace"),
            cpu_percent=None if cpu is None else cpu * 100,
            wait_percent=None if wait is None else min(100.0, wait * 100),
            last_cpu=int(fields[36]),
        )


def role_of(name: str, cgroups: tuple[str, ...]) -> str:
    """Return what a thread of QEMU does, by the group that libvirt put it in, else by QEMU's own name for it."""
    groups = {path.rpartition("/")[2] for path in cgroups}
    for group in sorted(groups):
        number = group.lstrip("abcdefghijklmnopqrstuvwxyz")
        if group.startswith("vcpu") and number.isdigit():
            return f"vCPU {number}"
        if group.startswith("iothread") and number.isdigit():
            return f"I/O thread {number}"
    if match := _VCPU_NAME.match(name):
        return f"vCPU {match[1]}"
    if match := _IO_NAME.match(name):
        return f"I/O {match[1]}"
    return "emulator"


def _link(directory: str, name: str) -> str | None:
    try:
        return sanitize(os.readlink(f"{directory}/{name}"))
    except OSError:
        return None


def _is_refused(path: str) -> bool:
    try:
        os.readlink(path)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _hidden() -> str:
    """Return whose program, folder and open files are hidden, and what helps: sudo helps nobody who is root."""
    is_root = os.geteuid() == 0
    whose = "a process with more capabilities than vmtop has" if is_root else "another user's process"
    fix = "" if is_root and not is_in_container() else f"; fix: {as_root()}"
    return f"program, folder and open files of {whose} are not visible{fix}"


def _count(directory: str) -> int | None:
    try:
        return len(os.listdir(directory))
    except OSError:
        return None


def _limits(directory: str) -> list[Fact]:
    facts: list[Fact] = []
    for line in (read_bytes(f"{directory}/limits") or b"").decode("ascii", "replace").splitlines():
        for label, shown in _LIMITS.items():
            if line.startswith(label):
                soft, hard = line[len(label) :].split()[:2]
                facts.append(Fact(f"limit: {shown}", soft if soft == hard else f"{soft}, at most {hard}"))
    return facts
