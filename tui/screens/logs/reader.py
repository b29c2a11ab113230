"""Reading and following: a window onto the log that moves with the view, whatever the length of the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from collectors.inspection.filtered_log import FilteredLog, LineFilter
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.logs import Log, LogLine, is_full
from tui.controllers.background import is_up, run_blocking
from tui.presenters.logs.buffer import CHUNK, FollowQueue, LogBuffer
from tui.presenters.styled_lines import Line
from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object

_QUIET_S = 1.0
"""Seconds of reading after which the status says how far it is."""
FOLLOW_AGAIN_S = 2.0
"""Seconds between attempts to follow a log whose follower ended."""


class LogReader(Base):
    """A screen with a window onto a log.

    Args:
        open_it: Opens the log; blocking, called on a thread.
        at: Wall time whose lines are shown first; `None` for the end of the log, which is followed.
    """

    def __init__(self, open_it: Callable[[], Log], at: float | None) -> None:
        super().__init__()
        self._open = open_it
        self._at = at
        self._whole: Log | None = None
        self._log: Log | None = None
        """The log as it is read: whole, or filtered."""
        self._filter: LineFilter | None = None
        self._window = LogBuffer()
        self._inbox = FollowQueue()
        self._made: list[list[Line]] = []
        """Per line of the window, its formatted rows."""
        self._rows: list[int] = []
        """Per row of the view, the index of its line in the window."""
        self._unseen = 0
        """Number of lines that arrived while the view was scrolled up."""
        self._reads_since: float | None = None
        """When the current read began, in seconds of the monotonic clock; `None` while none is under way."""
        self._read_count = 0
        """Lines that the filter has gone through in the current read."""
        self._follow_again_at = 0.0
        self._has_begun = False
        """Whether the log has been read once. Keys read nothing before, so that they cannot cancel opening it."""
        self._failure = ""
        """Why nothing is followed, for the title; empty while it is."""
        self._is_left = False
        self._is_following = at is None

    def say(self, status: str) -> None:
        """Show a status; empty for what the window holds."""
        raise NotImplementedError

    def show_lines(self, dropped: int = 0) -> None:
        """Format all lines again; keep the cursor on its line although `dropped` lines before it were removed."""
        raise NotImplementedError

    def show_new(self, lines: Sequence[LogLine], dropped: int) -> None:
        """Format new lines at the end, after `dropped` lines at the beginning were removed."""
        raise NotImplementedError

    def on_unmount(self) -> None:
        self._is_left = True
        if self._log is not None:
            self._log.close()
        if self._whole is not None:
            self._whole.close()

    def begin(self) -> None:
        self.run_worker(self._load(), group="read", exclusive=True)

    def read_on(self, read: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Cancel the current read and start another one."""
        if self._has_begun:
            self.run_worker(self._timed(read), group="read", exclusive=True)

    async def _timed(self, read: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Read; what takes longer than a second shows how far it is."""
        if self._log is not None and self._reads_since is not None:
            self._log.interrupt()  # the thread of the read before
        self._reads_since = time.monotonic()
        await read()
        self._reads_since = None

    def cancel_read(self) -> None:
        """End the current read, also on its thread."""
        self.workers.cancel_group(self, "read")
        self._reads_since = None
        if self._log is not None:
            self._log.interrupt()

    def _filtered(self) -> Log | None:
        if self._whole is None or self._filter is None:
            return self._whole
        return FilteredLog(self._whole, self._filter, self._count_read)

    def _count_read(self, count: int) -> None:
        self._read_count = count

    def _opened(self) -> Log:
        """Open the log on a thread; close it if the screen was closed in the meantime."""
        log = self._whole = self._open()
        if self._is_left:
            log.close()
        return log

    async def _load(self) -> None:
        """Open the log, show its end and follow it; or show the lines of the moment that was asked for."""
        try:
            whole = await run_blocking(self._opened) if self._whole is None else self._whole
            if self._log is None:
                self._log = self._filtered()
            if self._at is not None:
                await self.show_moment(self._at)
                return
            newest, lines = await run_blocking(partial(self._end_of, whole))
        except SourceError as error:
            if is_up(self):
                self._fail(error)
            return
        if not is_up(self):
            return
        self._has_begun, self._failure, self._read_count = True, "", 0
        self._window.start(lines)
        if isinstance(self._log, FilteredLog) and self._log.has_reached_end:
            self._window.has_older = False
        self.say("")
        self.show_lines()
        self.query_one(LineView).go_to_end()
        self._follow_from(newest)

    def _end_of(self, whole: Log) -> tuple[LogLine | None, list[LogLine]]:
        """Return the newest line of the log, from which on it is followed, and its last lines, filtered."""
        if self._filter is None or self._log is None:
            lines = whole.last(CHUNK)
            return (lines[-1] if lines else None), lines
        newest = next(iter(whole.last(1)), None)
        if newest is None:
            return None, []
        last = [newest] if self._filter.passes(newest) else []
        return newest, self._log.before(newest, CHUNK) + last

    def _follow_from(self, line: LogLine | None) -> None:
        """Follow on a daemon thread; a thread that hangs in an engine call ends with the process."""
        inbox, log = FollowQueue(), self._log
        self._inbox = inbox
        if log is None:
            return

        def run() -> None:
            try:
                for new_line in log.follow(line):
                    inbox.put(new_line)
                    if inbox is not self._inbox:
                        return
            except SourceError as error:
                inbox.failure = error.reason
            finally:
                inbox.has_ended = True  # after unexpected failures too, so that following restarts

        threading.Thread(target=run, name="log", daemon=True).start()

    def _fail(self, error: SourceError) -> None:
        remedy = f" Fix: {error.remedy}" if error.remedy else ""
        self._window.start([LogLine(0, None, True, f"{error.reason}.{remedy}")])
        self._window.has_older = False
        self._failure = "cannot be read"
        self.say("")
        self.show_lines()

    def drain(self) -> None:
        """Add new lines; if the view is scrolled up, only count them, as scrolling down reads them again."""
        if self._reads_since is not None and (seconds := time.monotonic() - self._reads_since) > _QUIET_S:
            needle = self.query_one(LineView).needle
            count = f"{self._read_count:,} lines, " if self._read_count else ""
            self.say(f"{f'/{needle}  ' if needle else ''}reading: {count}{seconds:.0f} s ... Esc stops")
        lines = self._inbox.take()
        if self._has_begun and self._log is not None and time.monotonic() > self._follow_again_at:
            if self._inbox.has_ended:
                self._take_up_again()
            elif self._failure:
                self._failure = ""  # the new follower has lasted
                self.say("")
        if not lines:
            return
        if not self._is_following:
            self._unseen += len(lines)
            self._window.has_newer = True
            self.say("")
            return
        self.show_new(lines, self._window.append(lines))
        self.query_one(LineView).go_to_end()
        self.say("")

    def _take_up_again(self) -> None:
        """Follow again: a stopped container may start, an engine may come back."""
        self._follow_again_at = time.monotonic() + FOLLOW_AGAIN_S
        if self._inbox.failure:
            self._failure = f"not following: {self._inbox.failure}"
            self.say("")
        if self._is_following:
            self._follow_from(self._window.lines[-1] if self._window.lines else None)

    async def older(self) -> int:
        """Read lines before the window; return the number of lines added."""
        lines = await self._read_beyond(lambda log: log.before(self._window.lines[0], CHUNK), "older")
        if lines is None:
            return 0
        self._is_following = False
        added = self._window.prepend(lines)
        self.say("")
        self.show_lines(-added)
        return added

    async def newer(self) -> tuple[int, int]:
        """Read lines after the window; return the numbers of lines added and dropped."""
        lines = await self._read_beyond(lambda log: log.after(self._window.lines[-1], CHUNK), "newer")
        if lines is None:
            return 0, 0
        self._window.has_newer = is_full(lines, CHUNK)
        dropped = self._window.append(lines)
        self.say("")
        self.show_lines(dropped)
        if not self._window.has_newer:
            self._unseen = 0
            self._follow_from(self._window.lines[-1])
        return len(lines), dropped

    async def _read_beyond(self, read: Callable[[Log], list[LogLine]], which: str) -> list[LogLine] | None:
        """Return the lines that a call reads; `None` if there are none to go on from, or they cannot be read."""
        log = self._log
        if log is None or not self._window.lines:
            return None
        self.say(f"reading {which} lines ...")
        try:
            lines = await run_blocking(partial(read, log))
        except SourceError as error:
            self.notify(error.reason, severity="warning", markup=False)
            return None
        self._read_count = 0
        return lines if is_up(self) else None

    async def show_beginning(self) -> None:
        """Show the first lines of the log."""
        log = self._log
        if log is None:
            return
        lines = await self._read_beyond(lambda log: log.first(CHUNK), "the first")
        if lines is not None:
            self._show_middle(lines, has_older=False, row=0)

    async def show_moment(self, wall: float) -> None:
        """Show the lines of a wall time, with the cursor on the last one written until then."""
        log = self._log
        if log is None:
            return
        self.say("looking for the time ...")
        try:
            older, newer = await run_blocking(partial(_around, log, wall))
        except SourceAbsent as error:  # lines without times
            if is_up(self):
                self._at = None
                if not self._has_begun:
                    self._is_following = True
                    await self._load()
                self.say(error.reason)
            return
        if is_up(self):
            self._has_begun, self._read_count, self._at = True, 0, None
            self._show_middle(older + newer, has_older=bool(older), row=max(0, len(older) - 1))

    def _show_middle(self, lines: Sequence[LogLine], has_older: bool, row: int) -> None:
        """Show lines from within the log, without following it, with the cursor on one of them."""
        self._is_following = False
        self._inbox = FollowQueue()
        self._window.start_at(lines, has_older)
        self.show_lines()
        view = self.query_one(LineView)
        if 0 <= row < len(self._made):
            view.go(self._rows.index(row))
        self.say("")


def _around(log: Log, wall: float) -> tuple[list[LogLine], list[LogLine]]:
    """Return the lines written until a wall time, and those after it."""
    older = log.until(wall, CHUNK)
    return older, log.after(older[-1], CHUNK) if older else log.first(CHUNK)
