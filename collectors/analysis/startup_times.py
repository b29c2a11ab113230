"""How long workloads took to start, measured from frames. Pure: live and replayed frames give the same times.

Only witnessed starts count. A start begins when vmtop requested it, when a container was created just before, or when a
domain's QEMU process began; it is running at the engine's start event; it is ready at the first of these signals that
the workload has: its health check passes, its guest agent connects, it sends its first packet.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from collectors.analysis.rates import Moment, Reading
from collectors.model.workloads import Event, Frame, Kind, WorkloadId

REQUESTED_WITHIN_S = 60.0
"""A start at most this many seconds after vmtop requested one belongs to that request."""
CREATED_WITHIN_S = 10.0
"""`docker run` starts what it created at once; a later start says nothing about the creation."""
_MOST_CREATED = 10_000
"""Containers whose creation is remembered until they appear, or for `CREATED_WITHIN_S`."""
_BY_PROCESS = "start of its VMM process"
_SENT = ("net_tx_packets_total", "net_tx_total_bytes")
_ENDS = frozenset({"stop", "die", "remove"})


class Startup(msgspec.Struct, frozen=True):
    """One witnessed start."""

    began: float
    """Wall time, seconds since 1970."""
    how: str
    """How the beginning is known, such as `create event`."""
    running_s: float | None = None
    """From the beginning to the engine's start event; `None` when that event is all that was seen."""
    ready_s: float | None = None
    """From the beginning to ready; `None` when it is not (yet), or gives no signal."""
    signal: str = ""
    """The signal that it is ready; empty when it is not known to be."""
    resolution_s: float | None = None
    """How exact `ready_s` is: the time between two samples for a packet, 0 for an event."""


class StartupWatch:
    """Follows the starts of all workloads. Bounded by the workloads of the newest frame."""

    def __init__(self) -> None:
        self._startups: dict[WorkloadId, Startup] = {}
        self._waiting: set[WorkloadId] = set()
        self._requested: dict[WorkloadId, tuple[float, str]] = {}
        self._created: dict[WorkloadId, float] = {}
        self._last_at_ns = 0

    def feed(self, moment: Moment) -> None:
        """Take in the next moment."""
        frame = moment.frame
        for event in frame.events:
            self._take(event, moment.readings.get(event.workload))
        for identity in tuple(self._waiting):
            reading = moment.readings.get(identity)
            if reading is not None:
                self._look_for_process(identity, reading)
                self._look_for_packets(identity, reading, frame)
        self._last_at_ns = frame.at_ns
        for by_identity in (self._startups, self._requested, self._created):
            for identity in [identity for identity in by_identity if identity not in moment.readings]:
                if by_identity is not self._created or abs(frame.wall - self._created[identity]) > CREATED_WITHIN_S:
                    del by_identity[identity]
        self._waiting.intersection_update(self._startups)

    def of(self, identity: WorkloadId) -> Startup | None:
        """Return the newest witnessed start of a workload."""
        return self._startups.get(identity)

    def all(self) -> Mapping[WorkloadId, Startup]:
        """Return the newest witnessed start of every workload that had one."""
        return MappingProxyType(self._startups)

    def _take(self, event: Event, reading: Reading | None) -> None:
        identity = event.workload
        if event.what == "asked" and event.detail in ("start", "restart"):
            self._requested[identity] = (event.wall, "asked by vmtop")
        elif event.what == "create" and len(self._created) < _MOST_CREATED:
            self._created[identity] = event.wall
        elif event.what == "start":
            self._begin(event, reading)
        elif event.what in _ENDS:
            self._waiting.discard(identity)
            if identity in self._requested:  # a restart: the time that it took to stop is not part of its start
                self._requested[identity] = (event.wall, "end of its last run, restarted by vmtop")
        elif identity in self._waiting and (signal := _signal_of(event)):
            self._ready(identity, event.wall, signal, 0.0)

    def _begin(self, event: Event, reading: Reading | None) -> None:
        identity = event.workload
        began, how = self._beginning(event, reading)
        running = event.wall - began if how != "start event" else None
        if running is not None and running < 0:
            began, how, running = event.wall, "start event", None  # the clock was set in the meantime
        self._startups[identity] = Startup(began, how, running)
        self._waiting.add(identity)
        self._requested.pop(identity, None)
        self._created.pop(identity, None)

    def _beginning(self, event: Event, reading: Reading | None) -> tuple[float, str]:
        request = self._requested.get(event.workload)
        if request is not None and event.wall - request[0] <= REQUESTED_WITHIN_S:
            return request
        created = self._created.get(event.workload)
        if created is not None and event.wall - created <= CREATED_WITHIN_S:
            return created, "create event"
        started = reading.workload.started_at if reading is not None and reading.workload.kind is Kind.VM else None
        if started is not None and 0 <= event.wall - started <= REQUESTED_WITHIN_S:
            return started, _BY_PROCESS
        return event.wall, "start event"

    def _look_for_process(self, identity: WorkloadId, reading: Reading) -> None:
        """Count a domain's start from its process when the process is found only after the event."""
        startup, started = self._startups[identity], reading.workload.started_at
        if startup.how != "start event" or reading.workload.kind is not Kind.VM or started is None:
            return
        if 0 <= startup.began - started <= REQUESTED_WITHIN_S:
            self._startups[identity] = Startup(started, _BY_PROCESS, startup.began - started)

    def _look_for_packets(self, identity: WorkloadId, reading: Reading, frame: Frame) -> None:
        """Treat the first sent packet as ready, unless a better signal is to come."""
        startup = self._startups[identity]
        if reading.workload.health is not None:
            if reading.workload.health == "healthy":
                self._ready(identity, frame.wall, "health check", self._step_s(frame))
            return
        for pair in reading.pairs:
            wall = frame.wall - (frame.at_ns - pair.current.at_ns) / 1e9
            has_sent = any((getattr(pair.current, name) or 0) > 0 for name in _SENT)
            if has_sent and wall >= startup.began + (startup.running_s or 0.0):
                self._ready(identity, wall, "first network packet", self._step_s(frame))
                return

    def _step_s(self, frame: Frame) -> float | None:
        return (frame.at_ns - self._last_at_ns) / 1e9 if self._last_at_ns else None

    def _ready(self, identity: WorkloadId, wall: float, signal: str, resolution_s: float | None) -> None:
        startup = self._startups[identity]
        if wall >= startup.began:
            self._startups[identity] = msgspec.structs.replace(
                startup, ready_s=wall - startup.began, signal=signal, resolution_s=resolution_s
            )
        self._waiting.discard(identity)


def _signal_of(event: Event) -> str:
    if event.what == "health" and event.detail == "healthy":
        return "health check"
    return "guest agent" if event.what == "agent" and event.detail == "connected" else ""
