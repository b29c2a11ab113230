"""The log screen and the inspect screen, through Textual's pilot on texts of the test's own."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from collectors.inspection.merged_log import MergedLog
from collectors.model.errors import AccessDenied
from collectors.model.logs import LogLine
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.pilot_wait import rest, until
from tui.dialogs.prompt import PromptDialog
from tui.presenters.logs import line as log_line
from tui.presenters.logs.buffer import CAPACITY
from tui.screens.logs import reader, rows
from tui.screens.logs.screen import LogScreen
from tui.themes.look import THEMES
from tui.widgets.line_view import LineView

WEB = Workload(WorkloadId("docker", "a" * 64), Kind.CONTAINER, "web", State.RUNNING)


class MemoryLog:
    """A log of numbered lines."""

    title = "memory"

    def __init__(self, count: int) -> None:
        self.lines = [LogLine(n, 1_700_000_000.0 + n, n % 10 == 9, f"line {n}") for n in range(count)]
        self.more: list[LogLine] = []
        self.news = threading.Event()
        self.is_closed = False

    def first(self, count: int) -> list[LogLine]:
        return self.lines[:count]

    def last(self, count: int) -> list[LogLine]:
        return self.lines[-count:]

    def until(self, wall: float, count: int) -> list[LogLine]:
        return [line for line in self.lines if line.at is not None and line.at <= wall][-count:]

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self.lines[max(0, int(line.position) - count) : int(line.position)]

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return self.lines[int(line.position) + 1 : int(line.position) + 1 + count]

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        yield from self.lines[0 if line is None else int(line.position) + 1 :]

    def interrupt(self) -> None:
        """Nothing is read for long."""

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        while not self.is_closed:
            self.news.wait(0.05)
            while self.more:
                yield self.more.pop(0)

    def write(self, text: str) -> None:
        line = LogLine(len(self.lines), None, False, text)
        self.lines.append(line)
        self.more.append(line)

    def close(self) -> None:
        self.is_closed = True


class Bench(App[None]):
    """Shows one screen."""

    def __init__(self, screen: Screen[None]) -> None:
        super().__init__()
        self.register_theme(THEMES["dark"])
        self.theme = THEMES["dark"].name
        self._shown = screen

    def on_mount(self) -> None:
        self.push_screen(self._shown)


@asynccontextmanager
async def showing(screen: Screen[None], size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[None]]:
    async with Bench(screen).run_test(size=size) as pilot:
        await rest(pilot)
        yield pilot


def seen(pilot: Pilot[None]) -> str:
    return "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())


def body(pilot: Pilot[None]) -> list[str]:
    """The lines between title and footer, without the scrollbar."""
    return [line[:79].rstrip() for line in seen(pilot).splitlines()[2:-1]]


def is_under_cursor(pilot: Pilot[None], text: str) -> bool:
    view = pilot.app.screen.query_one(LineView)
    return "".join(run for run, _ in view.lines[view.cursor]) == text


class TestLogScreen:
    async def test_the_end_is_shown_and_followed(self) -> None:
        log = MemoryLog(3000)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            assert "line 2999" in seen(pilot)
            assert "FOLLOWING" in seen(pilot)
            log.write("news")
            await until(pilot, lambda: "news" in seen(pilot))

    async def test_scrolling_up_ends_following_and_the_end_takes_it_up_again(self) -> None:
        log = MemoryLog(3000)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            await pilot.press("pageup", "pageup")
            assert "f or G to follow" in seen(pilot)
            before = body(pilot)
            for number in range(9000):  # more than the window holds
                log.write(f"news {number}")
            await until(pilot, lambda: "new below" in seen(pilot))
            assert body(pilot) == before
            await pilot.press("G")
            await until(pilot, lambda: "news 8999" in seen(pilot) and "FOLLOWING" in seen(pilot))

    async def test_twenty_thousand_lines_are_walked_in_bounded_memory(self) -> None:
        screen = LogScreen([WEB], lambda: MemoryLog(20_000))
        async with showing(screen) as pilot:
            await pilot.press("g")
            await until(pilot, lambda: seen(pilot).splitlines()[2].strip() == "line 0")
            assert len(screen._window.lines) <= CAPACITY
            assert len(screen.query_one(LineView).lines) <= CAPACITY
            await pilot.press("G")
            await until(pilot, lambda: "line 19999" in seen(pilot))

    async def test_a_search_goes_back_into_parts_that_are_not_held(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(20_000))) as pilot:
            await pilot.press("slash", *"line 1234", "enter")
            await until(pilot, lambda: "line 12349" in seen(pilot))
            await pilot.press("N")
            await until(pilot, lambda: "line 12348" in seen(pilot))
            await pilot.press("n")
            await until(pilot, lambda: "line 12349" in seen(pilot))
            await pilot.press("slash")
            pilot.app.screen.query_one(Input).value = "nowhere"
            await pilot.press("enter")
            await until(pilot, lambda: "nowhere is nowhere in this log" in seen(pilot))

    async def test_a_search_after_lines_were_followed_misses_nothing(self) -> None:
        log = MemoryLog(20_000)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            for number in range(500):
                log.write(f"more {number}")
            await until(pilot, lambda: "more 499" in seen(pilot))
            for wanted in ("line 15700", "line 10037"):
                await pilot.press("G", "slash", *wanted, "enter")
                await until(pilot, partial(is_under_cursor, pilot, wanted))

    async def test_a_follower_that_ended_is_taken_up_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "FOLLOW_AGAIN_S", 0.1)

        class Ending(MemoryLog):
            def follow(self, line: LogLine | None) -> Iterator[LogLine]:
                while self.more:
                    yield self.more.pop(0)

        log = Ending(10)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            await pilot.pause(0.5)
            log.write("after the restart")
            await until(pilot, lambda: "after the restart" in seen(pilot))

    async def test_wrapping_makes_only_new_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[LogLine] = []
        original = log_line.styled_log_line

        def count(line: LogLine, *rest: object) -> object:
            made.append(line)
            return original(line, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(rows, "styled_log_line", count)
        log = MemoryLog(3000)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            await pilot.press("w")
            made.clear()
            log.write("news")
            await until(pilot, lambda: "news" in seen(pilot))
            assert [line.text for line in made] == ["news"]

    async def test_a_search_goes_on_from_the_other_end_and_says_so(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(9000))) as pilot:
            await pilot.press("g")
            await until(pilot, partial(is_under_cursor, pilot, "line 0"))
            await pilot.press("slash", *"line 8", "enter")
            await until(pilot, partial(is_under_cursor, pilot, "line 8999"))
            assert "from the end again" in seen(pilot)
            await pilot.press("slash", *"line 12", "enter", "N", "n")
            await until(pilot, lambda: "match " in seen(pilot) and "line 12" in seen(pilot))

    async def test_only_lines_that_pass_are_shown_read_and_followed(self) -> None:
        log = MemoryLog(20_000)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            await pilot.press("ampersand", *"e 1999", "enter")
            await until(pilot, lambda: body(pilot)[:2] == ["line 1999", "line 19990"])
            assert 'only "e 1999"' in seen(pilot)
            assert "all 11 lines" in seen(pilot)
            log.write("something else")
            log.write("line 1999 again")
            await until(pilot, lambda: "line 1999 again" in seen(pilot))
            assert "something else" not in seen(pilot)
            await pilot.press("exclamation_mark")
            await until(pilot, lambda: 'all but "e 1999"' in seen(pilot) and "something else" in seen(pilot))
            assert "line 1999 again" not in seen(pilot)
            await pilot.press("escape")
            await until(pilot, lambda: "line 1999 again" in seen(pilot) and "all but" not in seen(pilot))
            assert isinstance(pilot.app.screen, LogScreen)

    async def test_where_it_does_not_follow_a_filter_keeps_the_place(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(3000))) as pilot:
            await pilot.press("pageup", "pageup", "pageup", "ampersand", *"!7", "enter")
            await until(pilot, lambda: 'all but "7"' in seen(pilot))
            view = pilot.app.screen.query_one(LineView)
            place = "".join(run for run, _ in view.lines[view.cursor])
            assert 2900 <= int(place.removeprefix("line ")) < 2960
            assert "7" not in place

    async def test_a_filter_that_passes_nothing_says_so(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(3000))) as pilot:
            await pilot.press("ampersand", *"nowhere", "enter")
            await until(pilot, lambda: "no line passes" in seen(pilot))

    async def test_times_are_gone_to_by_minutes_and_by_their_name(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(3000))) as pilot:
            await pilot.press("left_square_bracket")
            await until(pilot, partial(is_under_cursor, pilot, "line 2939"))
            await pilot.press("left_curly_bracket")
            await until(pilot, partial(is_under_cursor, pilot, "line 2339"))
            await pilot.press("right_square_bracket")
            await until(pilot, partial(is_under_cursor, pilot, "line 2399"))
            await pilot.press("G")
            await until(pilot, lambda: "FOLLOWING" in seen(pilot))

    async def test_a_log_without_times_says_that_it_has_none(self) -> None:
        log = MemoryLog(3)
        log.lines = [LogLine(n, None, False, f"line {n}") for n in range(3)]
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            await pilot.press("left_square_bracket")
            await until(pilot, lambda: "these lines have no times" in seen(pilot))

    async def test_the_log_of_a_past_moment_is_shown_up_to_it(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(3000), at=1_700_000_000.0 + 1234.5)) as pilot:
            await until(pilot, partial(is_under_cursor, pilot, "line 1234"))
            assert "f or G to follow" in seen(pilot)
            await pilot.press("j")
            await until(pilot, partial(is_under_cursor, pilot, "line 1235"))
            await pilot.press("G")
            await until(pilot, lambda: "line 2999" in seen(pilot) and "FOLLOWING" in seen(pilot))

    async def test_of_several_workloads_each_line_has_its_name(self) -> None:
        db = Workload(WorkloadId("docker", "b" * 64), Kind.CONTAINER, "database", State.RUNNING)
        merged = MergedLog([MemoryLog(3), MemoryLog(3)])
        async with showing(LogScreen([WEB, db], lambda: merged)) as pilot:
            assert "Log  web, database  2 logs merged" in seen(pilot)
            assert body(pilot)[:2] == ["web       line 0", "database  line 0"]
            view = pilot.app.screen.query_one(LineView)
            assert view.lines[0][0][1] != view.lines[1][0][1]

    async def test_logs_without_lines_are_named(self) -> None:
        db = Workload(WorkloadId("docker", "b" * 64), Kind.CONTAINER, "database", State.RUNNING)
        later = MemoryLog(3)
        later.lines = [line._replace(at=1_800_000_000.0) for line in later.lines]
        for logs, at, silent in (
            ([MemoryLog(3), MemoryLog(0)], None, "database"),
            ([MemoryLog(0), MemoryLog(3)], None, "web"),
            ([MemoryLog(1500), later], 1_700_000_100.0, "database"),
        ):
            async with showing(LogScreen([WEB, db], partial(MergedLog, logs), at=at)) as pilot:
                assert f"{silent}: no line among these" in seen(pilot)
        for logs in ([MemoryLog(3), MemoryLog(3)], [MemoryLog(0), MemoryLog(0)]):
            async with showing(LogScreen([WEB, db], partial(MergedLog, logs))) as pilot:
                assert "no line among these" not in seen(pilot)

    async def test_the_rest_of_long_lines_is_reached_sideways(self) -> None:
        log = MemoryLog(1)
        log.lines = [LogLine(0, 0.5, False, "x" * 85 + "END")]
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            assert "END" not in seen(pilot)
            await pilot.press("right")
            assert "END" in seen(pilot)
            await pilot.press("left")
            assert "END" not in seen(pilot)

    async def test_what_is_shown_is_saved_whole(self, tmp_path: Path) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(2500))) as pilot:
            pilot.app.install_screen(PromptDialog(), "ask")
            await pilot.press("ampersand", *"e 1", "enter")
            await until(pilot, lambda: 'only "e 1"' in seen(pilot) and "lines" in seen(pilot))
            await pilot.press("S")
            await until(pilot, lambda: isinstance(pilot.app.screen, PromptDialog))
            pilot.app.screen.query_one(Input).value = str(tmp_path / "x.log")
            await pilot.press("enter")
            await until(pilot, lambda: any("1,111 lines in" in note.message for note in pilot.app._notifications))
        lines = (tmp_path / "x.log").read_text().splitlines()
        assert lines[0] == "2023-11-14 22:13:21.000+00:00 line 1"
        assert (len(lines), (tmp_path / "x.log").stat().st_mode & 0o777) == (1111, 0o600)

    async def test_what_is_typed_after_the_slash_is_no_command(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(10))) as pilot:
            await pilot.press("slash", "q", "w", "t", "slash")
            assert isinstance(pilot.app.screen, LogScreen)
            assert pilot.app.screen.query_one(Input).value == "qwt/"

    async def test_times_and_wrapping(self) -> None:
        log = MemoryLog(1)
        log.lines = [LogLine(0, 0.5, False, "x" * 100)]
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            assert "".join(body(pilot)).count("x") == 79
            await pilot.press("w")
            assert "".join(body(pilot)).count("x") == 100
            await pilot.press("t", "t")
            assert "1970-01-01 00:00:00.500Z" in seen(pilot)

    async def test_what_is_found_beyond_the_edge_is_shown(self) -> None:
        log = MemoryLog(3)
        log.lines[1] = LogLine(1, 0.5, False, "x" * 40_000 + "END" + "y" * 400)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            await pilot.press("slash", *"END", "enter")
            await until(pilot, lambda: "END" in seen(pilot))
            view = pilot.app.screen.query_one(LineView)
            assert "END" in "".join(run for run, _ in view.lines[view.cursor])
            await pilot.press("y")
            assert pilot.app.clipboard == log.lines[1].text

    async def test_the_line_under_the_cursor_is_copied(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(50))) as pilot:
            await pilot.press("k", "y")
            assert pilot.app.clipboard == "line 48"

    async def test_a_log_that_cannot_be_read_is_a_sentence(self) -> None:
        def refuse() -> MemoryLog:
            raise AccessDenied("no permission to read it", "join the group")

        async with showing(LogScreen([WEB], refuse)) as pilot:
            assert "no permission to read it. Fix: join the group" in seen(pilot)
            for key in ("", "G", "f", "k"):
                await pilot.press(*key)
                assert "cannot be read" in seen(pilot).splitlines()[0]
                assert "follow" not in seen(pilot).splitlines()[0].lower(), f"after {key}"

    async def test_an_empty_log_says_that_nothing_was_written(self) -> None:
        async with showing(LogScreen([WEB], lambda: MemoryLog(0))) as pilot:
            assert "nothing logged yet" in seen(pilot)

    async def test_closing_ends_the_follower(self) -> None:
        log = MemoryLog(5)
        async with showing(LogScreen([WEB], lambda: log)) as pilot:
            await pilot.press("escape")
            await until(pilot, lambda: not any(thread.name == "log" for thread in threading.enumerate()))
            assert log.is_closed
