"""The logs of a workload: followed, searched, of any length in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from collectors.logs.model import Log, LogLine
from collectors.model import Workload
from collectors.sources.base import SourceError
from tui.format import fit
from tui.log_window import CHUNK, Inbox, LogWindow, shown
from tui.screens.searching import Searching
from tui.threads import in_thread
from tui.widgets.line_view import Line, LineView

DRAIN_S = 0.2
_KEYS = "f follow  / search  n N next  t times  w wrap  g G ends  y copy  Esc back"
_STAMPS = ("", "local", "utc")


class LogScreen(Searching, Screen[None]):
    """Shows a log.

    Args:
        workload: Whose.
        open_it: Opens the log; blocks, and is called on a thread.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    LogScreen > Static { height: 1; background: $primary-background; }
    LogScreen #title { text-style: bold; }
    LogScreen Input { height: 1; border: none; padding: 0; display: none; background: $surface;
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
        self._window = LogWindow()
        self._inbox = Inbox()
        self._rows: list[int] = []
        """For each line on the screen, its place in the window."""
        self._is_following = True
        self._is_wrapped = False
        self._stamps = ""
        self._words = "opening ..."

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield LineView(has_cursor=True)
        yield Input(placeholder="search", select_on_focus=False)
        yield Static(Text(f" {_KEYS}", no_wrap=True), id="footer")

    def on_mount(self) -> None:
        self.query_one(LineView).focus()
        self._say(self._words)
        self.set_interval(DRAIN_S, self._drain)
        self._begin()

    def on_unmount(self) -> None:
        if self._log is not None:
            self._log.close()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _begin(self) -> None:
        self.run_worker(self._load(), group="read", exclusive=True)

    async def _load(self) -> None:
        """Open the log, show its end, and follow it."""
        try:
            if self._log is None:
                self._log = await in_thread(self._open)
            lines = await in_thread(partial(self._log.last, CHUNK))
        except SourceError as error:
            self._fail(error)
            return
        self._window.start(lines)
        self._say("")
        self._show()
        self.query_one(LineView).go_to_end()
        self._follow_from(self._log, lines[-1] if lines else None)

    def _follow_from(self, log: Log, line: LogLine | None) -> None:
        """Follow on a daemon thread; a thread that hangs in an engine's call ends with the process."""
        inbox = self._inbox = Inbox()

        def run() -> None:
            try:
                for one in log.follow(line):
                    inbox.put(one)
                    if inbox is not self._inbox:
                        return
            except SourceError as error:
                inbox.put(LogLine(0, None, True, f"the log cannot be followed any more: {error.reason}"))

        threading.Thread(target=run, name="log", daemon=True).start()

    def _fail(self, error: SourceError) -> None:
        remedy = f" To mend it: {error.remedy}" if error.remedy else ""
        self._window.start([LogLine(0, None, True, f"{error.reason}.{remedy}")])
        self._window.has_older = False
        self._say("cannot be read")
        self._show()

    def _drain(self) -> None:
        """Take in what was followed; while one looks further up, only count it."""
        if self._window.has_newer:
            return
        lines = self._inbox.take()
        if not lines:
            return
        view = self.query_one(LineView)
        dropped = self._window.append(lines)
        self._show(0 if self._is_following else dropped)
        if self._is_following:
            view.go_to_end()

    def _show(self, dropped: int = 0) -> None:
        """Make the lines of the view; keep the cursor on its line when older ones went."""
        view = self.query_one(LineView)
        width = max(20, view.size.width - 1)
        kept = self._row_of(view.cursor) - dropped
        lines: list[Line] = []
        self._rows = []
        for place, line in enumerate(self._window.lines):
            made = shown(line, self._stamps, width, self._is_wrapped)
            lines += made
            self._rows += [place] * len(made)
        view.show(lines)
        if not self._is_following and kept >= 0 and kept in self._rows:
            view.go(self._rows.index(kept))
        self._say(self._words)

    def _row_of(self, cursor: int) -> int:
        return self._rows[cursor] if cursor < len(self._rows) else 0

    def _say(self, words: str) -> None:
        self._words = words
        parts = [self._workload.name, self._log.title if self._log else "log"]
        parts += [
            words or (f"{len(self._window.lines)} lines here" if self._window.lines else "nothing was written yet")
        ]
        parts.append("FOLLOWING" if self._is_following else "f or G follows")
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
            self.run_worker(self._older(), group="read", exclusive=True)
        elif is_end and self._window.has_newer:
            self.run_worker(self._newer(), group="read", exclusive=True)

    async def _older(self) -> bool:
        """Read what is before the window; return whether there was anything."""
        if self._log is None or not self._window.lines:
            return False
        self._say("reading older lines ...")
        try:
            older = await in_thread(partial(self._log.before, self._window.lines[0], CHUNK))
        except SourceError as error:
            self.notify(error.reason, severity="warning", markup=False)
            return False
        self._is_following = False
        added = self._window.prepend(older)
        self._say("")
        self._show(-added)
        return added > 0

    async def _newer(self) -> bool:
        """Read what is after the window; return whether there was anything."""
        if self._log is None or not self._window.lines:
            return False
        try:
            newer = await in_thread(partial(self._log.after, self._window.lines[-1], CHUNK))
        except SourceError as error:
            self.notify(error.reason, severity="warning", markup=False)
            return False
        self._window.has_newer = len(newer) >= CHUNK
        dropped = self._window.append(newer)
        self._show(dropped)
        if not self._window.has_newer:
            self._follow_from(self._log, self._window.lines[-1])
        return bool(newer)

    def action_follow(self) -> None:
        if self._is_following:
            self._is_following = False
            self._say("")
        else:
            self.action_last()

    def action_first(self) -> None:
        self.run_worker(self._to_beginning(), group="read", exclusive=True)

    async def _to_beginning(self) -> None:
        """Read back to the first line; Esc or any movement ends it."""
        while self._window.has_older and await self._older():
            self.query_one(LineView).go(0)
        self._is_following = False
        self.query_one(LineView).go(0)
        self._say("")

    def action_last(self) -> None:
        self._is_following = True
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
        self.run_worker(self._search(step, skip), group="read", exclusive=True)

    async def _search(self, step: int, skip: int) -> None:
        """Find the next match, reading on where the window ends."""
        view = self.query_one(LineView)
        if not view.needle:
            return
        start = self._row_of(view.cursor) + step * skip
        looked = 0
        while (place := self._window.find(view.needle, start, step)) is None:
            looked += CHUNK
            self._say(f"searching, {looked} lines ... Esc ends it")
            before = len(self._window.lines)
            if not (await self._older() if step < 0 and self._window.has_older else await self._further(step)):
                self._say(f"{view.needle}: no more of it {'above' if step < 0 else 'below'}")
                return
            start = len(self._window.lines) - before - 1 if step < 0 else max(0, before - CHUNK)
            start = CHUNK - 1 if step < 0 and start < 0 else start
        self._is_following = False
        self._say("")
        view.go(self._rows.index(place))

    async def _further(self, step: int) -> bool:
        return step > 0 and self._window.has_newer and await self._newer()

    def action_copy(self) -> None:
        row = self._row_of(self.query_one(LineView).cursor)
        if row < len(self._window.lines):
            self.app.copy_to_clipboard(self._window.lines[row].text)
            self.notify("the line is in the clipboard, if the terminal allows it", timeout=2)

    def action_back(self) -> None:
        self.workers.cancel_group(self, "read")
        if self.leave_search():
            self._say("")
        else:
            self.dismiss(None)
