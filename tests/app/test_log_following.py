"""Where the log screen stands while lines come and go: the cursor, the count of what is unseen, who still follows."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from textual.pilot import Pilot

from collectors.model.errors import SourceDown
from collectors.model.logs import LogLine
from tests.app.test_logs import WEB, Bench, MemoryLog, body, is_under_cursor, seen, showing
from tests.helpers.pilot_wait import rest, until
from tui.presenters.logs.buffer import CAPACITY, CHUNK
from tui.screens.logs import reader
from tui.screens.logs.screen import LogScreen
from tui.widgets.line_view import LineView


class SharedLog(MemoryLog):
    """A log that may have several followers; each of them sees every line."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.followers = 0

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        place = len(self.lines) if line is None else int(line.position) + 1
        self.followers += 1
        try:
            while not self.is_closed:
                while place < len(self.lines):
                    yield self.lines[place]
                    place += 1
                self.news.wait(0.02)
        finally:
            self.followers -= 1


def title(pilot: Pilot[None]) -> str:
    return seen(pilot).splitlines()[0]


def held(screen: LogScreen) -> int:
    return len(screen._window.lines)


async def test_when_older_lines_come_the_cursor_stays_on_its_line() -> None:
    screen = LogScreen([WEB], lambda: MemoryLog(3000))
    async with showing(screen) as pilot:
        view = screen.query_one(LineView)
        assert held(screen) == CHUNK
        view.go(1)
        await pilot.press("k")
        await until(pilot, lambda: held(screen) == 2 * CHUNK)
        assert is_under_cursor(pilot, "line 2000")
        assert "line 2000" in body(pilot)
        await pilot.press("k")
        assert is_under_cursor(pilot, "line 1999")


async def test_when_newer_lines_push_older_ones_out_the_cursor_stays_on_its_line() -> None:
    screen = LogScreen([WEB], lambda: MemoryLog(7000))
    async with showing(screen) as pilot:
        await pilot.press("g")
        await until(pilot, lambda: is_under_cursor(pilot, "line 0") and "FOLLOWING" not in title(pilot))
        for first in (*("line 0",) * 4, "line 1000", "line 2000"):
            last = screen._window.lines[-1]
            screen.query_one(LineView).go(held(screen) - 2)
            await pilot.press("j")
            await until(pilot, partial(begins_with, screen, first))
            assert is_under_cursor(pilot, last.text)
            assert last.text in body(pilot)


def begins_with(screen: LogScreen, text: str) -> bool:
    """As many lines went above as came below."""
    return screen._window.lines[0].text == text


async def test_what_is_painted_and_what_is_held_stay_the_same_lines_in_a_flood() -> None:
    log = MemoryLog(CHUNK)
    screen = LogScreen([WEB], lambda: log)
    async with showing(screen) as pilot:
        for number in range(CAPACITY):
            log.write(f"news {number}")
        await until(pilot, lambda: f"news {CAPACITY - 1}" in seen(pilot))
        assert held(screen) == len(screen._made) == len(screen._rows) == CAPACITY
        await pilot.press("k", "y")
        assert pilot.app.clipboard == f"news {CAPACITY - 2}"
        assert is_under_cursor(pilot, f"news {CAPACITY - 2}")


async def test_a_line_that_comes_between_reading_and_following_is_not_lost() -> None:
    class Busy(SharedLog):
        def last(self, count: int) -> list[LogLine]:
            lines = super().last(count)
            if len(self.lines) == 50:
                self.write("between")
            return lines

    async with showing(LogScreen([WEB], lambda: Busy(50))) as pilot:
        await until(pilot, lambda: body(pilot)[-2:] == ["line 49", "between"])


async def test_escape_ends_a_search_that_goes_on_then_its_marks_then_the_screen() -> None:
    may_read, asked = threading.Event(), threading.Event()

    class Slow(MemoryLog):
        def before(self, line: LogLine, count: int) -> list[LogLine]:
            asked.set()
            may_read.wait(10)
            return super().before(line, count)

    screen = LogScreen([WEB], lambda: Slow(3000))
    async with showing(screen) as pilot:
        await pilot.press("slash", *"line 17", "enter")
        await until(pilot, asked.is_set)
        assert screen.query_one(LineView).needle == "line 17"
        await pilot.press("escape")
        may_read.set()
        await rest(pilot)
        assert pilot.app.screen is screen
        assert screen.query_one(LineView).needle == ""
        assert is_under_cursor(pilot, "line 2999")
        assert held(screen) == CHUNK
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not screen)


@pytest.mark.parametrize("way_down", [("j",) * 4, ("G",), ("f",)], ids=str)
async def test_what_was_seen_is_no_longer_counted_as_new(way_down: tuple[str, ...]) -> None:
    log = SharedLog(50)
    async with showing(LogScreen([WEB], lambda: log)) as pilot:
        await pilot.press("k")
        for number in range(3):
            log.write(f"news {number}")
        await until(pilot, lambda: "3 new below" in title(pilot))
        for key in way_down:
            await pilot.press(key)
            await rest(pilot)
        await until(pilot, lambda: "FOLLOWING" in title(pilot) and is_under_cursor(pilot, "news 2"))
        await pilot.press("k")
        await until(pilot, lambda: "FOLLOWING" not in title(pilot))
        assert "new below" not in title(pilot)
        log.write("one more")
        await until(pilot, lambda: "1 new below" in title(pilot))


