"""Folding of indented text, and the tones of JSON and XML. Plain, no Textual."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.presenters.styled_lines import Line, Run

_JSON = re.compile(r'(?P<indent>\s*)(?P<key>"(?:[^"\\]|\\.)*")(?P<colon>: )(?P<value>.*)')
_XML = re.compile(r"<[^>]*>?|[^<]+")


class Folds:
    """Which blocks of a text are folded. A line opens a block when the next is indented deeper."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self._depths = [len(line) - len(line.lstrip()) for line in lines]
        self._ends = self._find_ends()
        self._folded: set[int] = set()

    def _find_ends(self) -> list[int]:
        """For each line, the first after its block; its own successor if it opens none."""
        ends = [place + 1 for place in range(len(self.lines))]
        open_: list[int] = []
        for place, depth in enumerate(self._depths):
            while open_ and depth <= self._depths[open_[-1]]:
                ends[open_.pop()] = place
            open_.append(place)
        for left in open_:
            ends[left] = len(self.lines)
        return ends

    def opens(self, place: int) -> bool:
        """Whether a line opens a block."""
        return self._ends[place] > place + 1

    def is_folded(self, place: int) -> bool:
        return place in self._folded

    def visible(self) -> list[int]:
        """Return the places of the lines that show."""
        places, place = [], 0
        while place < len(self.lines):
            places.append(place)
            place = self._ends[place] if place in self._folded else place + 1
        return places

    def toggle(self, place: int) -> None:
        """Fold or unfold the block that a line opens, or else the one around it."""
        owner = place if self.opens(place) else self.parent(place)
        if owner is not None:
            self._folded.symmetric_difference_update({owner})

    def parent(self, place: int) -> int | None:
        """Return the line that opens the block around a line."""
        return next((one for one in range(place - 1, -1, -1) if self._ends[one] > place and self.opens(one)), None)

    def fold_all(self) -> None:
        """Fold every block but the outermost."""
        least = min(self._depths, default=0)
        self._folded = {one for one in range(len(self.lines)) if self.opens(one) and self._depths[one] > least}

    def unfold_all(self) -> None:
        self._folded.clear()

    def reveal(self, place: int) -> None:
        """Unfold whatever hides a line."""
        owner = self.parent(place)
        while owner is not None:
            self._folded.discard(owner)
            owner = self.parent(owner)

    def block(self, place: int) -> str:
        """Return the text of the block that a line opens, or the line."""
        return "\n".join(self.lines[place : self._ends[place]])


def toned(text: str) -> list[Run]:
    """Give the parts of a line of JSON or XML their tones."""
    if found := _JSON.fullmatch(text):
        value = found["value"]
        tone = "text" if value.startswith('"') else "plain"
        return [(found["indent"], "plain"), (found["key"], "key"), (found["colon"], "dim"), (value, tone)]
    if text.lstrip().startswith("<"):
        return [(part, "key" if part.startswith("<") else "text") for part in _XML.findall(text)]
    return [(text, "plain")]


def folded_line(folds: Folds, place: int, ascii_only: bool) -> Line:
    """Make the shown form of a line: its fold mark, its text, and what a folded block hides."""
    mark = "  "
    if folds.opens(place):
        closed, opened = ("+ ", "- ") if ascii_only else ("▸ ", "▾ ")
        mark = closed if folds.is_folded(place) else opened
    runs: list[Run] = [(mark, "fold"), *toned(folds.lines[place])]
    if folds.is_folded(place):
        runs.append((f"  ... {folds.block(place).count(chr(10))} lines", "dim"))
    return runs
