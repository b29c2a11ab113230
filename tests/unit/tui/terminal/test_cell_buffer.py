"""What is written brings the terminal from what it shows to what it should show, and is little."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style

from tests.helpers.pty_terminal import Screen, Start, Terminal
from tui.terminal.cell_buffer import PLAIN, CellBuffer, Piece, sgr_of, switch

pytestmark = pytest.mark.slow

WIDTH, HEIGHT = 30, 4
SYSTEM = ColorSystem.TRUECOLOR
STYLES = tuple(
    sgr_of(style, SYSTEM)
    for style in (
        Style(),
        Style(color="#102030"),
        Style(color="#102030", bgcolor="#405060", bold=True),
        Style(bgcolor="#405060", reverse=True, underline=True),
        Style(color="#a0b0c0", italic=True),
    )
)
PIECES = st.tuples(st.text("ab 1⣿│日\u0301", max_size=12), st.sampled_from(STYLES))
PUTS = st.lists(st.tuples(st.integers(0, WIDTH - 1), st.integers(-1, HEIGHT), st.lists(PIECES, max_size=4)), max_size=6)


class Shown:
    """A terminal that takes what a canvas writes."""

    def __init__(self) -> None:
        self.screen = Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)

    def take(self, words: str) -> None:
        self.stream.feed(words)

    def cells(self) -> list[list[tuple[str, ...]]]:
        return [[look(self.screen.buffer[y][x]) for x in range(WIDTH)] for y in range(HEIGHT)]


def look(cell: pyte.screens.Char) -> tuple[str, ...]:
    """Return what a person sees of a cell: nothing of the colour of a space."""
    is_blank = cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough)
    return (" ", cell.bg) if is_blank else tuple(map(str, cell))


def painted(puts: list[tuple[int, int, list[Piece]]]) -> list[list[tuple[str, ...]]]:
    """Return what a fresh terminal shows after these puts alone."""
    canvas, shown = CellBuffer(WIDTH, HEIGHT), Shown()
    for x, y, pieces in puts:
        canvas.put(x, y, pieces)
    canvas.invalidate(range(HEIGHT))
    shown.take(canvas.changes())
    return shown.cells()


@given(st.lists(PUTS, max_size=5))
def test_step_by_step_the_terminal_shows_what_one_picture_of_it_all_would_show(
    steps: list[list[tuple[int, int, list[Piece]]]],
) -> None:
    canvas, shown = CellBuffer(WIDTH, HEIGHT), Shown()
    canvas.invalidate(range(HEIGHT))
    shown.take(canvas.changes())
    for puts in steps:
        for x, y, pieces in puts:
            canvas.put(x, y, pieces)
        shown.take(canvas.changes())
    assert shown.cells() == painted([put for puts in steps for put in puts])
    assert canvas.changes() == ""


def ready(words: str) -> CellBuffer:
    """Return a canvas whose terminal shows a line already."""
    canvas = CellBuffer(WIDTH, HEIGHT)
    canvas.put(0, 1, [(words.ljust(WIDTH), STYLES[2])])
    canvas.changes()
    return canvas


def test_a_digit_costs_a_place_a_style_and_itself() -> None:
    canvas = ready("cpu 10 of 20")
    canvas.put(0, 1, [("cpu 17 of 20".ljust(WIDTH), STYLES[2])])
    assert canvas.changes() == "\x1b[2;6H\x1b[1;38;2;16;32;48;48;2;64;80;96m7\x1b[0m"


def test_what_is_far_apart_is_jumped_to_and_what_is_near_written_over() -> None:
    canvas = ready("1 1             1")
    canvas.put(0, 1, [("2 2             2".ljust(WIDTH), STYLES[2])])
    words = canvas.changes()
    assert "2 2\x1b[13C2" in words
    assert words.count("m") == 2, "one style for all, and the end of it"


def test_the_same_again_writes_nothing() -> None:
    canvas = ready("same")
    canvas.put(0, 1, [("same".ljust(WIDTH), STYLES[2])])
    assert canvas.changes() == ""


def test_a_line_that_is_not_trusted_is_written_whole() -> None:
    canvas = ready("whole")
    canvas.invalidate([1])
    assert "whole".ljust(WIDTH) in canvas.changes()


def test_behind_characters_on_which_terminals_differ_the_place_is_said_again() -> None:
    canvas = ready("")
    canvas.put(0, 1, [("日本 12.5", STYLES[0])])
    words = canvas.changes()
    assert "本\x1b[2;5H" in words
    shown = Shown()
    shown.take(words)
    assert "".join(shown.screen.buffer[1][x].data for x in range(9)) == "日本 12.5"
    canvas.put(5, 1, [("13.5", STYLES[0])])
    assert "日" in canvas.changes(), "such a line is written whole"
    canvas.put(0, 1, [("plain".ljust(WIDTH), STYLES[0])])
    canvas.changes()
    canvas.put(0, 1, [("plaiN", STYLES[0])])
    assert len(canvas.changes()) < 12, "it is one like others again"


def test_a_mark_joins_the_character_before_it() -> None:
    canvas, shown = ready(""), Shown()
    canvas.put(0, 1, [("e\u0301a", STYLES[0])])
    shown.take(canvas.changes())
    assert shown.screen.buffer[1][1].data == "a"


def test_a_terminal_without_colours_is_sent_none() -> None:
    assert sgr_of(Style(color="#102030", bold=True), None) == PLAIN
    canvas = CellBuffer(WIDTH, HEIGHT)
    canvas.put(0, 0, [("bold", PLAIN)])
    canvas.changes()
    canvas.put(0, 0, [("cold", PLAIN)])
    assert canvas.changes() == "\x1b[1;1Hc"


def test_spaces_need_no_other_pen() -> None:
    canvas = ready("12      12")
    one, other = (sgr_of(Style(color=colour, bgcolor="#405060"), SYSTEM) for colour in ("#010203", "#040506"))
    canvas.put(0, 1, [("1    ", one), ("    ", other), (" 3", one)])
    assert canvas.changes().count("m") == 2


def test_only_what_differs_of_a_style_is_sent() -> None:
    one, other = (sgr_of(Style(color=colour, bgcolor="#000000"), SYSTEM) for colour in ("#010203", "#040506"))
    assert switch(one, other) == "\x1b[38;2;4;5;6m"
    assert switch(one, PLAIN) == "\x1b[39;49m"
    bold, lined = sgr_of(Style(bold=True), SYSTEM), sgr_of(Style(underline=True), SYSTEM)
    assert switch(PLAIN, bold) == "\x1b[1m"
    assert switch(bold, one) == "\x1b[22;38;2;1;2;3;48;2;0;0;0m"
    assert switch(lined, bold) == "\x1b[0;1m"


def looks(terminal: Terminal, first: int) -> list[list[tuple[str, ...]]]:
    """Return the cells of a terminal from a line on, each with its colours and attributes."""
    return [
        [look(terminal.screen.buffer[y][x]) for x in range(terminal.screen.columns)]
        for y in range(first, terminal.screen.lines)
    ]


HOVER = "\x1b[<35;{};{}M"
"""The mouse moves to a column and a line (xterm's SGR mode)."""


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(["jj vj"], id="the table"),
        pytest.param(["t", "j", "\r"], id="a tree with a folded group"),
        pytest.param(["/", "nothing-is-called-so\r", "j"], id="no workload"),
        pytest.param(["/", "nothing\r", "/", "\x15name=mail\r"], id="none, and then one"),
        pytest.param(["/", "nothing\r", "\x1b"], id="none, and then all"),
        pytest.param(["\r", "j", "k", "j"], id="a workload's charts"),
        pytest.param(["\r", "2", "j", "3", "5"], id="a workload's pages"),
        pytest.param(
            ["?", "j", "j", *(HOVER.format(x, 12) for x in range(112, 118))], id="help, and the mouse over it"
        ),
        pytest.param(["s", "j", "j", *(HOVER.format(x, 12) for x in range(60, 110, 5))], id="a chooser"),
        pytest.param([" ", " ", "=", "j"], id="a comparison"),
        pytest.param(["o", "j", "a"], id="large panes"),
    ],
)
def test_what_differs_makes_the_picture_that_textual_would_paint(start: Start, keys: list[str]) -> None:
    terminal = start("demo", "--workloads", "60", "--interval", "60")
    terminal.wait_for(lambda: "●" in terminal.text(), 20, "the fleet")
    settle(terminal)
    for key in keys:
        after(terminal, partial(terminal.press, key), 0.5 if key.startswith("\x1b[<") else 5)
    terminal.wait_for(lambda: "stopped workloads" not in terminal.text(), 10, "the end of a notice")
    before = looks(terminal, 1)  # below the header, which tells vmtop's own cost, now
    after(terminal, partial(terminal.resize, 119, 40), 20)
    assert looks(terminal, 1) != before
    terminal.resize(120, 40)  # Textual paints all of it
    terminal.wait_for(lambda: looks(terminal, 1) == before, 20, "the same picture")


