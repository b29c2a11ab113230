"""The colours that real terminals show: the ground decides the theme, and every cell can be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.helpers.hostile_text import visit
from tests.helpers.late_terminal import LateTerminal
from tests.helpers.pty_terminal import Start, Terminal
from tests.terminal.test_terminal_kinds import colours_of
from tui.themes.contrast import Rgb, code_of, contrast, rgb
from tui.themes.palette import PALETTES
from tui.themes.roles import ROLES, Use

pytestmark = pytest.mark.slow

TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
WHITE, BLACK, GREY = b"ffff/ffff/ffff", b"0000/0000/0000", b"2828/2c2c/3434"
DEMO = ["vmtop", "demo", "--workloads", "30"]


def shown_palette(terminal: Terminal) -> str:
    """Return the palette whose background most of the screen has; `none` if there is none."""
    shown = [terminal.screen.buffer[y][x].bg for y in range(terminal.screen.lines) for x in range(8)]
    commonest = max(set(shown), key=shown.count)
    grounds = {code_of(palette.colors["background"])[1:]: name for name, palette in PALETTES.items()}
    return grounds.get(commonest, "none")


def cells(terminal: Terminal) -> Iterator[tuple[str, Rgb, Rgb]]:
    """Yield each cell that is not blank: its character, its colour and its ground."""
    for y in range(terminal.screen.lines):
        for x in range(terminal.screen.columns):
            cell = terminal.screen.buffer[y][x]
            if cell.data.strip():
                assert len(cell.fg) == len(cell.bg) == 6, f"{x}, {y}: {cell.data!r} is {cell.fg} on {cell.bg}"
                front, back = rgb(f"#{cell.fg}"), rgb(f"#{cell.bg}")
                yield (cell.data, back, front) if cell.reverse else (cell.data, front, back)


def assert_readable(terminal: Terminal, palette: str) -> None:
    decorations = {PALETTES[palette].colors[role.name] for role in ROLES.values() if role.use is Use.DECORATION}
    for character, front, back in cells(terminal):
        is_drawing = character >= "\u2500"
        if not (is_drawing and decorations & {front, back}):  # the end of a scrollbar is reversed
            assert contrast(front, back) >= (3.0 if is_drawing else 4.5), (character, front, back)


@pytest.mark.parametrize(("ground", "palette"), [(WHITE, "light"), (BLACK, "dark"), (GREY, "dark")])
def test_the_theme_fits_the_ground_that_the_terminal_says_it_has(ground: bytes, palette: str) -> None:
    with closing(LateTerminal(DEMO, 0.0, ground, environment=TRUE_COLOUR)) as terminal:
        terminal.wait_for(lambda: "db-primary" in terminal.text(), 30, "the fleet")
        other = PALETTES["dark" if palette == "light" else "light"].colors["background"]
        assert "48;2;{};{};{}".format(*other).encode() not in terminal.received, "no other ground was painted before"
        assert shown_palette(terminal) == palette
        assert_readable(terminal, palette)
        for key, words in (("\r", "2 Facts"), ("2", "Facts"), ("\x1b", "q quit"), ("?", "Esc"), ("\x1b", "q quit")):
            visit(terminal, [(key, words)])
            assert_readable(terminal, palette)
        terminal.press("q")
        assert terminal.wait_exit(20) == 0


def test_a_terminal_that_does_not_answer_is_dark_and_keys_typed_meanwhile_are_kept(start: Start) -> None:
    terminal = start("demo", "--workloads", "30", environment=TRUE_COLOUR)  # pyte does not know the question
    terminal.wait_for(lambda: b"starting" in terminal.received, 30, "the first line")
    terminal.press("M")
    terminal.wait_for(lambda: "▼MEM" in terminal.text(), 30, "what the key does")
    assert shown_palette(terminal) == "dark"


def test_an_answer_that_comes_late_changes_the_theme_and_takes_no_key_with_it() -> None:
    with closing(LateTerminal(DEMO, 1.5, WHITE, environment=TRUE_COLOUR)) as terminal:
        terminal.wait_for(lambda: "vmtop" in terminal.text(), 30, "the screen")
        terminal.press("M")
        terminal.wait_for(lambda: shown_palette(terminal) == "light", 30, "the light theme")
        terminal.wait_for(lambda: "▼MEM" in terminal.text(), 30, "what the key does")


@pytest.mark.parametrize(
    ("ground", "colours"), [(WHITE, {"31", "34", "35"}), (BLACK, {"32", "91", "92", "93", "94", "95", "96", "97"})]
)
def test_of_16_colours_those_are_sent_that_are_legible_on_the_ground(ground: bytes, colours: set[str]) -> None:
    environment = {"TERM": "xterm-16color", "COLORTERM": None}
    with closing(LateTerminal(DEMO, 0.0, ground, environment=environment)) as terminal:
        terminal.wait_for(lambda: "db-primary" in terminal.text(), 30, "the fleet")
        used = colours_of(terminal)
        assert used <= colours
        assert {"34", "35"} <= used if ground == WHITE else {"92", "95", "96"} <= used


@pytest.mark.parametrize("theme", PALETTES)
def test_the_option_wins_over_the_ground(theme: str) -> None:
    with closing(LateTerminal([*DEMO, "--theme", theme], 0.0, WHITE, environment=TRUE_COLOUR)) as terminal:
        terminal.wait_for(lambda: "db-primary" in terminal.text(), 30, "the fleet")
        assert shown_palette(terminal) == theme
        assert b"]11;?" not in terminal.received
