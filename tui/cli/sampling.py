"""Moments without a screen: one for `list` and `doctor`, one after the other for `stream`."""

from __future__ import annotations

import math
import queue
import time
from collections.abc import Callable, Iterator, Sequence

import click
import msgspec

from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.engines.registry import load_source, quick_samples
from collectors.model.workloads import Availability, Event, Frame
from collectors.safety.sanitize import sanitize
from collectors.sampling.sampler import FIRST_INTERVAL_S, Sampler
from collectors.sampling.source import SourceSpec
from collectors.sampling.timeout import ANSWER_S
from tui.cli.progress import WaitingLine
from tui.settings import log_file

_LEAST_FRAMES = 3
"""Frames before a daemon is given up: the first frame has nothing from daemons, and no rates."""
_SHOW_EVERY_S = 0.5
"""Seconds between updates of the line that says what is waited for."""


class Wait:
    """How long the sources are waited for, and how long each of them took.

    Args:
        most_s: Seconds from the first frame after which the moment is taken as it is.
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

    def note(self, moment: Moment) -> None:
        """Note which sources have answered by now; the first moment starts the clock."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        self.passed_s = now - self._since
        for state in moment.sources:
            if state.availability is not Availability.WAITING:
                self.answered_s.setdefault(state.name, self.passed_s)

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.passed_s >= self.most_s


class _Settling:
    """Feeds frames to a deriver on the sampler's thread, and holds the moments back until the picture is whole."""

    def __init__(self, sampler: Sampler, interval_s: float, wait: Wait, is_enough: Callable[[Moment], bool]) -> None:
        self.moments: queue.SimpleQueue[Moment | None] = queue.SimpleQueue()
        """`None` is the end: the sampler failed."""
        self.unfinished: list[str] = []
        """What is still waited for."""
        self._is_settled = False
        self._sampler = sampler
        self._interval_s = interval_s
        self._wait = wait
        self._is_enough = is_enough
        self._frames = 0
        self._deriver = Deriver()
        self._held_events: tuple[Event, ...] = ()

    def take(self, frame: Frame) -> None:
        moment = self._deriver.feed(frame)
        if not self._is_settled:
            self._held_events += frame.events
            self._frames += 1
            self._wait.note(moment)
            self.unfinished = unfinished(moment)
            if not self._is_enough(moment) and (self._frames < _LEAST_FRAMES or not self._wait.is_over):
                return
            moment = moment._replace(frame=msgspec.structs.replace(frame, events=self._held_events))
            self._is_settled = True
            self._sampler.interval.choose(self._interval_s)
        self.moments.put(moment)


def is_whole(moment: Moment) -> bool:
    """Return whether every source has answered or is known to be down, and the quick ones have rates."""
    return not unfinished(moment)


def unfinished(moment: Moment) -> list[str]:
    """Return the names of the sources that have not answered yet, or not twice where a list has rates of theirs."""
    late = [state.name for state in moment.sources if state.availability is Availability.WAITING]
    return [*late, *(name for name in without_rates(moment) if name not in late)]


def without_rates(moment: Moment) -> list[str]:
    """Return the quick readers that have samples, but not two of any workload."""
    has_rates: dict[str, bool] = {}
    quick = quick_samples()
    for reading in (moment.host, *moment.readings.values()):
        for name, has_rate in _quick_pairs(reading, quick):
            has_rates[name] = has_rates.get(name, False) or has_rate
    return [name for name, has_rate in has_rates.items() if not has_rate]


def _quick_pairs(reading: Reading, quick: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Yield the readers of a workload that supply the rates a list is for, and whether each has two samples."""
    endpoint = reading.workload.endpoint
    for pair in reading.pairs:
        if endpoint or pair.current.source in quick:
            yield pair.current.source + endpoint, pair.previous is not None


def moments(
    specs: Sequence[SourceSpec],
    interval_s: float,
    wait: Wait | None = None,
    is_enough: Callable[[Moment], bool] = is_whole,
) -> Iterator[Moment]:
    """Yield a moment each interval, for ever; the first when it is enough, or when the wait is over.

    Raises:
        click.ClickException: Sampling failed unexpectedly.
    """
    # With an endless first answer, `waiting` in the end means that a source was late, and `down` that it is down.
    sampler = Sampler(specs, load_source, min(interval_s, FIRST_INTERVAL_S), first_answer_s=math.inf)
    wait = wait or Wait()
    settling = _Settling(sampler, interval_s, wait, is_enough)
    sampler.on_frame(settling.take)
    sampler.on_failure(lambda: settling.moments.put(None))
    sampler.start()
    try:
        moment = _first(settling, wait)
        while moment is not None:
            yield moment
            moment = settling.moments.get()
        failure = sampler.failure
        error_text = sanitize(f"{type(failure).__name__}: {failure}")
        raise click.ClickException(f"sampling failed: {error_text}{log_file.FILE.reference}") from failure
    finally:
        sampler.stop()


def _first(settling: _Settling, wait: Wait) -> Moment | None:
    """Return the first moment; say on a terminal what is waited for."""
    with WaitingLine() as line:
        while True:
            try:
                return settling.moments.get(timeout=_SHOW_EVERY_S)
            except queue.Empty:
                line.show(settling.unfinished, wait.passed_s, wait.most_s)


def gather(
    specs: Sequence[SourceSpec],
    wait: Wait | None = None,
    is_enough: Callable[[Moment], bool] = is_whole,
) -> Moment:
    """Return one moment, as soon as it is enough or the wait is over."""
    stream = moments(specs, FIRST_INTERVAL_S, wait, is_enough)
    try:
        return next(stream)
    finally:
        stream.close()  # type: ignore[attr-defined]  # it is a generator; the annotation promises less
