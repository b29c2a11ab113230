"""Moments without a screen: one for `list` and `doctor`, one after the other for `stream`."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click
import msgspec

from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.engines.registry import measured_samples, quick_samples
from collectors.fleet.specs import load_source
from collectors.model.workloads import AVERAGED, Availability, Event, Frame, Sample, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.sampling.sampler import FIRST_INTERVAL_S, Sampler
from collectors.sampling.source import Layered, SourceSpec
from collectors.sampling.timeout import ANSWER_S
from tui.cli.progress import WaitingLine
from tui.settings import log_file

if TYPE_CHECKING:
    from collectors.alerts.rule import Rule

_LEAST_FRAMES = 3
"""Frames before a daemon is given up: the first frame has nothing from daemons, and no rates."""
FIRST_OVER_S = 1.0
"""Seconds over which the rates of a first moment are measured where nothing else is asked for."""
_NEARLY = 0.9
"""Share of the asked-for seconds that a measurement may last: frames come by another clock than their readings."""
_SHOW_EVERY_S = 0.5
"""Seconds between updates of the line that says what is waited for."""


class Wait:
    """How long the sources are waited for, and how long each of them took.

    Args:
        most_s: Seconds from the first frame after which the moment is taken as it is. The time for which rates are
            measured is not part of them.
        clock: Seconds that only grow.
    """

    def __init__(self, most_s: float = ANSWER_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.most_s = most_s
        self._clock = clock
        self.passed_s = 0.0
        """Seconds waited so far, or in the end."""
        self.answered_s: dict[str, float] = {}
        """By source: seconds until it had answered or failed. A source that has done neither is absent."""
        self._since: float | None = None
        self._measuring_s = 0.0

    def extend(self, measuring_s: float) -> None:
        """Allow for the seconds that rates are measured over."""
        self._measuring_s = measuring_s

    def note(self, moment: Moment) -> None:
        """Note which sources have answered by now; the first moment starts the clock."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        self.passed_s = now - self._since
        for state in moment.sources:
            if state.availability is not Availability.WAITING:
                self.answered_s.setdefault(state.title, self.passed_s)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.passed_s >= self.most_s + self._measuring_s


class _Settling:
    """Feeds frames to a deriver on the sampler's thread, and holds the moments back until the picture is whole.

    With `over_s`, that has two steps: when everything has answered, the next frame is kept, and rates are those between
    it and one that is at least `over_s` seconds younger.
    """

    def __init__(
        self, sampler: Sampler, interval_s: float, wait: Wait, is_enough: Callable[[Moment], bool], over_s: float
    ) -> None:
        self.moments: queue.SimpleQueue[Moment | None] = queue.SimpleQueue()
        """`None` is the end: the sampler failed."""
        self.unfinished: list[str] = []
        """What is still waited for."""
        self.measured_s: float | None = None
        """Seconds for which rates have been measured so far; `None` before that."""
        self._is_settled = False
        self._over_s = over_s
        self._first: Frame | None = None
        """The frame at which the measurement of rates began."""
        self._is_next_first = False
        self._sampler = sampler
        self._interval_s = interval_s
        self._wait = wait
        self._is_enough = is_enough
        self._frames = 0
        self._averaged: dict[WorkloadId, tuple[Sample, ...]] = {}
        """The earliest samples that are made of averages: the next ones come after many seconds."""
        self._deriver = Deriver()
        self._held_events: tuple[Event, ...] = ()

    def take(self, frame: Frame) -> None:
        if self._first is not None and not self._is_settled:
            self._deriver = Deriver()
            self._deriver.feed(self._first)
        moment = self._deriver.feed(frame)
        if not self._is_settled:
            self._keep_averaged(frame)
            self._held_events += frame.events
            self._frames += 1
            self._wait.note(moment)
            self.unfinished = unfinished(moment)
            if not (self._has_measured(frame, moment) if self._over_s else self._is_ready(moment)):
                return
            moment = moment._replace(frame=msgspec.structs.replace(frame, events=self._held_events))
            self._is_settled = True
            self._sampler.interval.choose(self._interval_s)
        self.moments.put(moment)

    def _read_all_next(self) -> None:
        """Have the next frame hold what is otherwise read less often: the first and the last one need it."""
        for worker in self._sampler.workers:
            if isinstance(worker.source, Layered):
                worker.source.read_all_next()

    def _keep_averaged(self, frame: Frame) -> None:
        for identity, samples in frame.samples.items():
            if identity not in self._averaged and any(sample.source in AVERAGED for sample in samples):
                self._averaged[identity] = samples

    def _is_ready(self, moment: Moment) -> bool:
        return self._is_enough(moment) or (self._frames >= _LEAST_FRAMES and self._wait.is_over)

    def _has_measured(self, frame: Frame, moment: Moment) -> bool:
        """Begin to measure when everything has answered; return whether there are rates over long enough."""
        if self._first is None:
            if self._is_next_first:
                earlier = {
                    identity: self._averaged.get(identity, samples) for identity, samples in frame.samples.items()
                }
                self._first, self.measured_s = msgspec.structs.replace(frame, samples=earlier), 0.0
                self._wait.extend(self._over_s)
                self._sampler.interval.choose(self._over_s)
                self._read_all_next()
            elif self._is_ready(moment):
                self._is_next_first = True
                self._read_all_next()
            return False
        self.measured_s = (frame.at_ns - self._first.at_ns) / 1e9
        if self.measured_s < self._over_s * _NEARLY:
            return False
        self.unfinished = without_rates(moment, measured_samples())
        if not self.unfinished or self._wait.is_over:
            return True
        if self._sampler.interval_s != FIRST_INTERVAL_S:
            self._sampler.interval.choose(FIRST_INTERVAL_S)
            for worker in self._sampler.workers:
                if not worker.source.holds_tick:
                    worker.wake()
        return False


