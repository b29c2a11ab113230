"""Searching that wraps and reaches everything, filters, and jumps by time."""

from __future__ import annotations

import time
from functools import partial

from textual.widgets import Input

from collectors.inspection.filtered_log import LineFilter
from collectors.model.logs import LogLine
from collectors.query.time_parser import TimeError, parse_time
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.prompt import ask
from tui.presenters.logs.buffer import CHUNK
from tui.presenters.logs.line import row_of_match, styled_log_line
from tui.screens.logs.reader import LogReader
from tui.screens.logs.rows import LogRows
from tui.screens.mixins.search_prompt import SearchPrompt
from tui.widgets.line_view import LineView

_EXAMPLES = "14:05, 2pm, yesterday 14:05, 2026-11-24 03:12, 10m ago"


class LogSearch(SearchPrompt, LogRows, LogReader):
    """A log screen with a prompt for `/` and `&`."""

    _prompt = "/"
    """What the prompt asks for: `/` a text to search, `&` a filter."""
    typed_keys = frozenset({"search", "only", "invert"})

    def action_search(self) -> None:
        self._prompt = "/"
        super().action_search()

    def action_only(self) -> None:
        typed = "" if self._filter is None else ("!" if self._filter.is_inverted else "") + self._filter.needle
        self._prompt = "&"
        self.open_prompt("only lines with this text; ! before it: all other lines", typed)

    def is_search(self) -> bool:
        return self._prompt == "/"

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.close_prompt()
        if self.is_search():
            self.action_next(-1, 0)
        else:
            self.set_filter(LineFilter.parse(event.value) if event.value else None)

    def leave_prompt(self) -> bool:
        """Close the prompt, else end the search, else the filter; return whether there was one of them."""
        if self.leave_search():
            return True
        if self._filter is None:
            return False
        self.set_filter(None)
        return True

    def action_invert(self) -> None:
        if self._filter is None:
            self.action_only()
        else:
            self.set_filter(LineFilter(self._filter.needle, not self._filter.is_inverted))

    def set_filter(self, line_filter: LineFilter | None) -> None:
        """Show only the lines that pass a filter; `None` for all. The view stays where it was."""
        row = self.row_of(self.query_one(LineView).cursor)
        anchor = self._window.lines[row] if not self._is_following and row < len(self._window.lines) else None
        self._filter = line_filter
        self._log = self._filtered()
        self.read_on(self._load if anchor is None else partial(self._show_around, anchor))

    async def _show_around(self, anchor: LogLine) -> None:
        """Show the lines up to one that was shown before, as far as they pass the filter."""
        lines = await self._read_beyond(lambda log: log.before(anchor, CHUNK), "the")
        if lines is not None:
            if self._filter is None or self._filter.passes(anchor):
                lines = [*lines, anchor]
            self._show_middle(lines, has_older=bool(lines), row=len(lines) - 1)

    def action_next(self, step: int, skip: int = 1) -> None:
        self.read_on(partial(self._search, step, skip))

    async def _search(self, step: int, skip: int) -> None:
        """Find the next match, reading on where the window ends, and from the other end of the log once."""
        view = self.query_one(LineView)
        if not view.needle:
            return
        start = self.row_of(view.cursor) + step * skip
        searched, has_wrapped = 0, False
        while (index := self._window.find(view.needle, start, step)) is None:
            searched += CHUNK
            count = len(self._window.lines)
            if step < 0:
                added = await self.older() if self._window.has_older else 0
                start = added - 1
            else:
                added, dropped = await self.newer() if self._window.has_newer else (0, 0)
                start = count - dropped
            if not added:
                if has_wrapped:
                    self.say(f"{view.needle} is nowhere in this log")
                    return
                has_wrapped = True
                start = await self._wrap(step)
            self.say(f"searched {searched:,} lines ... Esc stops")
        self._is_following = False
        self._go_to_match(index)
        place, count = self._window.matches(view.needle, index)
        round_trip = f", from the {'end' if step < 0 else 'beginning'} again" if has_wrapped else ""
        self.say(f"/{view.needle}  match {place} of {count} in the lines read{round_trip}")

    async def _wrap(self, step: int) -> int:
        """Show the other end of the log; return the index of the line to search on from."""
        if step > 0:
            if self._window.has_older:
                await self.show_beginning()
            return 0
        if self._window.has_newer and self._whole is not None:
            _, lines = await run_blocking(partial(self._end_of, self._whole))
            if is_up(self):
                self._window.start(lines)
                self.show_lines()
                self._follow_from(lines[-1] if lines else None)
        return len(self._window.lines) - 1

    def _go_to_match(self, index: int) -> None:
        """Move the cursor to the match in a line; wrap the lines if it is beyond the right edge."""
        view = self.query_one(LineView)
        line = self._window.lines[index]
        look = self.look._replace(is_wrapped=True)
        row = row_of_match(line, styled_log_line(line, look), view.needle)
        if row > 0 and not self.look.is_wrapped:
            self.action_wrap()
        view.go(self._rows.index(index) + (row if self.look.is_wrapped else 0))

    def action_leap(self, seconds: int) -> None:
        row = self.row_of(self.query_one(LineView).cursor)
        lines = self._window.lines[: row + 1]
        at = next((line.at for line in reversed(lines) if line.at is not None), None)
        if at is None:
            self.say("these lines have no times")
        else:
            self.read_on(partial(self.show_moment, at + seconds))

    def action_go_to(self) -> None:
        now = time.time()

        def check(text: str) -> str:
            try:
                parse_time(text, 0.0, now)
            except TimeError as error:
                return str(error)
            return ""

        def take(text: str) -> None:
            self.read_on(partial(self.show_moment, parse_time(text, 0.0, now)))

        ask(self, "Go to", "", _EXAMPLES, check, take)
