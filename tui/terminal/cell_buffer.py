"""What the terminal shows and what it should show, cell by cell, and the fewest bytes that turn one into the other.

Textual writes a widget's whole line when one number of it changed. Most of a line stays as it is from tick to tick, so
only cells that differ are written, with the shortest cursor movements and only the changed parts of a style.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress
from operator import is_not, ne
from typing import NamedTuple

from rich.cells import cell_len, get_character_cell_size
from rich.color import ColorSystem
from rich.style import Style

_UNSEEN = {"", "1", "2", "3"}
"""Bold, dim and italic: attributes that make no difference to a space."""
_WEIGHTS = {"", "1", "2"}
"""Bold and dim: attributes that one parameter ends while the colours stay."""
_UNKNOWN = "\0"
"""A cell whose content on the terminal is unknown."""
_NARROW = re.compile("[ -~¡-¬®-ʯΑ-Ωα-ωА-я‖…─-◼✗⠀-⣿]*").fullmatch
"""Texts of which each character is one cell wide: letters, and what sparklines, bars and signs are drawn with."""
_NEAR = 4
"""A gap of at most this many cells is written again rather than skipped, if the style stays."""


class Sgr(NamedTuple):
    """A style as parameters of SGR (ECMA-48, 8.3.117), without the terminal's default colours."""

    attributes: str
    colour: str
    background: str
    ground: str
    """What a space looks like: pens with equal ground paint equal spaces."""


PLAIN = Sgr("", "", "", "")
Piece = tuple[str, Sgr]
"""Text in one style."""


@lru_cache(4096)
def sgr_of(style: Style, system: ColorSystem | None) -> Sgr:
    """Return the pen for a style; `PLAIN` on a terminal without colours, which has no attributes either."""
    if system is None:
        return PLAIN
    sequence = style.without_color.update_link(None).render("x", color_system=system)
    attributes = sequence[2 : sequence.index("m")] if sequence.startswith("\x1b[") else ""
    colours = [
        ";".join(color.downgrade(system).get_ansi_codes(is_front)) if color is not None and not color.is_default else ""
        for color, is_front in ((style.color, True), (style.bgcolor, False))
    ]
    is_seen = not set(attributes.split(";")) <= _UNSEEN
    colour, background = colours
    return Sgr(attributes, colour, background, f"{attributes} {colour} {background}" if is_seen else background)


@lru_cache(4096)
def switch(before: Sgr, after: Sgr) -> str:
    """Return the SGR sequence that switches from one pen to another; empty if they are equal."""
    if before == after:
        return ""
    codes: list[str] = []
    if before.attributes != after.attributes:
        if not set(before.attributes.split(";")) <= _WEIGHTS:
            return f"\x1b[{';'.join(['0', *filter(None, after[:3])])}m"
        codes = ["22"] if before.attributes else []
        codes += [after.attributes] if after.attributes else []
    codes += [after.colour or "39"] if before.colour != after.colour else []
    codes += [after.background or "49"] if before.background != after.background else []
    return f"\x1b[{';'.join(codes)}m"


class _Row:
    """One line: the text and the pen of each cell."""

    __slots__ = ("is_odd", "pens", "texts")

    def __init__(self, width: int, text: str) -> None:
        self.texts = [text] * width
        self.pens = [PLAIN] * width
        self.is_odd = False
        """Whether it holds characters that are not one cell wide: terminals differ on them, so it is never patched."""

    def halve(self, start: int, end: int) -> None:
        """Blank the remains of wide characters that the cells from `start` to before `end` will cut."""
        head, tail = start, end
        while head and not self.texts[head]:
            head -= 1
        self.texts[head:start] = " " * (start - head)
        while tail < len(self.texts) and not self.texts[tail]:
            tail += 1
        self.texts[end:tail] = " " * (tail - end)

    def takes(self, x: int, pen: Sgr) -> bool:
        """Return whether a cell may be written with a pen."""
        cell_pen = self.pens[x]
        return cell_pen is pen or (self.texts[x] == " " and cell_pen.ground == pen.ground)


