"""Keeps every frame, on a thread of its own: whoever samples and whoever paints hands frames over and goes on.

Frames wait in a queue with a bound. Those that do not fit, because the disk stands still, are counted and told of in
the file as a gap.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from collectors.model.workloads import Frame
from collectors.session.format import Gap, SessionError

log = logging.getLogger(__name__)

WAITING_AT_MOST = 120
"""Frames that wait for a disk that stands still."""
_BEHIND = "the disk did not keep up"

Answer = TypeVar("Answer")


class Sink(Protocol):
    """Takes frames and keeps them."""

    def write(self, frame: Frame, gap: Gap | None = None) -> None:
        """Keep a frame, and the note about the lost ones before it.

        Raises:
            OSError: It could not be kept. What was kept before is whole, and the next frame may be offered.
            SessionError: The same, with a sentence.
        """

    def close(self) -> None:
        """Finish what is written."""


@dataclass(slots=True)
class Keeping:
    """One sink in use, and how it is doing."""

    sink: Sink
    problem: str = ""
    """Why the newest frame could not be kept; empty when it was."""
    lost: int = 0
    """Frames not kept so far."""
    gap: Gap | None = None
    """Those since the last one that was kept."""

    def lose(self, wall: float, why: str) -> None:
        """Note that a frame of this time is not kept; the next one that is will tell of it."""
        gap = self.gap
        self.gap = Gap(gap.since if gap else wall, wall, gap.frames + 1 if gap else 1, why)
        self.lost += 1


@dataclass(slots=True)
class _Task:
    """Something to do between two frames."""

    do: Callable[[], object]
    answer: Future[object] = field(default_factory=Future)


class Recorder:
    """Hands frames to sinks on its own thread."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Frame | _Task | None] = queue.SimpleQueue()
        self._keepings: list[Keeping] = []
        self._missed: deque[tuple[int, float]] = deque()
        """Instants and wall times of frames that did not fit; they come after those that wait."""
        self._change = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def take(self, frame: Frame) -> None:
        """Hand over a frame. Does not wait, whatever the disk does."""
        if self._queue.qsize() < WAITING_AT_MOST:
            self._queue.put(frame)
        else:
            self._missed.append((frame.at_ns, frame.wall))

    def add(self, sink: Sink) -> Keeping:
        """Keep frames in this sink from now on."""
        keeping = Keeping(sink)
        with self._change:
            self._keepings = [*self._keepings, keeping]
        return keeping

    def remove(self, keeping: Keeping) -> Future[None]:
        """Finish a sink after the frames that were handed over before; the answer comes when it is done."""

        def finish() -> None:
            with self._change:
                self._keepings = [one for one in self._keepings if one is not keeping]
            keeping.sink.close()

        return self.between(finish)

    def between(self, do: Callable[[], Answer]) -> Future[Answer]:
        """Do something between two frames, on the recorder's thread, where no sink is written."""
        task = _Task(do)
        self._queue.put(task)
        return task.answer  # type: ignore[return-value]  # it is what `do` returns

    def close(self, timeout_s: float = 2.0) -> bool:
        """Write what waits and finish all sinks; return whether that was done in time."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Task):
                self._do(item)
            else:
                self._keep(item)
        for keeping in self._keepings:
            keeping.problem = self._failure(keeping.sink.close) or keeping.problem

    def _do(self, task: _Task) -> None:
        try:
            task.answer.set_result(task.do())
        except Exception as error:  # it belongs to whoever waits for the answer
            task.answer.set_exception(error)

    def _keep(self, frame: Frame) -> None:
        missed = []
        while self._missed and self._missed[0][0] < frame.at_ns:
            missed.append(self._missed.popleft()[1])
        for keeping in self._keepings:
            for wall in missed:
                keeping.lose(wall, _BEHIND)
            before = keeping.problem
            keeping.problem = self._failure(partial(keeping.sink.write, frame, keeping.gap), before)
            if keeping.problem:
                keeping.lose(frame.wall, keeping.problem)
            else:
                keeping.gap = None

    def _failure(self, step: Callable[[], None], known: str = "") -> str:
        """Take a step of a sink and return why it failed, which stops neither this sink nor the others.

        Args:
            step: Which.
            known: A failure that the log has already.
        """
        try:
            step()
        except OSError as error:
            problem = (error.strerror or str(error)).lower()
        except SessionError as error:
            problem = str(error)
        except Exception as error:  # a sink's mistake must not end the thread
            problem = f"{type(error).__name__}: {error}"
            if problem != known:
                log.exception("a sink failed")
        else:
            return ""
        if problem != known:
            log.warning("a frame was not kept: %s", problem)
        return problem