def after(terminal: Terminal, act: Callable[[], None], most_s: float) -> None:
    """Do something, wait until anything comes of it, then until nothing more comes."""
    act()
    if terminal.take(most_s):
        settle(terminal)


def settle(terminal: Terminal, quiet_s: float = 0.5, most_s: float = 3.0) -> None:
    """Read until nothing more comes; a cursor that blinks has no end."""
    deadline = time.monotonic() + most_s
    while terminal.take(quiet_s) and time.monotonic() < deadline:
        pass


def test_ticks_under_a_dialogue_write_what_differs(start: Start) -> None:
    terminal = start("demo", "--workloads", "40", "--interval", "0.5")
    terminal.wait_for(lambda: "●" in terminal.text(), 20, "the fleet")
    terminal.press("w")
    terminal.wait_for(lambda: "╯" in terminal.text(), 20, "a page")
    terminal.read(2)
    before = len(terminal.received)
    terminal.read(4)
    assert len(terminal.received) - before < 8 * 4096, "a whole picture takes 20,000"


def test_an_order_to_paint_anew_mends_what_something_else_wrote(start: Start) -> None:
    terminal = start("demo", "--workloads", "20")
    terminal.wait_for(lambda: "●" in terminal.text(), 20, "the fleet")
    terminal.press("z")
    terminal.wait_for(lambda: "FROZEN" in terminal.text(), 10, "a frozen view")
    terminal.read(1)
    before = terminal.text().splitlines()[1:]
    for y in range(1, terminal.screen.lines + 1):
        terminal._stream.feed(f"\x1b[{y};1Hsomething else".encode())
    terminal.press("\x0c")
    terminal.wait_for(lambda: terminal.text().splitlines()[1:] == before, 20, "the picture as it was")
    terminal.press("w")
    terminal.wait_for(lambda: "╯" in terminal.text(), 20, "a page")
    terminal._stream.feed(b"\x1b[20;60Hsomething else")
    terminal.press("\x0c")
    terminal.wait_for(lambda: "something else" not in terminal.text(), 20, "the same in front of a dialogue")


