"""Paces the sources on a monotonic clock, joins their readings and yields frames.

The sampler has its own thread: a stalled terminal or a busy event loop does not delay a sample. Consumers either
get every frame on that thread (`on_frame`) or wait for the newest from an event loop (`frames`).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from collectors.model.workloads import (
    Availability,
    Event,
    Frame,
    HostFacts,
    Kind,
    Sample,
    SourceState,
    State,
    Workload,
    WorkloadId,
)
from collectors.sampling.interval import AdaptiveInterval
from collectors.sampling.merge import Joins, join, mark_unlisted
from collectors.sampling.source import Layered, Source, SourceSpec
from collectors.sampling.timeout import ANSWER_S
from collectors.sampling.turns import Turns
from collectors.sampling.worker import Worker

log = logging.getLogger(__name__)

FIRST_INTERVAL_S = 0.15
"""Seconds to the second frame, which comes early so that the first rates do."""
_WARM_UP = 3
"""Readings that open what later ones only read: they do not show which interval can be kept."""
_WAIT_SHARE = 0.8
"""Share of the interval that a frame waits for the kernel's sources, at most."""
_NOWHERE = Workload(id=WorkloadId("host", "unknown"), kind=Kind.HOST, name="host", state=State.RUNNING)


class Sampler:
    """Runs sources and makes a frame each interval.

    Args:
        specs: The sources.
        load: Imports the class of a source by its name.
        interval_s: Seconds between frames.
        is_steady: Keep to the interval even when reading takes much of it.
        first_answer_s: Seconds for which a source that has never answered is waited for; after them it is down.
    """

    def __init__(
        self,
        specs: Sequence[SourceSpec],
        load: Callable[[str], Callable[..., Source]],
        interval_s: float = 1.0,
        is_steady: bool = True,
        first_answer_s: float = ANSWER_S,
    ) -> None:
        self.interval = AdaptiveInterval(interval_s, is_steady)
        self.run = os.urandom(8).hex()
        turns = Turns()
        self.workers = [Worker(spec.label or spec.name, _maker(spec, load), first_answer_s, turns) for spec in specs]
        self._joins = Joins()
        self._listeners: list[Callable[[Frame], None]] = []
        self.failure: Exception | None = None
        """What ended the sampler's thread, if something did; `frames` raises it."""
        self._stop = threading.Event()
        self._changed = threading.Event()
        """Set when the current wait should end: the interval changed, or the sampler stops."""
        self._failure_listeners: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None
        self._announced: deque[Event] = deque(maxlen=1000)

    def on_frame(self, listener: Callable[[Frame], None]) -> None:
        """Call a listener with every frame, on the sampler's thread. It must be quick and must not raise."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Start the kernel's sources and the clock; the others start with the first frame.

        Loading their libraries takes longer than showing the kernel's numbers.
        """
        for worker in self.workers:
            if worker.source.holds_tick:
                worker.start()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    def open_sources(self) -> None:
        """Start the sources without the clock, for those who `take` frames."""
        for worker in self.workers:
            worker.start()

    def take(self, patience_s: float) -> Frame:
        """Read all of every source that is due, and return the frame. Not while the clock runs.

        Sources that answer are waited for, those that hang are not.

        Args:
            patience_s: Seconds to wait at most; the last reading of a source that is later counts.
        """
        now = time.monotonic()
        for worker in self.workers:
            if isinstance(worker.source, Layered):
                worker.source.read_all_next()
            worker.ask(now)
        for worker in self.workers:
            if worker.state(now).availability in (Availability.OK, Availability.WAITING):
                worker.wait(now + patience_s)
        return self._frame()

    def stop(self, timeout_s: float = 0.5) -> None:
        """Stop the clock and the sources; one that hangs is left to die with the process."""
        self._stop.set()
        self._changed.set()
        for worker in self.workers:
            worker.stop()
        deadline = time.monotonic() + timeout_s
        for worker in self.workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def set_interval(self, interval_s: float) -> None:
        """Change the interval at once: the next frame does not wait for the end of the old one."""
        self.interval.choose(interval_s)
        self._changed.set()

    @property
    def interval_s(self) -> float:
        """Seconds between frames, as it is now."""
        return self.interval.interval_s

    def announce(self, event: Event) -> None:
        """Put an event that no source reports, such as an action, into the next frame. Callable from any thread."""
        self._announced.append(event)

    def on_failure(self, listener: Callable[[], None]) -> None:
        """Call a listener when the sampler's thread ended by an error, which is in `failure`."""
        self._failure_listeners.append(listener)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield the newest frame whenever there is one; frames that a slow consumer missed are skipped."""
        import asyncio  # late: commands without a screen have no event loop

        loop = asyncio.get_running_loop()
        newest: list[Frame] = []
        arrived = asyncio.Event()

        def ring() -> None:
            try:
                loop.call_soon_threadsafe(arrived.set)
            except RuntimeError:  # the loop is closed: its application has ended
                self._stop.set()

        def deliver(frame: Frame) -> None:
            newest[:] = [frame]
            ring()

        self.on_frame(deliver)
        self.on_failure(ring)
        if self._thread is None:
            self.start()
        try:
            while True:
                await arrived.wait()
                arrived.clear()
                if self.failure is not None:
                    raise self.failure
                yield newest[0]
        finally:
            self._listeners.remove(deliver)
            self._failure_listeners.remove(ring)

    def _run(self) -> None:
        try:
            self._pace()
        except Exception as error:
            # Without this guard the screen would still say LIVE although no frames come any more.
            log.exception("the sampler ended")
            self.failure = error
            for listener in tuple(self._failure_listeners):
                listener()

    def _pace(self) -> None:
        due = time.monotonic()
        count = 0
        while not self._stop.is_set():
            frame = self.tick(due)
            spent_ns = sum(worker.take_spent_ns() for worker in self.workers)
            if count > _WARM_UP:
                self.interval.note(spent_ns / 1e9)
            for listener in tuple(self._listeners):
                listener(frame)
            count += 1
            if count == 1:
                self._start_engines()
                due = (
                    time.monotonic()
                )  # opening may have taken long on a host with many groups; the first rates are not delayed by it
            due += FIRST_INTERVAL_S if count == 1 and self.interval_s > FIRST_INTERVAL_S else self.interval_s
            now = time.monotonic()
            if now > due:
                missed = int((now - due) / self.interval_s) + 1
                due += missed * self.interval_s
            if self._changed.wait(max(0.0, due - time.monotonic())):
                self._changed.clear()
                due = time.monotonic()

    def _start_engines(self) -> None:
        for worker in self.workers:
            if not worker.source.holds_tick:
                worker.start()

    def tick(self, due: float) -> Frame:
        """Ask every source that is due, wait briefly for the kernel's, and join the readings there are."""
        for worker in self.workers:
            if worker.other_host is not None:
                worker.other_host.pace(self.interval_s)
            worker.ask(time.monotonic())
        deadline = due + self.interval_s * _WAIT_SHARE
        for worker in self.workers:
            if worker.source.holds_tick:
                worker.wait(deadline)
        return self._frame()

    def _frame(self) -> Frame:
        now = time.monotonic()
        states = {worker: worker.state(now) for worker in self.workers}
        answered = [(worker, reading) for worker in self.workers if (reading := worker.reading) is not None]
        readings = [(worker.source.is_authority, reading) for worker, reading in answered]
        workloads, samples, contested = join(readings, self._joins.next())
        for (worker, _), count in zip(answered, contested, strict=True):
            if count:
                states[worker] = _with_contested(states[worker], count)
        mark_unlisted(workloads, self._answering(tuple(states.values())), time.time())
        host = next((reading for _, reading in readings if reading.host is not None), None)
        facts: dict[str, str] = {}
        hosts: dict[str, HostFacts] = {
            worker.name: worker.other_host.host for worker in self.workers if worker.other_host is not None
        }
        for _, reading in readings:
            facts.update(reading.facts)
            hosts.update(reading.hosts)
        their_states = [state for _, reading in readings for state in reading.sources]
        events = [self._announced.popleft() for _ in range(len(self._announced))]
        for worker in self.workers:
            events.extend(worker.take_events())
        return Frame(
            at_ns=time.monotonic_ns(),
            wall=time.time(),
            boot_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
            host=host.host if host is not None and host.host is not None else _NOWHERE,
            workloads=workloads,
            samples=_without_strays(samples, workloads, host.host.id if host and host.host else None),
            sources=(*states.values(), *their_states),
            events=tuple(events),
            cpus=host.cpus if host else 1,
            memory_bytes=host.memory_bytes if host else 0,
            facts=facts,
            run=self.run,
            interval_s=self.interval_s,
            hosts=hosts,
        )

    def _answering(self, states: Sequence[SourceState]) -> frozenset[str]:
        """Return the engines whose sources, of which there may be several of one kind, all answer."""
        pairs = list(zip(self.workers, states, strict=True))
        silent = {worker.source.name for worker, state in pairs if state.availability is not Availability.OK}
        readings = [worker.reading for worker, _ in pairs if worker.source.name not in silent]
        return frozenset[str]().union(*(reading.engines for reading in readings if reading is not None))


def _with_contested(state: SourceState, count: int) -> SourceState:
    """Return a source's state with how many of its workloads are shown as another source describes them."""
    sentence = f"{count} of its ids are those of another engine or user, which vmtop believes"
    return msgspec.structs.replace(state, reason=f"{state.reason}; {sentence}" if state.reason else sentence)


def _without_strays(
    samples: dict[WorkloadId, tuple[Sample, ...]], workloads: dict[WorkloadId, Workload], host: WorkloadId | None
) -> dict[WorkloadId, tuple[Sample, ...]]:
    """Drop samples of workloads that no source describes."""
    if all(identity in workloads or identity == host for identity in samples):
        return samples
    return {identity: kept for identity, kept in samples.items() if identity in workloads or identity == host}


def _maker(spec: SourceSpec, load: Callable[[str], Callable[..., Source]]) -> Callable[[], Source]:
    def make() -> Source:
        return load(spec.name)(**spec.options)

    return make
