"""Names libvirt's lifecycle events and keeps them until they are read."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from collectors.model.workloads import Event, WorkloadId
from collectors.safety.sanitize import sanitize_name

if TYPE_CHECKING:
    from libvirt import virConnect, virDomain

_EVENTS_AT_MOST = 1000
_DEFINED, _SUSPENDED, _RESUMED = 0, 3, 4
_WHAT = {
    0: "create",
    1: "remove",
    2: "start",
    3: "pause",
    4: "resume",
    5: "stop",
    6: "shutdown",
    7: "suspend",
    8: "die",
}
"""By virDomainEventType."""
_REFINED = {
    (0, 1): ("update", ""),
    (0, 2): ("rename", ""),
    (0, 3): ("update", "from a snapshot"),
    (1, 1): ("rename", ""),
    (2, 1): ("start", "migrated here"),
    (2, 2): ("start", "restored"),
    (2, 3): ("start", "from a snapshot"),
    (2, 4): ("resume", "woken up"),
    (3, 1): ("pause", "migrating"),
    (3, 2): ("pause", "disk error"),
    (3, 3): ("pause", "watchdog"),
    (5, 0): ("stop", "shut down"),
    (5, 1): ("stop", "destroyed"),
    (5, 2): ("die", "crashed"),
    (5, 3): ("stop", "migrated away"),
    (5, 4): ("stop", "saved"),
    (5, 5): ("die", "failed"),
    (8, 0): ("die", "the guest panicked"),
    (8, 1): ("die", "crash loaded"),
}
"""By type and detail."""
_AGENT = {1: "connected", 2: "disconnected"}
"""By virConnectDomainEventAgentLifecycleState."""


def name_event(kind: int, detail: int) -> tuple[str, str] | None:
    """Return the event and its detail; `None` for unknown kinds."""
    what = _WHAT.get(kind)
    return _REFINED.get((kind, detail), (what, "")) if what else None


class DomainEvents:
    """Collects events, and the UUIDs of domains whose definition changed. The callback runs on libvirt's loop."""

    def __init__(self, engine: str, wake: Callable[[], None]) -> None:
        self._engine = engine
        self._wake = wake
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=_EVENTS_AT_MOST)
        self._redefined: set[str] = set()
        self._paused: set[str] = set()

    def take_in(self, _connection: virConnect, domain: virDomain, kind: int, detail: int, _opaque: object) -> None:
        """Record one event. The signature is that of libvirt's callback."""
        named = name_event(kind, detail)
        if named is None:
            return
        uuid, wall = domain.UUIDString(), time.time()
        with self._lock:
            if kind == _RESUMED and uuid not in self._paused:
                return  # a part of its start: reported just before or after STARTED
            if kind == _SUSPENDED:
                self._paused.add(uuid)
            else:
                self._paused.discard(uuid)
            if kind == _DEFINED:
                self._redefined.add(uuid)
            self._events.append(Event(wall, WorkloadId(self._engine, uuid), *named, sanitize_name(domain.name())))
        self._wake()

    def take_agent(self, _connection: virConnect, domain: virDomain, state: int, _reason: int, _opaque: object) -> None:
        """Record that a guest's agent connected or disconnected. The signature is that of libvirt's callback."""
        detail = _AGENT.get(state)
        if detail is None:
            return
        identity = WorkloadId(self._engine, domain.UUIDString())
        with self._lock:
            self._events.append(Event(time.time(), identity, "agent", detail, sanitize_name(domain.name())))
        self._wake()

    def note_paused(self, uuids: set[str]) -> None:
        """Note which domains are paused, so that their resumption is reported even if their pause was missed."""
        with self._lock:
            self._paused |= uuids

    def take(self) -> tuple[tuple[Event, ...], set[str]]:
        """Return the events and the UUIDs of changed definitions since the last call."""
        with self._lock:
            events, redefined = tuple(self._events), self._redefined
            self._events.clear()
            self._redefined = set()
        return events, redefined
