"""The log of a workload on another host, read there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from collectors.fleet.conversation import Conversation
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import MOST_LINES, Ask
from collectors.model.errors import SourceError
from collectors.model.logs import Interruptible, LogLine
from collectors.model.workloads import Workload

_NUMBER = 1
_ANY_TIME_S = 600.0
"""Seconds for one read: the beginning of a long log may be far away, and the user can interrupt it."""


class RemoteLog(Interruptible):
    """A log on another host. It has a connection of its own, so that what waits for it holds nothing else up.

    Args:
        host: The host.
        workload: The workload as the host itself calls it.

    Raises:
        SourceError: There is no log, it cannot be read, or the host cannot be reached.
    """

    def __init__(self, host: HostSpec, workload: Workload) -> None:
        self._conversation = Conversation(host)
        self._workload = workload
        self._is_closed = False
        try:
            self.title = f"{host.name}: {self._ask(str, Ask.LOG_OPEN)}"
        except SourceError:
            self._conversation.close()
            raise

    def last(self, count: int) -> list[LogLine]:
        return self._read(Ask.LOG_LAST, count=count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self._read(Ask.LOG_BEFORE, line=self._theirs(line), count=count)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return self._read(Ask.LOG_AFTER, line=self._theirs(line), count=count)

    def first(self, count: int) -> list[LogLine]:
        return self._read(Ask.LOG_FIRST, count=count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        return self._read(Ask.LOG_UNTIL, wall=wall + self._conversation.ahead_s, count=count)

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        return self._stream(Ask.LOG_WRITTEN, line)

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        return self._stream(Ask.LOG_FOLLOW, line)

    def interrupt(self) -> None:
        super().interrupt()
        self._ask(bool, Ask.LOG_INTERRUPT)

    def close(self) -> None:
        super().interrupt()
        self._is_closed = True
        self._conversation.close()

    def _ask(self, kind: type[Any], ask: Ask, **arguments: Any) -> Any:
        return self._conversation.ask(kind, ask, _ANY_TIME_S, workload=self._workload, log=_NUMBER, **arguments)

    def _read(self, ask: Ask, **arguments: Any) -> list[LogLine]:
        lines: list[LogLine] = self._ask(list[LogLine], ask, **arguments)
        return [self._ours(line) for line in lines[: arguments["count"]]]

    def _ours(self, line: LogLine) -> LogLine:
        """Return a line with its time by this host's clock."""
        return line if line.at is None else line._replace(at=line.at - self._conversation.ahead_s)

    def _theirs(self, line: LogLine) -> LogLine:
        """Return a line as the other host knows it."""
        return line if line.at is None else line._replace(at=line.at + self._conversation.ahead_s)

    def _stream(self, ask: Ask, line: LogLine | None) -> Iterator[LogLine]:
        arguments = {
            "workload": self._workload,
            "log": _NUMBER,
            "line": line and self._theirs(line),
            "count": MOST_LINES,
        }
        interrupts = self._interrupts
        try:
            for lines in self._conversation.parts(list[LogLine], ask, **arguments):
                for one in lines:
                    if ask is Ask.LOG_WRITTEN and self._interrupts != interrupts:
                        return
                    yield self._ours(one)
        except SourceError:
            if not self._is_closed:
                raise
