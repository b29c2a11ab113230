"""The line under the header that the first runs show: the keys that a newcomer needs. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len

from tui.keys.key import Key, first_key
from tui.presenters.styled_lines import Line, Run, plain_text

_KEYS = (
    (("next", "previous"), "move"), (("look",), "open"), (("help",), "help"), (("filter",), "filter"),
    (("act",), "act"), (("rewind",), "rewind"), (("quit",), "quit"),
)  # fmt: skip
"""The most important first: on a narrow screen the last ones give way."""
_ORDER = ("next", "look", "filter", "act", "rewind", "help", "quit")
_END: tuple[Run, ...] = (("Esc", "accent bold"), (" hides", "muted"))


def first_run_line(rows: Iterable[Key], width: int) -> Line:
    """Return the line, with whole words only.

    Args:
        rows: The keys of the screen, with the user's own.
        width: Cells of the line.
    """
    by_name = {row.name: row for row in rows}
    start: list[Run] = [(" Welcome.", "title")]
    end = plain_text(_END)
    room = width - cell_len(plain_text(start)) - cell_len(end) - 3
    chosen: dict[str, list[Run]] = {}
    for names, word in _KEYS:
        keys = [first_key(by_name[name].keys) for name in names if name in by_name]
        piece: list[Run] = [("  ", "text"), (" ".join(keys), "accent bold"), (f" {word}", "text")]
        if keys and cell_len(plain_text(piece)) <= room:
            room -= cell_len(plain_text(piece))
            chosen[names[0]] = piece
    middle = [run for name in _ORDER if name in chosen for run in chosen[name]]
    used = cell_len(plain_text([*start, *middle])) + cell_len(end) + 1
    return [*start, *middle, (" " * max(2, width - used), "text"), *_END]
