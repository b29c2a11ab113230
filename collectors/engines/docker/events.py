"""Listens to the engine's container events on its own thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.connection.answers import Refused, Stream, messages
from collectors.engines.docker.connection.endpoint import Endpoint, broken
from collectors.engines.docker.connection.greeting import Greeting
from collectors.model.workloads import Event, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, part, text, whole_number

if TYPE_CHECKING:
    from collectors.engines.docker.connection.bounded_client import BoundedClient
    from collectors.engines.docker.connection.socket_client import SocketClient

log = logging.getLogger(__name__)

_EVENTS_AT_MOST = 1000
_WHAT = {
    "create": "create",
    "start": "start",
    "restart": "restart",
    "stop": "stop",
    "die": "die",
    "oom": "oom",
    "pause": "pause",
    "unpause": "resume",
    "rename": "rename",
    "destroy": "remove",
    "remove": "remove",
    "health_status": "health",
}
"""Action -> event. Docker reports `destroy`, Podman `remove`. All others (`exec_*`, `top`, ...) are noise."""
_FILTER = '{"type": ["container"]}'
_HEALTH = "health_status"
_RESETS_HEALTH = frozenset({"start", "die", "destroy", "remove"})
_CHANGES_FACTS = frozenset({"start", "restart", "update", "health_status", "unpause"})
"""Actions that may change the answer to an inspection."""


def to_event(message: object, engine: str, names: Mapping[str, str] = MappingProxyType({})) -> Event | None:
    """Return the event for a message of the stream; `None` for noise.

    Args:
        message: The message.
        engine: The engine that sent it.
        names: The containers' last names by id, for a renaming without the name before.
    """
    action, identity, attributes = _parse(message)
    base, _, rest = action.partition(":")
    what = _WHAT.get(base.strip())
    if what is None or not identity:
        return None
    detail = rest.strip()
    if what == "health":
        detail = _health(message)
    elif what == "die" and attributes.get("exitCode") is not None:
        detail = f"exit code {attributes['exitCode']}"
    elif what == "rename":
        before = str(attributes.get("oldName") or names.get(identity, "")).lstrip("/")
        detail = f"from {before}" if before else ""
    wall = _time_ns(message) / 1e9
    return Event(
        wall, WorkloadId(engine, sanitize(identity)), what, sanitize(detail), sanitize(str(attributes.get("name", "")))
    )


class EventListener:
    """Keeps a stream open; collects events and the ids of containers whose facts may have changed.

    After the stream has ended, `start` resumes after the last event, so that none is lost or reported twice.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=_EVENTS_AT_MOST)
        self._changed: set[str] = set()
        self._health: dict[str, str] = {}
        """By container id: its last health status."""
        self._names: dict[str, str] = {}
        """By container id: its name in the last list."""
        self._last_ns = 0
        self._reported: deque[tuple[int, str, str]] = deque(maxlen=_EVENTS_AT_MOST)
        self._stop = threading.Event()
        self._stop.set()
        self._thread: threading.Thread | None = None
        self._stream: Stream | None = None
        self.is_refused = False
        """Whether the engine, or a proxy in front of it, refuses to send events."""

    @property
    def is_running(self) -> bool:
        """Whether the stream is open, or being opened."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, endpoint: Endpoint, greeting: Greeting, wake: Callable[[], None]) -> None:
        """Open the stream in the background. Calls `wake` after each event or change and at the end of the stream."""
        self._stop = stop = threading.Event()
        self._thread = threading.Thread(
            target=self._listen, args=(endpoint, greeting, wake, stop), name="docker-events", daemon=True
        )
        self._thread.start()

    def fetch(self, client: BoundedClient | SocketClient, engine: str, since_ns: int) -> None:
        """Take the events since a time with one request, without a stream that stays open; those known already once.

        Args:
            client: The engine's client.
            engine: What it is.
            since_ns: Nanoseconds since 1970.

        Raises:
            Exception: One of `endpoint.failures`.
        """
        parameters = {"filters": _FILTER, "since": _seconds(since_ns), "stream": "false"}
        for message in messages(client.open_stream("/events", parameters, client.timeout)):
            self._take_in(message, engine)

    def take(self) -> tuple[tuple[Event, ...], set[str]]:
        """Return the events and the changed ids since the last call."""
        with self._lock:
            events, changed = tuple(self._events), self._changed
            self._events.clear()
            self._changed = set()
        return events, changed

    def note_listed(self, workloads: Sequence[Workload]) -> None:
        """Take names and health of all listed containers, which tell what an event changes.

        What an event told of the health is newer than a list. Podman's events leave out the name before a renaming.
        """
        with self._lock:
            self._names = {workload.id.id: workload.name for workload in workloads if workload.name_is_known}
            known = ((workload.id.id, self._health.get(workload.id.id) or workload.health) for workload in workloads)
            self._health = {identity: status for identity, status in known if status}

    def stop(self) -> None:
        """End the stream without waiting for its thread."""
        self._stop.set()
        stream, self._stream = self._stream, None
        if stream is not None:
            with suppress(*broken()):  # its socket may be gone already
                stream.close()

    def _listen(self, endpoint: Endpoint, greeting: Greeting, wake: Callable[[], None], stop: threading.Event) -> None:
        try:
            client = endpoint.reader(greeting)
            parameters = {"filters": _FILTER}
            if self._last_ns:
                parameters["since"] = _seconds(self._last_ns)
            self._stream = stream = client.open_stream("/events", parameters, None)
            if stop.is_set():
                stream.close()  # it was stopped while a frozen engine kept it waiting
            for message in messages(stream):
                if stop.is_set():
                    return
                if self._take_in(message, greeting.engine):
                    wake()
        except Refused as error:
            self.is_refused = True
            log.info("docker: no events: %s", error)
            return
        except broken() as error:
            log.debug("docker: the event stream broke: %s", error)
        if not stop.is_set():
            wake()

    def _take_in(self, message: object, engine: str) -> bool:
        """Take a message; return whether it tells anything new."""
        action, identity, _ = _parse(message)
        at_ns = _time_ns(message)
        key = (at_ns, action, identity)
        if at_ns and key in self._reported:
            return False  # a resumed stream repeats it; times alone would not show it, as clocks are set back
        self._reported.append(key)
        self._last_ns = at_ns or self._last_ns
        event = to_event(message, engine, self._names)
        base = action.partition(":")[0]
        with self._lock:
            if base == _HEALTH and not self._changes_health(identity, _health(message)):
                return False
            if base in _RESETS_HEALTH:
                self._health.pop(identity, None)
            if event is not None:
                self._events.append(event)
            if base in _CHANGES_FACTS:
                self._changed.add(identity)
        return event is not None or base in _CHANGES_FACTS

    def _changes_health(self, identity: str, status: str) -> bool:
        """Return whether a status is another one than the last: Podman sends it after every check."""
        before = self._health.get(identity)
        self._health[identity] = status
        return status != before


def _parse(message: object) -> tuple[str, str, Mapping[str, Any]]:
    """Return action, container id and attributes; empty if missing."""
    return (
        str(at(message, "Action") or ""),
        str(at(message, "Actor", "ID") or ""),
        part(message, "Actor", "Attributes"),
    )


def _health(message: object) -> str:
    """Return the status of a health event: Docker has it in the action, Podman in a field of its own."""
    action, _, attributes = _parse(message)
    return action.partition(":")[2].strip() or text(at(message, "HealthStatus")) or text(attributes.get(_HEALTH))


def _time_ns(message: object) -> int:
    return whole_number(at(message, "timeNano")) or 0


def _seconds(at_ns: int) -> str:
    return f"{at_ns // 10**9}.{at_ns % 10**9:09d}"
