"""The log of a workload: follow and search logs of any length in bounded memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from collectors.model.errors import SourceError
from collectors.model.logs import AT_ONCE, Log, LogLine
from collectors.model.workloads import Workload
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.presenters.formatting import fit
from tui.presenters.log_buffer import CHUNK, FollowQueue, LogBuffer, row_of_match, styled_log_line
from tui.presenters.styled_lines import Line
from tui.screens.mixins.search_prompt import SearchPrompt
from tui.widgets.line_view import LineView

DRAIN_S = 0.2
FOLLOW_AGAIN_S = 2.0
"""Seconds between attempts to follow a log whose follower ended."""
_KEYS = "f follow  / search  n N next  t times  w wrap  g G ends  y copy  Esc back"
_STAMPS = ("", "local", "utc")


class LogScreen(SearchPrompt, AnsweredOnce, Screen[None]):
    """Shows a log.

    Args:
        workload: The workload whose log is shown.
        open_it: Opens the log; blocking, called on a thread.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    LogScreen > Static { height: 1; background: $panel; }
    LogScreen #title { text-style: bold; }
    LogScreen Input { height: 1; border: none; padding: 0; display: none; background: $panel;
        &:focus { border: none; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", show=False),
        Binding("slash", "search", show=False, priority=True),
        Binding("n", "next(1)", show=False),
        Binding("N", "next(-1)", show=False),
        Binding("t", "stamps", show=False),
        Binding("w", "wrap", show=False),
        Binding("g,home", "first", show=False, priority=True),
        Binding("G,end", "last", show=False, priority=True),
        Binding("y", "copy", show=False),
        Binding("escape,q", "back", show=False),
    ]

    def __init__(self, workload: Workload, open_it: Callable[[], Log], ascii_only: bool = False) -> None:
        super().__init__()
        self._workload = workload
        self._open = open_it
        self._ascii = ascii_only
        self._log: Log | None = None
        self._window = LogBuffer()
        self._inbox = FollowQueue()
        self._made: list[list[Line]] = []
        """Per line of the window, its formatted rows."""
        self._rows: list[int] = []
        """Per row of the view, the index of its line in the window."""
        self._unseen = 0
        """Number of lines that arrived while the view was scrolled up."""
        self._follow_again_at = 0.0
        self._has_begun = False
        """Whether the end of the log has been read. Keys read nothing before, so that they cannot cancel opening it."""
        self._failure = ""
        """Why nothing is followed, for the title; empty while it is."""
        self._is_left = False
        self._is_following = True
        self._is_wrapped = False
        self._stamps = ""
        self._status = "opening ..."

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield LineView(has_cursor=True)
        yield Input(placeholder="search", select_on_focus=False)
        yield Static(Text(f" {_KEYS}", no_wrap=True), id="footer")

    def on_mount(self) -> None:
        self.query_one(LineView).focus()
        self._say(self._status)
        self.set_interval(DRAIN_S, self._drain)
        self._begin()

    def on_unmount(self) -> None:
        self._is_left = True
        if self._log is not None:
            self._log.close()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _begin(self) -> None:
        self.run_worker(self._load(), group="read", exclusive=True)

    def _read_on(self, read: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Cancel the current read and start another one."""
        if self._has_begun:
            self.run_worker(read(), group="read", exclusive=True)

    def _opened(self) -> Log:
        """Open the log on a thread; close it if the screen was closed in the meantime."""
        log = self._log = self._open()
        if self._is_left:
            log.close()
        return log

    async def _load(self) -> None:
        """Open the log, show its end, and follow it."""
        try:
            log = await run_blocking(self._opened) if self._log is None else self._log
            lines = await run_blocking(partial(log.last, CHUNK))
        except SourceError as error:
            if is_up(self):
                self._fail(error)
            return
        if not is_up(self):
            return
        self._has_begun, self._failure = True, ""
        self._window.start(lines)
        self._say("")
        self._show()
        self.query_one(LineView).go_to_end()
        self._follow_from(log, lines[-1] if lines else None)

    def _follow_from(self, log: Log, line: LogLine | None) -> None:
        """Follow on a daemon thread; a thread that hangs in an engine call ends with the process."""
        inbox = self._inbox = FollowQueue()

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
        self._say("")
        self._show()

    def _drain(self) -> None:
        """Add new lines; if the view is scrolled up, only count them, as scrolling down reads them again."""
        lines = self._inbox.take()
        if self._has_begun and self._log is not None and time.monotonic() > self._follow_again_at:
            if self._inbox.has_ended:
                self._take_up_again(self._log)
            elif self._failure:
                self._failure = ""  # the new follower has lasted
                self._say(self._status)
        if not lines:
            return
        if not self._is_following:
            self._unseen += len(lines)
            self._window.has_newer = True
            self._say(self._status)
            return
        dropped = self._window.append(lines)
        del self._made[:dropped]
        self._make(lines)
        self._lay_out()
        self.query_one(LineView).go_to_end()
        self._say("")

    def _take_up_again(self, log: Log) -> None:
        """Follow again: a stopped container may start, an engine may come back."""
        self._follow_again_at = time.monotonic() + FOLLOW_AGAIN_S
        if self._inbox.failure:
            self._failure = f"not following: {self._inbox.failure}"
            self._say("")
        if self._is_following:
            self._follow_from(log, self._window.lines[-1] if self._window.lines else None)

    @property
    def _width(self) -> int:
        return max(20, self.query_one(LineView).size.width - 1)

    def _make(self, lines: Sequence[LogLine]) -> None:
        width = self._width
        self._made += [styled_log_line(line, self._stamps, width, self._is_wrapped) for line in lines]

    def _lay_out(self) -> None:
        """Show the formatted rows, and remember the line of each row."""
        self._rows = [index for index, rows in enumerate(self._made) for _ in rows]
        self.query_one(LineView).show([line for rows in self._made for line in rows])

    def _show(self, dropped: int = 0) -> None:
        """Format all lines again; keep the cursor on its line although `dropped` lines before it were removed."""
        view = self.query_one(LineView)
        index = self._row_of(view.cursor) - dropped
        self._made = []
        self._make(self._window.lines)
        self._lay_out()
        if self._is_following:
            view.go_to_end()
        elif 0 <= index < len(self._made):
            view.go(self._rows.index(index))
        self._say(self._status)

    def _row_of(self, cursor: int) -> int:
        return self._rows[cursor] if cursor < len(self._rows) else 0

    def _say(self, status: str) -> None:
        self._status = status
        parts = [self._workload.name, self._log.title if self._log else "log"]
        count = f"{len(self._window.lines)} lines loaded" if self._window.lines else "nothing logged yet"
        parts.append(status or self._failure or count)
        if self._has_begun and not self._failure:
            unseen = f"{self._unseen} new below, " if self._unseen else ""
            parts.append("FOLLOWING" if self._is_following else f"{unseen}f or G to follow")
        title = " " + "  ·  ".join(parts)
        self.query_one("#title", Static).update(Text(fit(title, max(1, self.size.width)), no_wrap=True))

    @on(LineView.Moved)
    def moved(self) -> None:
        view = self.query_one(LineView)
        is_end = view.cursor >= len(view.lines) - 1
        if self._is_following != (is_end and not self._window.has_newer):
            self._is_following = is_end and not self._window.has_newer
            self._say("")
        if view.cursor == 0 and self._window.has_older:
            self._read_on(self._older)
        elif is_end and self._window.has_newer:
            self._read_on(self._newer)

    async def _older(self) -> int:
        """Read lines before the window; return the number of lines added."""
        if self._log is None or not self._window.lines:
            return 0
        self._say("reading older lines ...")
        try:
            older = await run_blocking(partial(self._log.before, self._window.lines[0], CHUNK))
        except SourceError as error:
            self.notify(error.reason, severity="warning", markup=False)
            return 0
        if not is_up(self):
            return 0
        self._is_following = False
        added = self._window.prepend(older)
        self._say("")
        self._show(-added)
        return added

    async def _newer(self) -> tuple[int, int]:
        """Read lines after the window; return the numbers of lines added and dropped."""
        if self._log is None or not self._window.lines:
            return 0, 0
        try:
            newer = await run_blocking(partial(self._log.after, self._window.lines[-1], CHUNK))
        except SourceError as error:
            self.notify(error.reason, severity="warning", markup=False)
            return 0, 0
        if not is_up(self):
            return 0, 0
        self._window.has_newer = len(newer) >= CHUNK or sum(len(line.text) for line in newer) >= AT_ONCE
        dropped = self._window.append(newer)
        self._show(dropped)
        if not self._window.has_newer:
            self._unseen = 0
            self._follow_from(self._log, self._window.lines[-1])
        return len(newer), dropped

    def action_follow(self) -> None:
        if self._is_following:
            self._is_following = False
            self._say("")
        else:
            self.action_last()

    def action_first(self) -> None:
        self._read_on(self._to_beginning)

    async def _to_beginning(self) -> None:
        """Read back to the first line; Esc or any movement stops it."""
        while self._window.has_older and await self._older() > 0:
            self.query_one(LineView).go(0)
        self._is_following = False
        self.query_one(LineView).go(0)
        self._say("")

    def action_last(self) -> None:
        self._is_following, self._unseen = True, 0
        if self._window.has_newer:
            self._begin()
        else:
            self.query_one(LineView).go_to_end()
            self._say("")

    def action_stamps(self) -> None:
        self._stamps = _STAMPS[(_STAMPS.index(self._stamps) + 1) % len(_STAMPS)]
        self._show()

    def action_wrap(self) -> None:
        self._is_wrapped = not self._is_wrapped
        self._show()

    @on(Input.Submitted)
    def search(self) -> None:
        self.close_prompt()
        self.action_next(-1, 0)

    def action_next(self, step: int, skip: int = 1) -> None:
        self._read_on(partial(self._search, step, skip))

    async def _search(self, step: int, skip: int) -> None:
        """Find the next match, reading more lines where the window ends."""
        view = self.query_one(LineView)
        if not view.needle:
            return
        start = self._row_of(view.cursor) + step * skip
        searched = 0
        while (index := self._window.find(view.needle, start, step)) is None:
            searched += CHUNK
            self._say(f"searched {searched} lines ... Esc stops")
            count = len(self._window.lines)
            if step < 0:
                added = await self._older() if self._window.has_older else 0
                start = added - 1
            else:
                added, dropped = await self._newer() if self._window.has_newer else (0, 0)
                start = count - dropped
            if not added:
                self._say(f"{view.needle}: no more matches {'above' if step < 0 else 'below'}")
                return
        self._is_following = False
        self._say("")
        self._go_to_match(index)

    def _go_to_match(self, index: int) -> None:
        """Move the cursor to the match in a line; wrap the lines if it is beyond the right edge."""
        view = self.query_one(LineView)
        line = self._window.lines[index]
        row = row_of_match(line, styled_log_line(line, self._stamps, self._width, is_wrapped=True), view.needle)
        if row > 0 and not self._is_wrapped:
            self.action_wrap()
        view.go(self._rows.index(index) + row)

    def action_copy(self) -> None:
        row = self._row_of(self.query_one(LineView).cursor)
        if row < len(self._window.lines):
            self.app.copy_to_clipboard(self._window.lines[row].text)
            self.notify("copied the line, if the terminal allows it", timeout=2)

    def action_back(self) -> None:
        self.workers.cancel_group(self, "read")
        if self.leave_search():
            self._say("")
        else:
            self.dismiss(None)
