"""The help of one screen: what matters first, then every key by group, then signs, colours and columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import NamedTuple

from rich.cells import cell_len

from tui.keys.key import Key, key_names
from tui.presenters.formatting import fit
from tui.presenters.pages.legend import LEGENDS
from tui.presenters.styled_lines import Line

TWO_COLUMNS_FROM = 100
"""Cells."""
MOST_USED = 12
"""Rows of the first section; with them the first screen of help holds what matters."""
_LEFT = 20
_NARROWEST = 16


class Section(NamedTuple):
    """A heading with what it explains."""

    title: str
    rows: tuple[tuple[str, str], ...]
    """Pairs of a key, sign or column, and its meaning."""


def help_sections(screen: str, keys: Sequence[Key]) -> list[Section]:
    """Return the sections of a screen's help, in order.

    Args:
        screen: A name in `TABLES`.
        keys: Its keys, as they are for this user.
    """
    sections = [Section("Most used", tuple(map(_row, _most_used(keys))))]
    for group in dict.fromkeys(key.group for key in keys):
        sections.append(Section(group, tuple(_row(key) for key in keys if key.group == group)))
    return sections + [Section(title, rows) for title, rows in LEGENDS.get(screen, ())]


def matching(sections: Iterable[Section], typed: str) -> list[Section]:
    """Return what contains every word of a text, in any case; everything if the text is empty."""
    words = typed.casefold().split()
    if not words:
        return list(sections)
    found: dict[tuple[str, str], str] = {}
    for section in sections:
        for row in section.rows:
            text = f"{section.title} {row[0]} {row[1]}".casefold()
            if row not in found and all(word in text for word in words):
                found[row] = section.title
    titles = dict.fromkeys(found.values())
    return [Section(title, tuple(row for row, owner in found.items() if owner == title)) for title in titles]


def help_lines(sections: Iterable[Section], width: int) -> list[Line]:
    """Return the sections as lines of at most `width` cells, in two columns where there is room for them."""
    lines: list[Line] = []
    for section in sections:
        if lines:
            lines.append([("", "text")])
        lines.append([(f" {section.title}", "title")])
        if width < TWO_COLUMNS_FROM:
            lines += [line for row in section.rows for line in _entry(*row, width)]
            continue
        half = width // 2
        entries = [_entry(*row, half - 1) for row in section.rows]
        left, right = _halves(entries)
        lines += [[*_padded(first, half), *second] for first, second in zip_longest(left, right, fillvalue=())]
    return lines


def _most_used(keys: Sequence[Key]) -> list[Key]:
    """Return the keys of the footer in its order, with the ones that are always there at the end."""
    ranked = sorted((key for key in keys if key.word), key=lambda key: key.rank)
    pinned = [key for key in ranked if key.rank > 100]
    return [*ranked[: min(MOST_USED, len(ranked)) - len(pinned)], *pinned]


def _row(key: Key) -> tuple[str, str]:
    return key_names(key.keys), key.help


def _entry(left: str, right: str, width: int) -> list[Line]:
    """Return the lines of one row: what it explains, and its meaning wrapped under itself."""
    name_width = min(_LEFT, width // 3)
    room = max(_NARROWEST, width - name_width - 3)
    meaning = textwrap.wrap(right, room, break_on_hyphens=False) or [""]
    if cell_len(left) > name_width:
        first: list[Line] = [[(f" {left}", "accent")]]
    else:
        first = [[(f" {fit(left, name_width)}  ", "accent"), (meaning.pop(0), "text")]]
    return [*first, *([(" " * (name_width + 3) + line, "text")] for line in meaning)]


def _halves(entries: Sequence[list[Line]]) -> tuple[list[Line], list[Line]]:
    """Return two columns of about the same height; entries are read down the first one, then the second."""
    total = sum(map(len, entries))
    left: list[Line] = []
    rest = list(entries)
    while rest and (len(left) + len(rest[0]) <= (total + 1) // 2 or not left):
        left += rest.pop(0)
    return left, [line for entry in rest for line in entry]


def _padded(line: Line, width: int) -> list[tuple[str, str]]:
    used = sum(cell_len(text) for text, _ in line)
    return [*line, (" " * max(0, width - used), "text")]