class CellBuffer:
    """The cells of the terminal.

    Args:
        width: Columns.
        height: Lines.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._wanted = [_Row(width, " ") for _ in range(height)]
        self._shown = [_Row(width, _UNKNOWN) for _ in range(height)]
        self._dirty: set[int] = set()

    def put(self, x: int, y: int, pieces: Sequence[Piece]) -> None:
        """Set the wanted content from a cell on; what is beyond the edges is cut."""
        if not 0 <= y < self.height:
            return
        row = self._wanted[y]
        self._dirty.add(y)
        line = "".join([text for text, _ in pieces])
        if row.is_odd or not _NARROW(line) or x + len(line) > self.width:
            self._put_odd(row, x, pieces)
            return
        pens: list[Sgr] = []
        for text, pen in pieces:
            pens += [pen] * len(text)
        row.texts[x : x + len(line)] = line
        row.pens[x : x + len(line)] = pens

    def _put_odd(self, row: _Row, x: int, pieces: Iterable[Piece]) -> None:
        """Set content piece by piece: what may be wide, beyond the edge, or cut a wide character in halves."""
        for text, pen in pieces:
            length = len(text)
            cells: Sequence[str] = text
            if not _NARROW(text):
                length = cell_len(text)
                cells = _cells(text, length)
                row.is_odd = row.is_odd or any(len(cell) != 1 for cell in cells)
            if not length or x >= self.width:
                continue
            end = min(x + length, self.width)
            if row.is_odd:
                row.halve(x, end)
            row.texts[x:end] = cells[: end - x]
            if end - x < length and not cells[end - x]:
                row.texts[end - 1] = " "  # a wide character that only half of fits
            row.pens[x:end] = [pen] * (end - x)
            x = end

    def invalidate(self, lines: Iterable[int]) -> None:
        """Mark lines of the terminal as unknown: they are written whole."""
        for y in lines:
            if 0 <= y < self.height:
                self._shown[y] = _Row(self.width, _UNKNOWN)
                self._dirty.add(y)

    def changes(self) -> str:
        """Return what makes the terminal show the wanted content, and record it as shown. Empty if nothing differs."""
        out: list[str] = []
        pen = PLAIN
        for y in sorted(self._dirty):
            pen = self._change(y, pen, out)
        self._dirty.clear()
        if pen != PLAIN:
            out.append("\x1b[0m")
        return "".join(out)

    def _change(self, y: int, pen: Sgr, out: list[str]) -> Sgr:
        """Append the changes of one line, and return the pen that is set afterwards."""
        wanted, shown = self._wanted[y], self._shown[y]
        if wanted.texts == shown.texts and wanted.pens == shown.pens:
            return pen
        is_odd = wanted.is_odd or shown.is_odd
        if is_odd:
            wanted.is_odd = any(len(text) != 1 for text in wanted.texts)
            runs = _stretches(wanted.texts)
        else:
            differing = _differing(wanted, shown)
            if not differing:
                return pen
            runs = _runs(differing, wanted)
        column: int | None = None
        for start, end in runs:
            out.append(f"\x1b[{y + 1};{start + 1}H" if column is None or is_odd else f"\x1b[{start - column}C")
            pen = _write(wanted, start, end, pen, out)
            column = end
        shown.texts[:], shown.pens[:], shown.is_odd = wanted.texts, wanted.pens, wanted.is_odd
        return pen


def _differing(wanted: _Row, shown: _Row) -> list[int]:
    """Return the columns that look different in two lines."""
    columns = range(len(wanted.texts))
    texts = list(compress(columns, map(ne, wanted.texts, shown.texts)))
    if wanted.pens == shown.pens:
        return texts
    repainted = [
        x
        for x in compress(columns, map(is_not, wanted.pens, shown.pens))
        if wanted.texts[x] != " " or wanted.pens[x].ground != shown.pens[x].ground
    ]
    return sorted({*texts, *repainted}) if repainted else texts


def _write(row: _Row, start: int, end: int, pen: Sgr, out: list[str]) -> Sgr:
    """Append a run of cells; return the pen that is set afterwards."""
    pens = row.pens
    while start < end:
        next_pen = pen if row.takes(start, pen) else row.pens[start]
        next_start = start + 1
        while next_start < end and (pens[next_start] is next_pen or row.takes(next_start, next_pen)):
            next_start += 1
        if next_pen is not pen:
            out.append(switch(pen, next_pen))
            pen = next_pen
        out.append("".join(row.texts[start:next_start]))
        start = next_start
    return pen


def _runs(columns: list[int], row: _Row) -> list[tuple[int, int]]:
    """Return the runs that cover some columns, with the short gaps that need no other pen."""
    start, end = columns[0], columns[0] + 1
    runs = []
    for column in columns[1:]:
        gap = column - end
        if gap and (gap > _NEAR or not all(row.takes(x, row.pens[end - 1]) for x in range(end, column))):
            runs.append((start, end))
            start = column
        end = column + 1
    return [*runs, (start, end)]


def _stretches(texts: list[str]) -> list[tuple[int, int]]:
    """Return runs that cover a line, split where character widths may differ between terminals, so that none shifts."""
    starts = [x for x in range(1, len(texts)) if len(texts[x]) == 1 != len(texts[x - 1])]
    return list(zip([0, *starts], [*starts, len(texts)], strict=True))


def _cells(text: str, length: int) -> list[str]:
    """Return a text as cells: a wide character fills one and leaves the next empty, a mark joins the one before."""
    cells: list[str] = []
    head = 0
    for character in text:
        width = get_character_cell_size(character)
        if width:
            head = len(cells)
            cells += [character, *[""] * (width - 1)]
        elif cells:
            cells[head] += character
    return cells if len(cells) == length else [text, *[""] * (length - 1)]
