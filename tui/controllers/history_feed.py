"""Fills the history of one workload from the session and with each new moment, without holding up the screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from math import inf, isnan

from collectors.analysis.history import History
from collectors.analysis.rates import Moment
from collectors.comparison.window_statistics import WARM_UP_S
from collectors.comparison.workload_history import HistoryReader, Tick, WorkloadHistory
from collectors.model.metrics import CHARTED
from collectors.model.workloads import Frame, WorkloadId
from tui.controllers.background import run_blocking

Frames = Callable[[float], Iterable[Frame]]
"""Maps a wall time to the frames from then to the moment on screen. Blocking."""
_STEP = 100
"""Frames that are added to what is shown; of more, everything is read again."""
_PATIENCE_S = 1.0
"""Seconds after which the progress is shown."""


class HistoryFeed:
    """The history of a workload, and what is still to be read of it.

    Args:
        identity: The workload.
        frames: Returns past frames.
    """

    def __init__(self, identity: WorkloadId, frames: Frames) -> None:
        self.history = WorkloadHistory()
        self._identity = identity
        self._frames = frames
        self._reader: HistoryReader | None = None
        self._read_since = inf
        """Frames from this wall time on were read."""
        self._pending: list[Tick] | None = None
        """What came while the past is being read; `None` when nothing is read."""
        self._read_to = -inf
        """Frames up to this wall time were read, where the screen shows a past moment."""
        self._frames_read = 0
        """By the last reading of everything."""
        self._is_closed = False
        self._began = 0.0
        self._at: tuple[float, float, float] | None = None
        """Wall times of the first and the newest frame of what is being read, and of its end."""

    def begin_with(self, recent: History, wall: float, interval_s: float) -> None:
        """Begin with the charted metrics of the last minutes, up to a wall time, until the session has been read."""
        instants = recent.instants(inf)
        rings = {key: recent.recent(self._identity, key, len(instants)) for key in CHARTED}
        for index, instant in enumerate(instants):
            if not isnan(instant):
                values = {key: ring[index] for key, ring in rings.items()}
                self.history.add_values(wall - (instants[-1] - instant), values, interval_s)

    def take(self, moment: Moment) -> None:
        """Add the next live moment."""
        tick = Tick(moment.frame.wall, moment.readings.get(self._identity), moment.frame.interval_s)
        if self._pending is not None:
            self._pending.append(tick)
        self.history.add(*tick)

    def lacks(self, since: float, until: float, is_live: bool) -> bool:
        """Return whether there may be frames between two wall times that have not been read."""
        return since < self._read_since or (not is_live and until > self._read_to)

    async def read(self, since: float, until: float, is_live: bool) -> None:
        """Read what is lacking.

        Raises:
            SessionError: The session cannot be read.
            SourceError: Something unexpected happened.
        """
        self._began, self._at = time.monotonic(), None
        if not is_live and self._reader is not None and self._read_since <= since <= self._read_to < until:
            ticks = await run_blocking(partial(self._further, self._reader))
            if len(ticks) < _STEP:
                for tick in ticks:
                    self.history.add(*tick)
                self._read_to = until
                return
        self._pending = []
        try:
            history, reader = await run_blocking(partial(self._all, since, until))
            for tick in self._pending:
                if tick.wall > history.last_wall:
                    history.add(*tick)
        finally:
            self._pending = None
        self._read_since, self._read_to, self._reader = since, until, reader
        if self._frames_read > 1 or not is_live:  # without a session there is only the newest frame
            self.history = history

    def _further(self, reader: HistoryReader) -> list[Tick]:
        return list(islice(reader.ticks(self._frames(self._read_to)), _STEP))

    def _all(self, since: float, until: float) -> tuple[WorkloadHistory, HistoryReader]:
        history, reader = WorkloadHistory(), HistoryReader(self._identity)
        self._frames_read = 0
        for tick in reader.ticks(self._frames(since - WARM_UP_S)):
            history.add(*tick)
            self._frames_read += 1
            self._at = (history.first_wall or 0.0, tick.wall, until)
            if self._is_closed:
                break
        return history, reader

    def progress(self) -> str:
        """Return how far reading is, once it has taken a second; empty when there is nothing to say."""
        if self._pending is None or self._at is None or time.monotonic() - self._began < _PATIENCE_S:
            return ""
        first, newest, until = self._at
        share = (newest - first) / (until - first) if until > first else 0.0
        return f"reading the past {max(0.0, min(share, 0.99)):.0%}"

    def close(self) -> None:
        """Stop reading."""
        self._is_closed = True
