"""Moments without a screen: one for `list` and `doctor`, one after the other for `stream`."""

from __future__ import annotations

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
from tui.settings import log_file

SETTLE_S = 3.0
"""Seconds after the first frame; a daemon that has not answered by then is reported as it is."""
_LEAST_FRAMES = 3
"""Frames before a daemon is given up: the first frame has nothing from daemons, and no rates."""
_PATIENCE_S = 30.0


class _Settling:
    """Feeds frames to a deriver on the sampler's thread, and holds the moments back until the picture is whole."""

    def __init__(
        self, sampler: Sampler, interval_s: float, settle_s: float, is_enough: Callable[[Moment], bool]
    ) -> None:
        self.moments: queue.SimpleQueue[Moment | None] = queue.SimpleQueue()
        """`None` is the end: the sampler failed."""
        self._sampler = sampler
        self._interval_s = interval_s
        self._settle_s = settle_s
        self._is_enough = is_enough
        self._deadline = 0.0
        self._frames = 0
        self._deriver = Deriver()
        self._held_events: tuple[Event, ...] = ()
        self._is_settled = False

    def take(self, frame: Frame) -> None:
        moment = self._deriver.feed(frame)
        if not self._is_settled:
            self._held_events += frame.events
            self._frames += 1
            if self._frames == 1:  # the time to start up is not the daemons'
                self._deadline = time.monotonic() + self._settle_s
            if not self._is_enough(moment) and (self._frames < _LEAST_FRAMES or time.monotonic() < self._deadline):
                return
            moment = moment._replace(frame=msgspec.structs.replace(frame, events=self._held_events))
            self._is_settled = True
            self._sampler.interval.choose(self._interval_s)
        self.moments.put(moment)


def is_whole(moment: Moment) -> bool:
    """Return whether every source has answered or is known to be down, and the quick ones have rates."""
    if any(state.availability is Availability.WAITING for state in moment.sources):
        return False
    has_rates: dict[str, bool] = {}
    quick = quick_samples()
    for reading in (moment.host, *moment.readings.values()):
        for name, has_rate in _quick_pairs(reading, quick):
            has_rates[name] = has_rates.get(name, False) or has_rate
    return all(has_rates.values())


def _quick_pairs(reading: Reading, quick: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Yield the readers of a workload that supply the rates a list is for, and whether each has two samples."""
    endpoint = reading.workload.endpoint
    for pair in reading.pairs:
        if endpoint or pair.current.source in quick:
            yield pair.current.source + endpoint, pair.previous is not None


def moments(
    specs: Sequence[SourceSpec],
    interval_s: float,
    settle_s: float = SETTLE_S,
    is_enough: Callable[[Moment], bool] = is_whole,
) -> Iterator[Moment]:
    """Yield a moment each interval, for ever; the first when it is enough, or `settle_s` after the first frame.

    Raises:
        click.ClickException: Sampling failed unexpectedly.
    """
    sampler = Sampler(specs, load_source, min(interval_s, FIRST_INTERVAL_S))
    settling = _Settling(sampler, interval_s, settle_s, is_enough)
    sampler.on_frame(settling.take)
    sampler.on_failure(lambda: settling.moments.put(None))
    sampler.start()
    try:
        while (moment := settling.moments.get(timeout=interval_s + settle_s + _PATIENCE_S)) is not None:
            yield moment
        failure = sampler.failure
        error_text = sanitize(f"{type(failure).__name__}: {failure}")
        raise click.ClickException(f"sampling failed: {error_text}{log_file.FILE.reference}") from failure
    finally:
        sampler.stop()


def gather(
    specs: Sequence[SourceSpec],
    interval_s: float = FIRST_INTERVAL_S,
    settle_s: float = SETTLE_S,
    is_enough: Callable[[Moment], bool] = is_whole,
) -> Moment:
    """Return one moment, as soon as it is enough or `settle_s` have passed."""
    stream = moments(specs, interval_s, settle_s, is_enough)
    try:
        return next(stream)
    finally:
        stream.close()  # type: ignore[attr-defined]  # it is a generator; the annotation promises less