async def test_there_is_one_follower_however_often_it_is_taken_up_again() -> None:
    log = SharedLog(3000)
    async with showing(LogScreen([WEB], lambda: log)) as pilot:
        for number in range(3):
            await pilot.press("k")
            log.write(f"news {number}")
            await until(pilot, lambda: "1 new below" in title(pilot))
            await pilot.press("G")
            await until(pilot, partial(is_under_cursor, pilot, f"news {number}"))
        log.write("the last")  # a follower looks up when a line comes
        await until(pilot, lambda: log.followers == 1)
        await until(pilot, lambda: seen(pilot).count("the last") == 1)


async def test_a_line_that_comes_while_it_is_not_followed_is_there_once() -> None:
    log = SharedLog(50)
    async with showing(LogScreen([WEB], lambda: log)) as pilot:
        await pilot.press("f")
        log.write("news")
        await until(pilot, lambda: "1 new below" in title(pilot))
        assert "news" not in body(pilot)
        await pilot.press("f")
        await until(pilot, lambda: "FOLLOWING" in title(pilot) and "news" in body(pilot))
        log.write("more")
        await until(pilot, lambda: "more" in body(pilot))
        assert body(pilot)[-2:] == ["news", "more"]


async def test_why_a_log_is_not_followed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "FOLLOW_AGAIN_S", 0.0)

    class Broken(MemoryLog):
        def follow(self, line: LogLine | None) -> Iterator[LogLine]:
            raise SourceDown("the engine went away")
            yield

    async with showing(LogScreen([WEB], lambda: Broken(10))) as pilot:
        await until(pilot, lambda: "not following: the engine went away" in title(pilot))
        assert "FOLLOWING" not in title(pilot)


def shows_its_end(view: LineView) -> bool:
    """Return whether the last line is visible."""
    return view.top >= len(view.lines) - view.page


async def test_while_it_follows_the_end_stays_on_the_screen() -> None:
    log = MemoryLog(500)
    log.lines = [LogLine(n, float(n), False, f"{n} " + "x" * 300) for n in range(500)]
    async with showing(LogScreen([WEB], lambda: log)) as pilot:
        for key in ("w", "t", "w", "t", "w"):
            await pilot.press(key)
            assert body(pilot)[-1].endswith("x")
            view = pilot.app.screen.query_one(LineView)
            assert shows_its_end(view), f"after {key}"
            assert view.cursor == len(view.lines) - 1
            assert "FOLLOWING" in title(pilot)
        await pilot.resize_terminal(40, 12)
        await until(pilot, lambda: len(seen(pilot).splitlines()) == 12)
        await until(pilot, lambda: shows_its_end(view) and view.cursor == len(view.lines) - 1)


async def test_where_it_does_not_follow_the_cursor_stays_on_its_line_however_lines_are_shown() -> None:
    log = MemoryLog(500)
    log.lines = [LogLine(n, float(n), False, f"{n} " + "x" * 300) for n in range(500)]
    screen = LogScreen([WEB], lambda: log)
    async with showing(screen) as pilot:
        await pilot.press("pageup", "pageup")
        row = screen.row_of(screen.query_one(LineView).cursor)
        for key in ("w", "t", "w", "t", "w", "t"):
            await pilot.press(key)
            assert screen.row_of(screen.query_one(LineView).cursor) == row, f"after {key}"


@pytest.mark.parametrize("key", ["k", "j", "g", "G", "n", "pageup", "f"])
async def test_a_key_that_comes_before_the_log_is_open_does_not_keep_it_closed(key: str) -> None:
    log, may_open = MemoryLog(50), threading.Event()

    def open_it() -> MemoryLog:
        may_open.wait(10)
        return log

    async with Bench(LogScreen([WEB], open_it)).run_test() as pilot:
        await until(pilot, lambda: "opening" in seen(pilot))
        await pilot.press(key)
        may_open.set()
        await until(pilot, lambda: "line 49" in seen(pilot))
        await pilot.press("G")
        log.write("news")
        await until(pilot, lambda: "news" in seen(pilot))


async def test_a_log_that_opens_after_the_screen_was_left_is_closed() -> None:
    log, may_open = MemoryLog(50), threading.Event()

    def open_it() -> MemoryLog:
        may_open.wait(10)
        return log

    async with Bench(LogScreen([WEB], open_it)).run_test() as pilot:
        await until(pilot, lambda: "opening" in seen(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, LogScreen))
        may_open.set()
        await until(pilot, lambda: log.is_closed)


async def test_a_read_that_takes_long_says_how_long_and_ends_on_its_thread_when_it_is_left() -> None:
    class Endless(MemoryLog):
        is_interrupted = has_ended = False

        def before(self, line: LogLine, count: int) -> list[LogLine]:
            while not self.is_interrupted:
                time.sleep(0.01)
            self.has_ended = True
            return []

        def interrupt(self) -> None:
            self.is_interrupted = True

    log = Endless(3000)
    async with showing(LogScreen([WEB], lambda: log)) as pilot:
        await pilot.press("slash", *"nowhere", "enter")
        await until(pilot, lambda: "/nowhere  reading: 1 s ... Esc stops" in seen(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: log.has_ended)
