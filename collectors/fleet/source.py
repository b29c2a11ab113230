"""Another host as a source: the frames of the vmtop there, under the host's name."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable

from msgspec.structs import replace

from collectors.fleet.clock import RemoteClock
from collectors.fleet.connection import Connection
from collectors.fleet.hosts import HostSpec
from collectors.fleet.labelled import HostLabels
from collectors.model.errors import AccessDenied, SourceDown
from collectors.model.workloads import Event, Frame, HostFacts
from collectors.sampling.source import REMOTE, SourceReading
from collectors.session.writer import program as own_program

_LOGIN_S = 20.0
"""Seconds for the login and the first frames; the client itself gives up connecting earlier."""
_FIRST_S = 2.0
"""Seconds of them for which other logins wait."""
_GIVEN_UP_S = 30.0
"""Seconds without a frame after which the connection is made anew, and as many intervals at least."""
_GIVEN_UP_INTERVALS = 5
_LATE_S = 1.0
"""Seconds by which a frame may be late before the host counts as silent."""
_BACK_OFF_S = (0.0, 0.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between attempts that fail, with up to a third added, so that hosts that went away together do not all come
back together."""
_DENIED_S = 300.0
"""Seconds until a host is asked again that has refused the login: many lock out addresses that try too often."""
_MOST_EVENTS = 1000
_AT_ONCE = threading.BoundedSemaphore(16)
"""Logins under way: each costs some 0.1 s of CPU here, and a jump host takes ten at once by default."""


class RemoteSource:
    """Watches one host.

    Args:
        spec: The host.
    """

    name = REMOTE
    is_authority = False
    replace_after_s: float | None = None
    is_near = False

    def __init__(self, spec: HostSpec) -> None:
        self.host = HostFacts(tags=spec.tags)
        self.heard_at: float | None = None
        self.interval_s = 0.0
        """At every tick; longer after failures."""
        self.holds_tick = False
        """True while frames arrive: reading is then only handing over the newest."""
        self._spec = spec
        self._labels = HostLabels(spec.name, spec.tags)
        self._clock = RemoteClock()
        self._interval_s = 1.0
        self._failures = 0
        self._is_stopped = False
        self._connection: Connection | None = None
        self._change = threading.Condition()
        self._newest: Frame | None = None
        """The newest frame of this connection, once the clock is known."""
        self._events: deque[Event] = deque(maxlen=_MOST_EVENTS)
        self._given: tuple[Frame, SourceReading] | None = None
        """The frame that was last handed over."""

    @property
    def patience_s(self) -> float:
        """Seconds without a frame after which the host is silent."""
        newest = self._newest
        return (self._interval_s if newest is None else max(newest.interval_s, self._interval_s)) + _LATE_S

    def pace(self, interval_s: float) -> None:
        """Have it send frames at this interval, in seconds."""
        self._interval_s = interval_s
        if (connection := self._connection) is not None:
            connection.pace(interval_s)

    def open(self, wake: Callable[[], None]) -> None:
        """Start the client, and wait for the first frames.

        Raises:
            SourceError: They do not come.
        """
        back_off_s = _BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)]
        self.interval_s = back_off_s * random.uniform(1, 4 / 3)  # noqa: S311  # no secret
        self._failures += 1
        self._newest, self._given = None, None
        self._clock.reconnected()
        with _AT_ONCE:
            if self._is_stopped:
                raise SourceDown(f"{self._spec.name} is not watched any more")
            self._connection = connection = Connection(self._spec, self._interval_s, self._take, self._wake)
            self._wait_for_frame(connection, _FIRST_S)
        self._wait_for_frame(connection, _LOGIN_S - _FIRST_S)
        if self._newest is None:
            failure = connection.failure or self._late(connection)
            if isinstance(failure, AccessDenied):
                self.interval_s = _DENIED_S
            self.close()
            raise failure
        self._failures, self.interval_s, self.holds_tick = 0, 0.0, True

    def _wait_for_frame(self, connection: Connection, seconds: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._newest is not None or connection.ended.is_set(), seconds)

    def _wake(self) -> None:
        with self._change:
            self._change.notify_all()

    def _late(self, connection: Connection) -> SourceDown:
        name = self._spec.name
        why = "ssh has logged in" if connection.is_logged_in else "ssh is still logging in, or has done so"
        reason = f"{name} has sent nothing for {_LOGIN_S:.0f} s: {why}, and no vmtop answers there"
        return SourceDown(reason, f"{self._spec.target.command} {self._spec.command} list")

    def _take(self, frame: Frame, arrived_ns: int) -> None:
        """Take a frame, on the thread of the connection."""
        self._clock.observe(frame, arrived_ns, time.time())
        with self._change:
            self._events.extend(frame.events)
            if self._clock.is_known:
                self._newest, self.heard_at = frame, arrived_ns / 1e9
                self._change.notify_all()

    def read(self) -> SourceReading:
        """Return the newest frame.

        Raises:
            SourceError: The connection has ended, or nothing has arrived for too long.
        """
        connection, newest = self._connection, self._newest
        if connection is None or newest is None or self.heard_at is None:
            raise SourceDown(f"{self._spec.name} is not connected")
        if connection.failure is not None:
            raise connection.failure
        silent_s = time.monotonic() - self.heard_at
        if silent_s > max(_GIVEN_UP_S, _GIVEN_UP_INTERVALS * self.patience_s):
            raise SourceDown(f"{self._spec.name} has not responded for {silent_s:.0f} s")
        if self._given is None or self._given[0] is not newest:
            self._given = newest, self._reading(newest, connection.program)
        reading = self._given[1]
        self._given = newest, replace(reading, events=())  # each event once
        return reading

    def _reading(self, frame: Frame, program: str) -> SourceReading:
        with self._change:
            events = tuple(self._events)
            self._events.clear()
        clock = self._clock
        whole = replace(frame, events=events)
        reading = self._labels.reading(whole, clock.offset_ns or 0, clock.ahead_s, clock.era, program)
        self.host = reading.hosts[self._spec.name]
        return self._with_version(reading, program)

    def _with_version(self, reading: SourceReading, program: str) -> SourceReading:
        """Return a reading that says so if another version writes there than reads here."""
        own = own_program()
        if program == own or " " not in program or " " not in own:
            return reading
        sentence = f"it runs {program}, and this is {own}: what only one of them knows is missing"
        return replace(reading, unseen=sentence, remedy=f"vmtop host add {self._spec.name}")

    def stop(self) -> None:
        """End the connection, and a login that is under way."""
        self._is_stopped = True
        if (connection := self._connection) is not None:
            connection.end()

    def close(self) -> None:
        """Release the connection."""
        self.holds_tick = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
