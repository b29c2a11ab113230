"""Lines of styled text: what the scrolling widgets draw. Plain, no Textual."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich.cells import cell_len

from tui.presenters.formatting import fit

Run = tuple[str, str]
"""A text and its tone: a role (`tui/themes/roles.py`), with attributes after it if need be: `warn reverse`."""


Line = Sequence[Run]


_NARROWEST = 16
"""Cells into which a text is broken at least; on a screen that is narrower it is cut."""


def plain_text(line: Line) -> str:
    """Return a line without its tones."""
    return "".join(text for text, _ in line)


def wrapped(line: Line, width: int) -> list[Line]:
    """Break a line into lines of at most `width` cells."""
    if cell_len(plain_text(line)) <= width:
        return [line]
    if len(line) == 1 and line[0][0].isascii():  # the usual case, many times a second
        text, tone = line[0]
        return [[(text[start : start + width], tone)] for start in range(0, len(text), width)]
    lines: list[list[Run]] = [[]]
    room = width
    for text, tone in line:
        for character in text:
            size = cell_len(character)
            if size > room:
                lines.append([])
                room = width
            if lines[-1] and lines[-1][-1][1] == tone:
                lines[-1][-1] = (lines[-1][-1][0] + character, tone)
            else:
                lines[-1].append((character, tone))
            room -= size
    return list(lines)


def cut(line: Line, width: int) -> Line:
    """Return a line of exactly `width` cells: padded, or cut with an ellipsis."""
    room = width - cell_len(plain_text(line))
    if room >= 0:
        return [*line, (" " * room, "text")]
    runs: list[Run] = []
    room = width
    for text, tone in line:
        size = cell_len(text)
        if size >= room:  # there is more than this
            return [*runs, (fit(f"{text}  ", room), tone)]
        runs.append((text, tone))
        room -= size
    return runs


def hanging(head: Line, text: str, tone: str, width: int) -> list[Line]:
    """Return a head with a text after it, broken at words; the lines after the first one begin under the text.

    What does not fit for lack of a space to break at, or of width, is cut with an ellipsis.
    """
    indent = cell_len(plain_text(head))
    room = max(_NARROWEST, width - indent)
    first, *others = [text] if cell_len(text) <= room else textwrap.wrap(text, room, break_on_hyphens=False) or [""]
    lines = [[*head, (first, tone)], *([(" " * indent, tone), (part, tone)] for part in others)]
    return [no_wider(line, width) for line in lines]


def no_wider(line: Line, width: int) -> Line:
    """Return a line as it is, or cut with an ellipsis where it is wider."""
    return line if cell_len(plain_text(line)) <= width else cut(line, width)


def rule_line(left: Line, right: str, width: int, ascii_only: bool = False) -> Line:
    """Return a rule with words in it; those at the right only where there is room for all."""
    dash = "-" if ascii_only else "─"
    line: list[Run] = [(f"{dash} ", "border"), *left, (" ", "text")]
    gap = width - cell_len(plain_text(line))
    if gap < 0:
        return cut(line, width)
    room = gap - cell_len(right) - 3
    if not right or room < 1:
        return [*line, (dash * gap, "border")]
    return [*line, (dash * room, "border"), (f" {right} ", "muted"), (dash, "border")]
