"""LXD and Incus: their containers and virtual machines, stopped ones too, and their events.

Their resource usage comes from the kernel (`cgroup`), which finds containers and machines by their processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from collectors.engines.lxd.client import LxdClient
from collectors.engines.lxd.events import EventListener
from collectors.engines.lxd.instances import limits_sample, to_workload
from collectors.engines.lxd.sockets import find_sockets
from collectors.kernel.daemon_usage import DaemonUsage
from collectors.model.errors import SourceAbsent, SourceDown, SourceError
from collectors.model.wording import counted
from collectors.model.workloads import Event, Sample, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, objects, text, whole_number
from collectors.sampling.source import SourceReading

LIST_LIFE_S = 60.0
"""Seconds that a list is reused while no events arrive: for each running container the daemon starts a process to ask
for its addresses."""
_LIFE_WITHOUT_EVENTS_S = 10.0
_SHARE = 20
"""A list is not asked for again until this many times as long as it took: 5 % of one core of the daemon's host."""
_LOOKS_AFTER_CHANGE = 4
"""Readings that list the instances after a change: one that started gets its addresses some seconds later."""
_CONNECT_EVERY = 6
"""Readings after which daemons that were not there, or did not answer, are looked for again."""
_MOST_INSTANCES = 10_000


class LxdDaemon:
    """One daemon: its list of instances and its events."""

    def __init__(self, path: Path, wake: Callable[[], None]) -> None:
        self.client = LxdClient(path)
        self.engine = "lxd"
        self.version = ""
        self._wake = wake
        self._events = EventListener()
        self._instances: list[Any] = []
        self._listed_at = -LIST_LIFE_S
        self._pause_s = 0.0
        self._looks_due = 1
        self._usage = DaemonUsage()

    @property
    def cpu_s(self) -> float | None:
        """CPU seconds of the daemon during all readings; `None` where unknown."""
        return self._usage.cpu_s

    def open(self) -> None:
        """Ask the daemon who it is.

        Raises:
            SourceError: It cannot be asked.
        """
        answer = self.client.get("/1.0")
        if at(answer, "auth") != "trusted":
            raise SourceDown("the daemon does not trust this user")
        self.engine = "incus" if at(answer, "environment", "server") == "incus" else "lxd"
        self.version = sanitize(text(at(answer, "environment", "server_version")))
        if pid := whole_number(at(answer, "environment", "server_pid")):
            self._usage.find(pid)

    def read(self) -> tuple[list[Any], tuple[Event, ...]]:
        """Return the instances, listed again after a change and once a minute, and the events since the last reading.

        Raises:
            SourceError: The daemon does not answer.
        """
        is_listening = self._events.is_running
        if not is_listening and not self._events.is_refused:  # before the list, so that nothing falls between
            self._events.start(self.client, self.engine, self._wake)
        events, has_changed = self._events.take()
        if has_changed:
            self._looks_due = _LOOKS_AFTER_CHANGE
        age = time.monotonic() - self._listed_at
        is_due = self._looks_due > 0 or age >= (LIST_LIFE_S if is_listening else _LIFE_WITHOUT_EVENTS_S)
        with self._usage.answering():
            if is_due and (has_changed or age >= self._pause_s):
                self._list()
            else:
                self.client.get("/1.0")  # otherwise the reused list of a daemon that hangs would look fresh
        return self._instances, events

    def close(self) -> None:
        """End the stream of events."""
        self._events.stop()

    def _list(self) -> None:
        began = time.monotonic()
        answer = self.client.get("/1.0/instances", recursion="2", all_projects="true")
        if not isinstance(answer, list):
            raise SourceDown("the daemon's list of instances is not a list")
        self._listed_at = time.monotonic()
        self._pause_s = _SHARE * (self._listed_at - began)
        self._looks_due = max(0, self._looks_due - 1)
        self._instances = list(objects(answer))[:_MOST_INSTANCES]


class LxdSource:
    """Reads all daemons of LXD and Incus on this host; it finds them by their sockets."""

    name = "lxd"
    interval_s = 5.0
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = None
    is_near = True

    def __init__(self) -> None:
        self._daemons: dict[Path, LxdDaemon] = {}
        self._failures: dict[Path, SourceError] = {}
        """Why daemons that are there cannot be asked."""
        self._wake: Callable[[], None] = lambda: None
        self._readings = 0

    def open(self, wake: Callable[[], None]) -> None:
        """Find the daemons and ask each who it is."""
        self._wake, self._readings = wake, 0
        self._connect()
        if not self._daemons:
            raise next(iter(self._failures.values()), SourceAbsent("this host has no socket of LXD or Incus"))

    def _connect(self) -> None:
        """Look for daemons that are not open yet, and ask each who it is."""
        self._failures = {}
        for path in find_sockets():
            if path in self._daemons:
                continue
            daemon = LxdDaemon(path, self._wake)
            try:
                daemon.open()
            except SourceError as error:
                self._failures[path] = error
            else:
                self._daemons[path] = daemon

    def read(self) -> SourceReading:
        """List the instances of every daemon. Those of one that does not answer are missing until it does."""
        self._readings += 1
        if self._readings % _CONNECT_EVERY == 0:
            self._connect()
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        events: tuple[Event, ...] = ()
        nameless = 0
        for daemon, instances, new_events in self._read_daemons():
            events += new_events
            for instance in instances:
                workload = to_workload(instance, daemon.engine)
                if workload is None:
                    nameless += 1
                    continue
                workloads[workload.id] = workload
                sample = limits_sample(instance, time.monotonic_ns()) if workload.state.is_active else None
                if sample is not None:
                    samples[workload.id] = (sample,)
        return SourceReading(
            workloads,
            samples,
            events,
            detail=f"{self._versions()}, {counted(len(workloads), 'instance')}",
            engines=frozenset(daemon.engine for daemon in self._daemons.values()),
            unseen=self._unseen(nameless),
            remedy=next((error.remedy for error in self._failures.values() if error.remedy), ""),
            daemon_cpu_s=self._cpu_s(),
        )

    def _read_daemons(self) -> list[tuple[LxdDaemon, list[Any], tuple[Event, ...]]]:
        readings = []
        for path, daemon in tuple(self._daemons.items()):
            try:
                readings.append((daemon, *daemon.read()))
            except SourceError as error:
                daemon.close()
                self._failures[path] = error
                del self._daemons[path]
                if not self._daemons:
                    raise
        return readings

    def close(self) -> None:
        """End the streams of events."""
        for daemon in self._daemons.values():
            daemon.close()
        self._daemons = {}

    def _versions(self) -> str:
        names = {"lxd": "LXD", "incus": "Incus"}
        return ", ".join(f"{names[daemon.engine]} {daemon.version}".rstrip() for daemon in self._daemons.values())

    def _unseen(self, nameless: int) -> str:
        sentences = [error.reason for error in self._failures.values()]
        sentences += [f"{nameless} entries of the list have no valid name"] if nameless else []
        return "; ".join(sentences)

    def _cpu_s(self) -> float | None:
        known = [daemon.cpu_s for daemon in self._daemons.values() if daemon.cpu_s is not None]
        return sum(known) if known else None
