"""One source's thread: opens it, reads it when due, closes it, and reports its state.

A source that hangs blocks only its own daemon thread. It is never asked again while a call is under way; the worker
reports "has not responded" with the seconds passed, and the last reading stays, with its age. A first answer that is
late is waited for: on an overloaded host every first answer is late.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable

from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceError
from collectors.model.workloads import Availability, Event, SourceState
from collectors.sampling.source import OtherHost, Source, SourceReading, other_host
from collectors.sampling.storage import Storage
from collectors.sampling.timeout import ANSWER_S
from collectors.sampling.turns import Turns

log = logging.getLogger(__name__)

HUNG_AFTER_S = 3.0
"""Seconds without an answer after which the last reading is stale."""
_BACK_OFF_S = (1.0, 2.0, 5.0, 10.0)
_NEAR_S = 0.5
"""Seconds between attempts to read a source that is near."""
_NEAR_ABSENT_S = 1.5
"""The same where it has not been for long: a host has few of the engines that are looked for."""
_FORGOTTEN_AFTER_S = 60.0
"""A daemon that restarts removes its socket briefly; after this many seconds its workloads count as gone."""
_OPENING_LONGER = 10
"""A first call may hang this many times longer before it is abandoned: a second one would hang as well."""
_ABANDONED_AT_MOST = 2
"""Threads left behind in hung calls; past that the worker waits instead."""


class Worker:
    """Runs a source on its own thread.

    Args:
        name: Its name in the header.
        make: Creates the source.
        first_answer_s: Seconds for which a source that has never answered is waited for; after them it is down.
        turns: In which the sources of this host read files; its own by default.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Source],
        first_answer_s: float = ANSWER_S,
        turns: Turns | None = None,
    ) -> None:
        self.name = name
        self._make = make
        self._turns = turns or Turns()
        self._first_answer_s = first_answer_s
        self.source = make()
        self.other_host = other_host(self.source)
        """The source, if it reads another host."""
        self.reading: SourceReading | None = None
        self._lock = threading.Lock()
        self._requested = threading.Event()
        self._done = threading.Event()
        self._is_stopping = False
        self._generation = 0
        self._abandoned: list[threading.Thread] = []
        self._replacements = 0
        """Since the last answer. Each doubles the limit: otherwise an answer that takes longer would never be heard."""
        self._thread: threading.Thread | None = None
        self._call_since: float | None = None
        self._unanswered_since: float | None = None
        """Start of the first call without an answer since the last answer; a refusal is an answer."""
        self._is_opening = False
        self._events: list[Event] = []
        self._read_at_ns: int | None = None
        self._cost_ns: int | None = None
        self._spent_ns = 0
        self._daemon = _DaemonCores()
        self._storage = Storage()
        self._storage_percent: float | None = None
        self._error: SourceError | None = None
        self._due = 0.0
        self._is_woken = False

    def start(self) -> None:
        """Start the thread; the first reading is requested at once."""
        self._requested.set()
        self._launch()

    def _launch(self) -> None:
        thread = threading.Thread(
            target=self._run, args=(self.source, self._generation), name=f"source-{self.name}", daemon=True
        )
        thread.start()
        self._thread = thread  # only now: one that has not started yet, as on a busy host, cannot be joined

    def wake(self) -> None:
        """Ask for a reading before the next one is due."""
        self._is_woken = True

    def ask(self, now: float) -> None:
        """Ask for a reading if one is due and no call is under way. Replaces a source that hangs too long."""
        with self._lock:
            is_busy = self._call_since is not None
            if not is_busy and (now >= self._due or self._is_woken):
                self._is_woken = False
                self._due = now + self.source.interval_s
                self._done.clear()
                self._requested.set()
        if is_busy:
            self._replace_if_hung(now)

    def wait(self, deadline: float) -> None:
        """Wait for the requested reading, until a monotonic instant at most."""
        with self._lock:
            is_under_way = self._requested.is_set() or self._call_since is not None
        if is_under_way:
            self._done.wait(max(0.0, deadline - time.monotonic()))

    def take_spent_ns(self) -> int:
        """Return the CPU time of the readings since the last call."""
        with self._lock:
            spent, self._spent_ns = self._spent_ns, 0
        return spent

    def take_events(self) -> list[Event]:
        """Return the events since the last call."""
        with self._lock:
            events, self._events = self._events, []
        return events

    def stop(self) -> None:
        """Ask the thread to end. A thread stuck in a call dies with the process."""
        self._is_stopping = True
        if self.other_host is not None:
            self.other_host.stop()
        self._requested.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to close its source."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def state(self, now: float) -> SourceState:
        """Return the source's state at a monotonic instant in seconds."""
        with self._lock:
            since, error, reading = self._unanswered_since, self._error, self.reading
        if self.other_host is not None:
            return self._state_of_host(self.other_host, now, error, reading)
        silent_s = 0.0 if since is None else now - since
        if reading is None and (error is None or isinstance(error, NotInTime) or silent_s > HUNG_AFTER_S):
            return self._never_answered(silent_s)
        if silent_s > HUNG_AFTER_S:
            reason = f"{self.name} has not responded for {silent_s:.0f} s"
            return SourceState(self.name, Availability.STALE, "", reason, "", self._read_at_ns, self._cost_ns)
        if error is not None:
            availability = error.availability
            if availability in (Availability.DOWN, Availability.ABSENT) and reading is not None:
                availability = Availability.STALE
            return SourceState(self.name, availability, "", error.reason, error.remedy, self._read_at_ns, self._cost_ns)
        assert reading is not None  # noqa: S101  # it would have been silent
        return SourceState(
            self.name,
            Availability.OK,
            reading.detail,
            reading.unseen,
            reading.remedy,
            self._read_at_ns,
            self._cost_ns,
            self._daemon.cores,
            storage_percent=self._storage_percent,
        )

    def _state_of_host(
        self, host: OtherHost, now: float, error: SourceError | None, reading: SourceReading | None
    ) -> SourceState:
        """Return the state of a connection: why it failed is said until the next one has brought frames."""
        heard_at = host.heard_at
        read_at_ns = None if heard_at is None else int(heard_at * 1e9)
        if reading is None or heard_at is None:
            if error is None:
                return SourceState(self.name, Availability.WAITING, "", "no answer yet")
            return SourceState(self.name, error.availability, "", error.reason, error.remedy)
        detail, reason, remedy, availability = reading.detail, reading.unseen, reading.remedy, Availability.OK
        if error is not None:
            detail, reason, remedy, availability = "", error.reason, error.remedy, Availability.STALE
        elif now - heard_at > host.patience_s:
            reason, availability = f"{self.name} has not responded for {now - heard_at:.0f} s", Availability.STALE
        return SourceState(self.name, availability, detail, reason, remedy, read_at_ns, self._cost_ns)

    def _never_answered(self, silent_s: float) -> SourceState:
        """Return the state of a source without any answer so far."""
        reason = "no answer yet" if silent_s <= HUNG_AFTER_S else f"{self.name} has not responded for {silent_s:.0f} s"
        is_late = silent_s <= self._first_answer_s
        return SourceState(self.name, Availability.WAITING if is_late else Availability.DOWN, "", reason)

    def _replace_if_hung(self, now: float) -> None:
        limit, since = self.source.replace_after_s, self._call_since
        if limit is None or since is None:
            return
        if now - since < limit * (_OPENING_LONGER if self._is_opening else 1) * 2**self._replacements:
            return
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        if len(self._abandoned) >= _ABANDONED_AT_MOST or self._thread is None:
            return
        log.warning("%s: a call has hung for %.1f s; a new connection takes over", self.name, now - since)
        self._abandoned.append(self._thread)
        with self._lock:
            self._generation += 1
            self._replacements += 1
            self._call_since = None
            self._error = NotInTime(f"{self.name} has not responded for {now - since:.0f} s; asking again")
        self.source = self._make()
        self.other_host = other_host(self.source)
        self._requested.set()
        self._launch()

    def _is_current(self, generation: int) -> bool:
        return generation == self._generation and not self._is_stopping

    def _run(self, source: Source, generation: int) -> None:
        failures = 0
        is_open = False
        while self._is_current(generation):
            self._requested.wait()
            if not self._is_current(generation):
                break
            with self._lock:  # for `wait`, a reading is always either requested or under way
                if not self._is_current(generation):
                    break
                self._call_since = started = time.monotonic()
                self._unanswered_since = self._unanswered_since or started
                self._is_opening = not is_open
                self._requested.clear()
            try:
                if not is_open:
                    with self._turn(source.is_near and isinstance(self._error, SourceAbsent)):
                        source.open(self.wake)
                    is_open = True
                    if not self._opened(generation):
                        break
                with self._turn(source.holds_tick and source.is_near):
                    began_ns = time.thread_time_ns()
                    reading = source.read()
                    storage_percent = self._storage.percent(source)
                    spent_ns = time.thread_time_ns() - began_ns
            except SourceError as error:
                self._failed(source, generation, error, failures)
            except Exception as error:
                # The guard around a source: no exception from its library may end the thread.
                log.exception("%s: unexpected failure", self.name)
                self._failed(source, generation, SourceError(f"{type(error).__name__}: {error}"), failures)
            else:
                failures = 0
                self._succeeded(generation, reading, started, spent_ns, storage_percent)
                continue
            failures += 1
            if is_open:
                self._close(source)
                is_open = False
        self._close(source)

    def _turn(self, is_of_files: bool) -> contextlib.AbstractContextManager[None]:
        """Return a turn for what reads files, as does looking for a daemon again; for the rest what does not wait."""
        return self._turns.turn() if is_of_files else contextlib.nullcontext()

    def _opened(self, generation: int) -> bool:
        """Note that the first call has ended; return whether this thread still runs the current source."""
        with self._lock:
            if is_current := self._is_current(generation):
                self._is_opening = False
        return is_current

    def _close(self, source: Source) -> None:
        """Close a source; a failure to close must not end the thread."""
        try:
            source.close()
        except Exception:
            log.exception("%s: closing it failed", self.name)

    def _succeeded(
        self, generation: int, reading: SourceReading, started: float, spent_ns: int, storage_percent: float | None
    ) -> None:
        with self._lock:
            if generation != self._generation:
                return
            self._storage_percent = storage_percent
            self._spent_ns += spent_ns
            self._daemon.add(reading.daemon_cpu_s, started)
            self._events.extend(reading.events)
            self.reading = reading
            self._read_at_ns = time.monotonic_ns()
            self._cost_ns = int((time.monotonic() - started) * 1e9)
            self._error = None
            self._replacements = 0
            self._call_since = self._unanswered_since = None
            self._done.set()

    def _is_long_ago(self) -> bool:
        return self._read_at_ns is None or time.monotonic_ns() - self._read_at_ns > _FORGOTTEN_AFTER_S * 1e9

    def _failed(self, source: Source, generation: int, error: SourceError, failures: int) -> None:
        back_off = max(source.interval_s, _BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
        if source.is_near and not isinstance(error, AccessDenied):
            back_off = _NEAR_ABSENT_S if isinstance(error, SourceAbsent) and self._is_long_ago() else _NEAR_S
        if failures == 0:
            log.info("%s: %s", self.name, error.reason)
        with self._lock:
            if generation != self._generation:
                return
            if isinstance(error, SourceAbsent) and self._is_long_ago():
                self.reading = None
            self._error = error
            self._due = time.monotonic() + back_off
            self._is_woken = False
            self._call_since = None
            if not isinstance(error, NotInTime):
                self._replacements = 0
                self._unanswered_since = None
            self._done.set()


class _DaemonCores:
    """CPU time of a daemon by the time in which it was asked."""

    def __init__(self) -> None:
        self.cores: float | None = None
        self._first: tuple[float, float] | None = None
        """CPU seconds at the first reading, and when that began."""

    def add(self, cpu_s: float | None, began: float) -> None:
        """Take the CPU seconds of all readings so far, the last of which began at a monotonic instant."""
        is_new = self._first is None or (cpu_s is not None and cpu_s < self._first[0])
        if cpu_s is None or is_new:
            self._first, self.cores = None if cpu_s is None else (cpu_s, began), None
        elif self._first is not None and began > self._first[1]:
            self.cores = (cpu_s - self._first[0]) / (began - self._first[1])
