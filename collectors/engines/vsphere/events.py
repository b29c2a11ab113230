"""Changes of machines as the server reports them: one call that waits, on a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from collectors.engines.vsphere.client import Session
from collectors.engines.vsphere.faults import fault_name
from collectors.engines.vsphere.inventory import MOST_OBJECTS, Found, machine_filter
from collectors.engines.vsphere.workloads import SUSPENDED, machine_id
from collectors.model.workloads import Event
from collectors.safety.sanitize import sanitize_name

log = logging.getLogger(__name__)

_WATCHED = (
    "name",
    "runtime.powerState",
    "summary.config.instanceUuid",
    "summary.config.uuid",
    "summary.config.template",
)
_WAIT_S = 10
"""Seconds that one call waits at the server: less than the connection's time-out."""
_PAUSE_S = 2.0
"""Seconds between calls: many changes at once become one answer."""
_EVENTS_AT_MOST = 1000
_CLOSE_S = 0.5
_WHAT = {
    ("poweredOff", "poweredOn"): ("start", ""),
    ("suspended", "poweredOn"): ("resume", ""),
    ("poweredOn", "poweredOff"): ("stop", ""),
    ("suspended", "poweredOff"): ("stop", ""),
    ("poweredOn", "suspended"): ("pause", SUSPENDED),
    ("poweredOff", "suspended"): ("pause", SUSPENDED),
}
"""By the power state before and after."""


class MachineEvents:
    """Collects the events of one server until they are read.

    Args:
        session: An open session; the source's own calls go on beside the one that waits.
        view: The session's view of all machines.
        wake: Called when there is an event.
    """

    def __init__(self, session: Session, view: Any, wake: Callable[[], None]) -> None:
        self._session = session
        self._view = view
        self._wake = wake
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=_EVENTS_AT_MOST)
        self._known: dict[str, dict[str, Any]] = {}
        """The watched properties of each machine, by the server's own id."""
        self._collector: Any = None
        self._thread = threading.Thread(target=self._run, name="vsphere-events", daemon=True)

    def start(self) -> None:
        """Start the thread. Without events, as for a user who may not wait for them, the source polls."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the call under way is cancelled. Does not wait for a server that hangs."""
        self._stopping.set()
        canceller = threading.Thread(target=self._cancel, name="vsphere-cancel", daemon=True)
        canceller.start()
        self._thread.join(_CLOSE_S)

    @property
    def is_running(self) -> bool:
        """Whether events are still reported."""
        return self._thread.is_alive()

    def take(self) -> tuple[Event, ...]:
        """Return the events since the last call."""
        with self._lock:
            events = tuple(self._events)
            self._events.clear()
        return events

    def _cancel(self) -> None:
        try:
            if self._collector is not None:
                self._collector.CancelWaitForUpdates()
        except Exception as error:  # of the library, for a server that is gone: the waiting call fails as well
            log.info("cancelling a call of vSphere: %s", type(error).__name__)

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # of the library: the source's next reading meets the same, and reports it
            if not self._stopping.is_set() and fault_name(error) != "RequestCanceled":
                log.warning("vSphere at %s: no events any more: %s", self._session.address.shown, error)

    def _watch(self) -> None:
        from pyVmomi import vmodl

        self._collector = self._session.content.propertyCollector.CreatePropertyCollector()
        self._collector.CreateFilter(machine_filter(self._view, _WATCHED), False)
        options = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=_WAIT_S)
        version, is_first = "", True
        while not self._stopping.is_set():
            update = self._collector.WaitForUpdatesEx(version, options)
            if update is None:
                continue
            changes = [change for part in update.filterSet for change in part.objectSet]
            if any([self.note(change.kind, change.obj, change.changeSet, is_first) for change in changes]):
                self._wake()
            version = update.version
            is_first = is_first and bool(update.truncated)
            self._stopping.wait(_PAUSE_S)

    def note(self, kind: str, reference: Any, changes: Any, is_first: bool) -> bool:
        """Record a change of one machine; return whether it is an event.

        Args:
            kind: `enter`, `modify` or `leave`.
            reference: The machine.
            changes: Its watched properties that changed, with `name` and `val`.
            is_first: Whether this is how it was before the first call, not a change.
        """
        key = str(reference._moId)
        if len(self._known) > MOST_OBJECTS:
            return False
        before = self._known.get(key)
        now = {**(before or {}), **{change.name: change.val for change in changes or ()}}
        if kind == "leave":
            self._known.pop(key, None)
            named = ("remove", "") if before is not None else None
        else:
            self._known[key] = now
            named = ("create", "") if before is None else _named(before, now)
        if is_first or named is None or now.get("summary.config.template") is True:
            return False
        identity = machine_id(Found(reference, now), self._session.address.shown)
        name = now.get("name")
        event = Event(time.time(), identity, *named, sanitize_name(str(name) if isinstance(name, str) else ""))
        with self._lock:
            self._events.append(event)
        return True


def _named(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, str] | None:
    """Return the event between two states of a machine, and its detail; `None` for a change that is none."""
    powers = (str(before.get("runtime.powerState")), str(now.get("runtime.powerState")))
    if powers in _WHAT:
        return _WHAT[powers]
    if before.get("name") != now.get("name"):
        return "rename", ""
    return None
