"""The last line of every screen: keys that work here, whole words or none, with help and the way out always there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

from tui.keys.key import Key, first_key
from tui.presenters.formatting import fit

PINNED_FROM = 100
"""Rows of this rank and above stand at the right end, at any width."""
_GAP = 2
_MARGIN = 1


class FooterPiece(NamedTuple):
    """A piece of the footer that runs one action when it is clicked."""

    x: int
    text: str
    action: str
    is_key: bool


class _Entry(NamedTuple):
    """The rows that share a word, such as `[ ] minute`."""

    rows: tuple[Key, ...]

    @property
    def width(self) -> int:
        return sum(len(first_key(row.keys)) + 1 for row in self.rows) + len(self.rows[0].word)

    def pieces(self, x: int) -> Iterable[FooterPiece]:
        """Return the keys, then the word, which does what the first key does."""
        for row in self.rows:
            name = first_key(row.keys)
            yield FooterPiece(x, name + " ", row.action, True)
            x += len(name) + 1
        yield FooterPiece(x, self.rows[0].word, self.rows[0].action, False)


def footer_pieces(rows: Iterable[Key], width: int) -> list[FooterPiece]:
    """Return what the footer shows, from left to right.

    Args:
        rows: The keys of the screen; those without a word or a rank are left out.
        width: Cells of the line.
    """
    shown = sorted((row for row in rows if row.word and row.rank), key=lambda row: row.rank)
    entries = [_Entry(tuple(group)) for _, group in groupby(shown, key=lambda row: (row.rank, row.word))]
    pinned = [entry for entry in entries if entry.rows[0].rank >= PINNED_FROM]
    room = width - _MARGIN
    while pinned and _width(pinned) > room - _MARGIN:
        pinned.pop(0)
    right = room - _width(pinned)
    chosen: list[_Entry] = []
    for entry in entries:
        fits = _MARGIN + _width([*chosen, entry]) + _GAP <= right
        if entry.rows[0].rank < PINNED_FROM and fits:
            chosen.append(entry)
    return [*_placed(chosen, _MARGIN), *_placed(pinned, right)]


def notice_lines(message: str, width: int) -> list[str]:
    """Return a notice in one or two lines of at most `width` cells.

    What does not fit is left out from the folders of its paths, then from its end, with an ellipsis.
    """
    words = message.split()
    if cell_len(" ".join(words)) <= width:
        return [" ".join(words)]
    lines = _wrapped(words, width)
    if len(lines) > 2:
        lines = _wrapped([f"…/{word.rpartition('/')[2]}" if word.count("/") > 1 else word for word in words], width)
    first, *rest = lines
    return [fit(line, width).rstrip() for line in (first, " ".join(rest)) if line]


def _wrapped(words: Sequence[str], width: int) -> list[str]:
    return textwrap.wrap(" ".join(words), max(1, width), break_on_hyphens=False)


def room_of(pieces: Iterable[FooterPiece], rows: Iterable[Key], width: int) -> int:
    """Return the cells left of the words that are always there."""
    pinned = {row.action for row in rows if row.rank >= PINNED_FROM}
    return min((piece.x for piece in pieces if piece.action in pinned), default=width) - _GAP - _MARGIN


def action_at(pieces: Iterable[FooterPiece], x: int) -> str:
    """Return the action of the piece at a column; empty between the words."""
    return next((piece.action for piece in pieces if piece.x <= x < piece.x + len(piece.text)), "")


def _width(entries: Sequence[_Entry]) -> int:
    return sum(entry.width for entry in entries) + _GAP * max(0, len(entries) - 1)


def _placed(entries: Iterable[_Entry], x: int) -> Iterable[FooterPiece]:
    for entry in entries:
        yield from entry.pieces(x)
        x += entry.width + _GAP
