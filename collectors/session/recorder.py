"""Keeps every frame, on its own thread: the sampler and the screen hand frames over without waiting.

Frames wait in a bounded queue. Those that do not fit, because the disk is blocked, are counted and recorded in the file
as a gap.
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
"""Frames that wait for a blocked disk, at most."""
_BEHIND = "the disk did not keep up"

Answer = TypeVar("Answer")


class Sink(Protocol):
    """Takes frames and keeps them."""

    def write(self, frame: Frame, gap: Gap | None = None) -> None:
        """Keep a frame, and the gap of the frames lost before it.

        Raises:
            OSError: The frame could not be kept. The frames kept before are intact, and the next one may be written.
            SessionError: The same, with a message for the user.
        """

    def close(self) -> None:
        """Complete what was written."""


@dataclass(slots=True)
class ActiveSink:
    """One sink in use, and its state."""

    sink: Sink
    problem: str = ""
    """Why the newest frame could not be kept; empty when it was."""
    lost: int = 0
    """Frames not kept so far."""
    gap: Gap | None = None
    """The frames lost since the last one that was kept; `None` if none was."""

    def lose(self, wall: float, why: str) -> None:
        """Count a frame of this wall time as lost; the gap is written with the next frame that is kept."""
        gap = self.gap
        self.gap = Gap(gap.since if gap else wall, wall, gap.frames + 1 if gap else 1, why)
        self.lost += 1


@dataclass(slots=True)
class _Task:
    """A call to make between two frames."""

    do: Callable[[], object]
    answer: Future[object] = field(default_factory=Future)


class Recorder:
    """Hands frames to sinks on its own thread."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Frame | _Task | None] = queue.SimpleQueue()
        self._sinks: list[ActiveSink] = []
        self._missed: deque[tuple[int, float]] = deque()
        """Monotonic instants (ns) and wall times of frames that did not fit; they are newer than those that wait."""
        self._change = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def take(self, frame: Frame) -> None:
        """Hand over a frame. Never waits for the disk."""
        if self._queue.qsize() < WAITING_AT_MOST:
            self._queue.put(frame)
        else:
            self._missed.append((frame.at_ns, frame.wall))

    def add(self, sink: Sink) -> ActiveSink:
        """Keep frames in this sink from now on."""
        active_sink = ActiveSink(sink)
        with self._change:
            self._sinks = [*self._sinks, active_sink]
        return active_sink

    def remove(self, active_sink: ActiveSink) -> Future[None]:
        """Close a sink after the frames already handed over; the future is done when it is closed."""

        def finish() -> None:
            with self._change:
                self._sinks = [other for other in self._sinks if other is not active_sink]
            active_sink.sink.close()

        return self.between_frames(finish)

    def between_frames(self, do: Callable[[], Answer]) -> Future[Answer]:
        """Make a call between two frames, on the recorder's thread, while no sink is being written."""
        task = _Task(do)
        self._queue.put(task)
        return task.answer  # type: ignore[return-value]  # it is what `do` returns

    def close(self, timeout_s: float = 2.0) -> bool:
        """Write the waiting frames and close all sinks; return whether that was done in time."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Task):
                self._do(item)
            else:
                self._keep(item)
        for active_sink in self._sinks:
            active_sink.problem = self._failure(active_sink.sink.close) or active_sink.problem

    def _do(self, task: _Task) -> None:
        try:
            task.answer.set_result(task.do())
        except Exception as error:  # raised to the caller that waits for the answer
            task.answer.set_exception(error)

    def _keep(self, frame: Frame) -> None:
        missed = []
        while self._missed and self._missed[0][0] < frame.at_ns:
            missed.append(self._missed.popleft()[1])
        for active_sink in self._sinks:
            for wall in missed:
                active_sink.lose(wall, _BEHIND)
            last_problem = active_sink.problem
            active_sink.problem = self._failure(partial(active_sink.sink.write, frame, active_sink.gap), last_problem)
            if active_sink.problem:
                active_sink.lose(frame.wall, active_sink.problem)
            else:
                active_sink.gap = None

    def _failure(self, step: Callable[[], None], logged: str = "") -> str:
        """Call a sink and return why it failed, empty if it did not. A failure stops neither this sink nor the others.

        Args:
            step: The call to make.
            logged: A problem that is already in the log, and is not logged again.
        """
        try:
            step()
        except OSError as error:
            problem = (error.strerror or str(error)).lower()
        except SessionError as error:
            problem = str(error)
        except Exception as error:  # a bug in a sink must not end the thread
            problem = f"{type(error).__name__}: {error}"
            if problem != logged:
                log.exception("a sink failed")
        else:
            return ""
        if problem != logged:
            log.warning("a frame was not kept: %s", problem)
        return problem
