"""The logs of several workloads as one, ordered by time."""

from __future__ import annotations

import heapq
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from collectors.model.errors import SourceError
from collectors.model.logs import Log, LogLine, is_full

MOST_LOGS = 16
_AGAIN_S = 2.0
"""Seconds until a log whose follower ended is followed again."""
_WAITING = 10_000
"""Followed lines that may wait to be taken; the followers wait when there are more."""


class _Position(NamedTuple):
    """Where a merged line stands in each of the logs."""

    own: LogLine
    """The line in its own log."""
    previous: tuple[LogLine | None, ...]
    """Per log, its last line up to this one; `None` if there is none, or none is known."""
    following: tuple[LogLine | None, ...]
    """Per log, its first line after this one; `None` likewise."""


class MergedLog:
    """Reads several logs as one.

    Lines are ordered by their times; a line without a time, such as of a console, takes that of the line before it in
    its log, and while it is followed its place is where it arrived.

    Args:
        logs: The logs, at most `MOST_LOGS`; `LogLine.workload` is an index into them. They are closed with this one.
    """

    def __init__(self, logs: Sequence[Log]) -> None:
        self.title = f"{len(logs)} logs merged"
        self._logs = tuple(logs)
        self.problems: dict[int, str] = {}
        """Why a log is not followed, by its index."""
        self._is_closed = threading.Event()
        self._follower: object = None

    def last(self, count: int) -> list[LogLine]:
        return self._last_of([log.last(count) for log in self._logs], count)

    def first(self, count: int) -> list[LogLine]:
        return self._first_of([log.first(count) for log in self._logs], [None] * len(self._logs), count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        return self._last_of([log.until(wall, count) for log in self._logs], count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        position: _Position = line.position
        lists: list[list[LogLine]] = []
        for index, log in enumerate(self._logs):
            previous, following = position.previous[index], position.following[index]
            if index == line.workload:
                lists.append(log.before(position.own, count))
            elif previous is not None:
                lists.append([*log.before(previous, count - 1), previous] if count > 1 else [previous])
            else:
                lists.append([] if following is None else log.before(following, count))
        following_lines = list(position.following)
        following_lines[line.workload] = position.own
        return self._last_of(lists, count, following_lines)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        position: _Position = line.position
        lists = [self._later(index, position, count) for index in range(len(self._logs))]
        return self._first_of(lists, position.previous, count)

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        unknown = (None,) * len(self._logs)
        position = _Position(LogLine(0, None, False, ""), unknown, unknown) if line is None else line.position
        previous: list[LogLine | None] = list(position.previous)
        keyed = (_keyed(index, self._written_of(index, position)) for index in range(len(self._logs)))
        for _, index, line in heapq.merge(*keyed, key=lambda entry: entry[:2]):
            previous[index] = line
            yield line._replace(position=_Position(line, tuple(previous), unknown), workload=index)

    def _written_of(self, index: int, position: _Position) -> Iterator[LogLine]:
        """Yield what one log has after a merged line."""
        log, previous, following = self._logs[index], position.previous[index], position.following[index]
        if previous is None and following is not None:
            yield following
        yield from log.written(previous or following)

    def interrupt(self) -> None:
        for log in self._logs:
            log.interrupt()

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        """Yield lines as they arrive. It ends only with `close` or the next `follow`."""
        follower = self._follower = object()
        arrived: queue.Queue[tuple[int, LogLine]] = queue.Queue(_WAITING)
        previous: list[LogLine | None] = [None] * len(self._logs) if line is None else list(line.position.previous)

        def is_over() -> bool:
            return self._is_closed.is_set() or self._follower is not follower

        for index, start in enumerate(previous):
            arguments = (index, start, arrived, is_over)
            threading.Thread(target=self._follow_one, args=arguments, name="log", daemon=True).start()
        while not is_over():
            try:
                index, new_line = arrived.get(timeout=0.2)
            except queue.Empty:
                continue
            previous[index] = new_line
            place = _Position(new_line, tuple(previous), (None,) * len(previous))
            yield new_line._replace(position=place, workload=index)

    def close(self) -> None:
        self._is_closed.set()
        for log in self._logs:
            log.close()

    def _follow_one(
        self, index: int, start: LogLine | None, arrived: queue.Queue[tuple[int, LogLine]], is_over: Callable[[], bool]
    ) -> None:
        """Follow one log, again and again: its workload may start again, its engine may come back."""
        while not is_over():
            try:
                for line in self._logs[index].follow(start):
                    start = line
                    while not is_over():
                        try:
                            arrived.put((index, line), timeout=0.2)
                            break
                        except queue.Full:
                            continue
                    if is_over():
                        return
                self.problems.pop(index, None)
            except SourceError as error:
                self.problems[index] = error.reason
            self._is_closed.wait(_AGAIN_S)

    def _later(self, index: int, position: _Position, count: int) -> list[LogLine]:
        """Return the lines of one log after a merged line."""
        log, previous, following = self._logs[index], position.previous[index], position.following[index]
        if previous is not None:
            return log.after(previous, count)
        if following is not None:
            return [following, *log.after(following, count - 1)] if count > 1 else [following]
        return log.first(count)

    def _first_of(self, lists: list[list[LogLine]], previous: Sequence[LogLine | None], count: int) -> list[LogLine]:
        """Return the first lines of all lists, without those newer than what a list that was cut still has."""
        merged = self._merge(lists, previous, [None] * len(lists))
        times = _times(lists)
        ends = [times[index, id(lines[-1])] for index, lines in enumerate(lists) if is_full(lines, count)]
        if ends:
            latest = min(ends)
            merged = [line for line in merged if times[line.workload, id(line.position.own)] <= latest]
        return merged[:count]

    def _last_of(
        self, lists: list[list[LogLine]], count: int, following: Sequence[LogLine | None] | None = None
    ) -> list[LogLine]:
        """Return the last lines of all lists, without those older than what a list that was cut still has."""
        merged = self._merge(lists, [None] * len(lists), following or [None] * len(lists))
        times = _times(lists)
        starts = [times[index, id(lines[0])] for index, lines in enumerate(lists) if is_full(lines, count)]
        if starts:
            earliest = max(starts)
            merged = [line for line in merged if times[line.workload, id(line.position.own)] >= earliest]
        return merged[-count:]

    def _merge(
        self,
        lists: list[list[LogLine]],
        previous: Sequence[LogLine | None],
        following: Sequence[LogLine | None],
    ) -> list[LogLine]:
        """Order the lines of all logs by time, and remember at each where the others stand."""
        times = _times(lists)
        last, upcoming = list(previous), [*following]
        remaining = [iter([*lines[1:], following[index]]) for index, lines in enumerate(lists)]
        for index, lines in enumerate(lists):
            if lines:
                upcoming[index] = lines[0]
        keyed = ([(times[index, id(line)], index, line) for line in lines] for index, lines in enumerate(lists))
        merged: list[LogLine] = []
        for _, index, line in heapq.merge(*keyed, key=lambda entry: entry[:2]):
            last[index], upcoming[index] = line, next(remaining[index])
            merged.append(line._replace(position=_Position(line, tuple(last), tuple(upcoming)), workload=index))
        return merged


def _keyed(index: int, lines: Iterator[LogLine]) -> Iterator[tuple[float, int, LogLine]]:
    """Yield the lines of a log with the time that orders them, as in `_times`."""
    latest = 0.0
    for line in lines:
        latest = max(latest, line.at or 0.0)
        yield latest, index, line


def _times(lists: list[list[LogLine]]) -> dict[tuple[int, int], float]:
    """Return the time that orders each line: never before that of an earlier line of its log."""
    times: dict[tuple[int, int], float] = {}
    for index, lines in enumerate(lists):
        latest = 0.0
        for line in lines:
            latest = times[index, id(line)] = max(latest, line.at or 0.0)
    return times
