"""Listens to a daemon's lifecycle events on a thread of its own."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit

from collectors.engines.lxd.client import LxdClient
from collectors.engines.lxd.instances import DEFAULT_PROJECT
from collectors.engines.lxd.websocket import WebSocket
from collectors.model.errors import SourceError
from collectors.model.workloads import Event, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, part, text

log = logging.getLogger(__name__)

_EVENTS_AT_MOST = 1000
_WHAT = {
    "instance-created": "create",
    "instance-started": "start",
    "instance-restarted": "restart",
    "instance-shutdown": "stop",
    "instance-stopped": "stop",
    "instance-paused": "pause",
    "instance-resumed": "resume",
    "instance-renamed": "rename",
    "instance-deleted": "remove",
}
"""Action -> event."""
_OF_INSTANCE = "instance-"
_PATH = re.compile(r"/1\.0/(?:instances|containers|virtual-machines)/([^/]+)")


def to_event(message: object, engine: str) -> Event | None:
    """Return the event for a message of the stream; `None` for one that does not change an instance's state."""
    metadata = part(message, "metadata")
    what = _WHAT.get(text(metadata.get("action")))
    parts = urlsplit(text(metadata.get("source")))
    match = _PATH.fullmatch(parts.path)
    if what is None or match is None:
        return None
    name = unquote(match[1])
    projects = [text(metadata.get("project")), *parse_qs(parts.query).get("project", []), text(at(message, "project"))]
    project = next(filter(None, projects), DEFAULT_PROJECT)
    identity = WorkloadId(engine, sanitize(f"{project}/{name}"))
    return Event(_wall(text(at(message, "timestamp"))), identity, what, "", sanitize(name))


class EventListener:
    """Keeps the stream of one daemon open, and collects its events. `start` opens it again after it has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=_EVENTS_AT_MOST)
        self._has_changed = False
        self._stream: WebSocket | None = None
        self._thread: threading.Thread | None = None
        self._is_stopped = threading.Event()
        self.is_refused = False
        """Whether the daemon does not send events to this user."""

    @property
    def is_running(self) -> bool:
        """Whether the stream is open, or being opened."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, client: LxdClient, engine: str, wake: Callable[[], None]) -> None:
        """Open the stream in the background. Calls `wake` after each change and at the end of the stream."""
        self._is_stopped = stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._listen, args=(client, engine, wake, stopped), name="lxd-events", daemon=True
        )
        self._thread.start()

    def take(self) -> tuple[tuple[Event, ...], bool]:
        """Return the events since the last call, and whether any instance has changed."""
        with self._lock:
            events, has_changed = tuple(self._events), self._has_changed
            self._events.clear()
            self._has_changed = False
        return events, has_changed

    def stop(self) -> None:
        """End the stream without waiting for its thread."""
        self._is_stopped.set()
        if (stream := self._stream) is not None:
            stream.close()

    def _listen(self, client: LxdClient, engine: str, wake: Callable[[], None], stopped: threading.Event) -> None:
        try:
            self._stream = stream = client.websocket("/1.0/events", type="lifecycle", all_projects="true")
        except SourceError as error:
            self.is_refused = True
            log.info("%s: no events: %s", engine, error.reason)
            return
        try:
            if stopped.is_set():
                return  # it was stopped while a slow daemon kept it waiting
            while (message := stream.receive()) is not None and not stopped.is_set():
                if self._take_in(message.data, engine):
                    wake()
        except OSError as error:
            log.debug("%s: the stream of events broke: %s", engine, error)
        finally:
            stream.close()
        if not stopped.is_set():
            wake()

    def _take_in(self, data: bytes, engine: str) -> bool:
        """Take a message; return whether it is about an instance."""
        try:
            message = json.loads(data)
        except (ValueError, RecursionError):
            return False
        is_of_instance = text(at(message, "metadata", "action")).startswith(_OF_INSTANCE)
        event = to_event(message, engine)
        with self._lock:
            self._has_changed = self._has_changed or is_of_instance
            if event is not None:
                self._events.append(event)
        return is_of_instance


def _wall(stamp: str) -> float:
    """Return the seconds since 1970 of a time in RFC 3339; 0 for anything else."""
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        return 0.0