def is_whole(moment: Moment) -> bool:
    """Return whether every source has answered or is known to be down, and the quick ones have rates."""
    return not unfinished(moment)


def has_answered(moment: Moment) -> bool:
    """Return whether every source has answered or is known to be down, whether or not there are rates."""
    return not any(state.availability is Availability.WAITING for state in moment.sources)


def unfinished(moment: Moment) -> list[str]:
    """Return the names of the sources that have not answered yet, or not twice where a list has rates of theirs."""
    late = [state.title for state in moment.sources if state.availability is Availability.WAITING]
    return [*late, *(name for name in without_rates(moment) if name not in late)]


def without_rates(moment: Moment, readers: frozenset[str] | None = None) -> list[str]:
    """Return the readers, by default the quick ones, that have samples, but not two of any workload."""
    has_rates: dict[str, bool] = {}
    quick = quick_samples() if readers is None else readers
    for reading in (moment.host, *moment.readings.values()):
        for name, has_rate in _quick_pairs(reading, quick):
            has_rates[name] = has_rates.get(name, False) or has_rate
    return [name for name, has_rate in has_rates.items() if not has_rate]


def _quick_pairs(reading: Reading, quick: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Yield the readers of a workload that supply the rates a list is for, and whether each has two samples."""
    workload = reading.workload
    place = workload.endpoint or workload.id.host
    for pair in reading.pairs:
        if workload.endpoint or pair.current.source in quick:
            yield pair.current.source + (f" on {place}" if place else ""), pair.previous is not None


def moments(
    specs: Sequence[SourceSpec],
    interval_s: float,
    wait: Wait | None = None,
    is_enough: Callable[[Moment], bool] = is_whole,
    over_s: float = 0.0,
    rules: Sequence[Rule] = (),
) -> Iterator[Moment]:
    """Yield a moment each interval, for ever; the first when it is enough, or when the wait is over.

    Args:
        specs: The sources.
        interval_s: Seconds between moments.
        wait: How long the sources are waited for.
        is_enough: Returns whether a moment has what is needed.
        over_s: Seconds over which the rates of the first moment are measured, from a moment that is enough on; 0 for
            whatever lies between two readings.
        rules: The rules for alerts, which become events of the moment after the one in which they begin or end.

    Raises:
        click.ClickException: Sampling failed unexpectedly.
    """
    # With an endless first answer, `waiting` in the end means that a source was late, and `down` that it is down.
    sampler = Sampler(specs, load_source, min(interval_s, FIRST_INTERVAL_S), first_answer_s=math.inf)
    wait = wait or Wait()
    settling = _Settling(sampler, interval_s, wait, is_enough, over_s)
    if rules:
        from tui.controllers.headless_alerts import HeadlessAlerts

        sampler.on_frame(HeadlessAlerts(rules, sampler.announce, has_programs=False).take)
    sampler.on_frame(settling.take)
    sampler.on_failure(lambda: settling.moments.put(None))
    sampler.start()
    try:
        moment = _first(settling, wait, over_s)
        while moment is not None:
            yield moment
            moment = settling.moments.get()
        failure = sampler.failure
        error_text = sanitize(f"{type(failure).__name__}: {failure}")
        raise click.ClickException(f"sampling failed: {error_text}{log_file.FILE.reference}") from failure
    finally:
        sampler.stop()


def _first(settling: _Settling, wait: Wait, over_s: float) -> Moment | None:
    """Return the first moment; say on a terminal what is waited for."""
    with WaitingLine() as line:
        while True:
            try:
                return settling.moments.get(timeout=_SHOW_EVERY_S)
            except queue.Empty:
                if settling.measured_s is None or settling.measured_s >= over_s:
                    line.show(settling.unfinished, wait.passed_s, wait.most_s)
                else:
                    line.show_measuring(over_s)


def gather(
    specs: Sequence[SourceSpec],
    wait: Wait | None = None,
    is_enough: Callable[[Moment], bool] = is_whole,
    over_s: float = 0.0,
) -> Moment:
    """Return one moment, as soon as it is enough or the wait is over, and rates are measured over `over_s` seconds."""
    stream = moments(specs, FIRST_INTERVAL_S, wait, is_enough, over_s)
    try:
        return next(stream)
    finally:
        stream.close()  # type: ignore[attr-defined]  # it is a generator; the annotation promises less
