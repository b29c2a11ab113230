"""The processes of the demo: those of each workload add up to its CPU use and memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

from collectors.analysis.rates import Moment, Reading
from collectors.model.details import Fact
from collectors.model.processes import Process, ProcessDetails, ProcessId, ProcessPass, ProcessText, ProcessView, Thread
from collectors.model.workloads import Kind, Workload

_PIDS = 4_000_000
_TICKS_PER_SECOND = 100


class _Program(NamedTuple):
    """A process of a workload."""

    name: str
    command: str
    user: str
    share: float
    """Of the workload's CPU use and memory; those of a workload add up to 1."""


def _workers(name: str, command: str, worker: str, user: str, count: int = 4) -> tuple[_Program, ...]:
    first = _Program(name, command, "root", 0.1)
    return (first, *(_Program(name, worker, user, 0.9 / count) for _ in range(count)))


_BY_WORD: dict[str, tuple[_Program, ...]] = {
    "web": _workers("nginx", "nginx: master process nginx -g daemon off;", "nginx: worker process", "www-data"),
    "api": _workers("gunicorn", "gunicorn: master [shop.wsgi]", "gunicorn: worker [shop.wsgi]", "app", 3),
    "worker": _workers("celery", "celery -A tasks worker", "celery -A tasks worker --pool prefork", "app", 2),
    "cache": (_Program("redis-server", "redis-server *:6379", "redis", 1.0),),
    "queue": (_Program("beam.smp", "/usr/lib/erlang/erts/bin/beam.smp -W w -MBas ageffcbf", "rabbitmq", 1.0),),
    "db": _workers(
        "postgres", "postgres -D /var/lib/postgresql/data", "postgres: app shop 10.0.0.7 idle", "postgres", 5
    ),
}
"""By a word in the workload's name."""


def programs_of(workload: Workload) -> tuple[_Program, ...]:
    """Return what runs in a workload."""
    if workload.kind is Kind.VM:
        return (_Program("qemu-system-x86", f"qemu-system-x86_64 -name guest={workload.name}", "libvirt-qemu", 1.0),)
    words = workload.name.removesuffix(".service").split("-")
    by_name = next((programs for word, programs in _BY_WORD.items() if word in words), None)
    name = words[0]
    return by_name or (_Program(name[:15], f"/usr/sbin/{name}", "root", 1.0),)


class SimulatedProcesses:
    """Makes up processes for the newest moment.

    Args:
        moment: Returns the newest moment; `None` before the first frame.
        workload: Returns the workload whose processes are wanted; returns `None` for those of all.
    """

    def __init__(self, moment: Callable[[], Moment | None], workload: Callable[[], Workload | None]) -> None:
        self._moment = moment
        self._workload = workload
        self._newest: ProcessPass | None = None
        self._cpus = 1
        self._texts: dict[ProcessId, ProcessText] = {}
        self._readings: dict[ProcessId, Reading] = {}

    def read(
        self,
        is_due: bool,
        wanted: Callable[[ProcessPass], Iterable[Process]],
        subject: Callable[[ProcessPass], tuple[Process | None, bool]],
    ) -> ProcessView:
        """Return what a page shows; arguments as of `ProcessReader.read`."""
        if is_due or self._newest is None:
            self._newest = self._pass()
        newest = self._newest
        process, is_vm = subject(newest)
        texts = {each.id: self._texts[each.id] for each in wanted(newest)}
        return ProcessView(newest, texts, None if process is None else self._details(process, is_vm))

    def _pass(self) -> ProcessPass:
        moment, workload = self._moment(), self._workload()
        self._texts, self._readings = {}, {}
        self._cpus = moment.frame.cpus if moment is not None else 1
        processes: list[Process] = []
        for identity, reading in moment.readings.items() if moment is not None else ():
            is_wanted = workload is None or identity == workload.id
            if is_wanted and reading.workload.state.is_active:
                processes += self._processes(reading)
        return ProcessPass(time.monotonic_ns(), 0, tuple(processes))

    def _processes(self, reading: Reading) -> Iterator[Process]:
        workload = reading.workload
        base = crc32(workload.id.id.encode()) % _PIDS + 300
        cpu, memory = reading.value("cpu_percent"), reading.value("memory_host_bytes") or 0.0
        spent_s = (reading.gauge("cpu_total_ns") or 0.0) / 1e9
        programs = programs_of(workload)
        is_vm = workload.kind is Kind.VM
        tasks = int((reading.gauge("vcpus") or 0) + 1 if is_vm else reading.gauge("pids") or len(programs))
        start = int((workload.started_at or 0.0) % 1e6) * _TICKS_PER_SECOND
        for number, program in enumerate(programs):
            identity = ProcessId(base + number, start + number)
            inner = number + 1 if workload.kind is Kind.CONTAINER else None
            self._texts[identity] = ProcessText(program.command, program.user, inner)
            self._readings[identity] = reading
            yield Process(
                id=identity,
                parent_pid=base if number else 1,
                name=program.name,
                state="R" if (cpu or 0.0) * program.share > 20 else "S",
                cpu_percent=None if cpu is None else cpu * program.share,
                cpu_seconds=spent_s * program.share,
                memory_bytes=int(memory * program.share),
                threads=max(1, tasks // len(programs)),
                cgroups=(workload.cgroup or "",),
            )

    def _details(self, process: Process, is_vm: bool) -> ProcessDetails:
        text, reading = self._texts[process.id], self._readings[process.id]
        facts = (
            Fact("command", text.command),
            Fact("user", text.user),
            Fact("cgroup", process.cgroups[0]),
            Fact("started", reading.workload.started_at),
            Fact("pid inside", None if text.inner_pid is None else str(text.inner_pid)),
            Fact("limit: open files", "1048576"),
        )
        return ProcessDetails(process.id, facts, tuple(self._threads(process, reading, is_vm)))

    def _threads(self, process: Process, reading: Reading, is_vm: bool) -> Iterator[Thread]:
        cpu, wait = process.cpu_percent, reading.value("cpu_steal_percent") if is_vm else 0.0
        vcpus = int(reading.gauge("vcpus") or 0) if is_vm else 0
        main_share = 0.1 if vcpus else 1.0
        yield Thread(
            process.pid, process.name, "emulator" if is_vm else "", "S", None if cpu is None else cpu * main_share, 0.0,
            process.pid % self._cpus,
        )  # fmt: skip
        for number in range(vcpus):
            share = None if cpu is None else cpu * (1 - main_share) / vcpus
            steal = None if wait is None else wait / vcpus
            yield Thread(
                process.pid + 1 + number, f"CPU {number}/KVM", f"vCPU {number}", "R" if (share or 0) > 50 else "S",
                share, steal, (process.pid + number) % self._cpus,
            )  # fmt: skip
        for number in range(1, 1 if vcpus else min(process.threads, 8)):
            yield Thread(process.pid + number, process.name, "", "S", 0.0, 0.0, (process.pid + number) % self._cpus)