def test_what_was_left_out_behind_a_slow_line_comes_when_it_is_free_again(start: Start) -> None:
    terminal = start("demo", "--workloads", "20", "--interval", "60")  # no next reading paints what is missing
    terminal.wait_for(lambda: "●" in terminal.text(), 20, "the fleet")
    terminal.read(1.5)
    answer, kept = terminal.screen.answer, list[str]()
    terminal.screen.answer = kept.append
    terminal.press("r")
    terminal.wait_for(lambda: "▲CPU%" in terminal.text(), 10, "the first picture, after which the line is behind")
    terminal.read(0.5)
    terminal.press("M")
    terminal.read(1)
    assert "▼MEM" not in terminal.text()
    assert answer is not None
    terminal.screen.answer = answer
    answer(kept[0])
    terminal.wait_for(lambda: "▼MEM" in terminal.text(), 10, "what was left out")


def test_what_lies_over_the_lines_stays_there_while_they_change(start: Start) -> None:
    terminal = start("demo", "--workloads", "60", "--interval", "0.2")
    terminal.wait_for(lambda: "●" in terminal.text(), 20, "the fleet")
    terminal.press("a")
    terminal.wait_for(lambda: "showing stopped workloads" in terminal.text(), 20, "a notice")
    shown = time.monotonic()
    for _ in range(4):
        terminal.read(0.3)
        assert "showing stopped workloads" in terminal.text() or time.monotonic() - shown > 1.5
    terminal.wait_for(lambda: "stopped workloads" not in terminal.text(), 20, "the end of the word")
    terminal.press("w")
    terminal.wait_for(lambda: "╯" in terminal.text(), 20, "a page")
    terminal.read(2)
    before = inside(terminal)
    terminal.read(1.5)
    assert inside(terminal) == before


def inside(terminal: Terminal) -> list[str]:
    """Return what stands in the box."""
    return [line.partition("│")[2].rpartition("│")[0] for line in terminal.text().splitlines() if "│" in line]
