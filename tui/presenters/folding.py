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
        ends = [index + 1 for index in range(len(self.lines))]
        open_blocks: list[int] = []
        for index, depth in enumerate(self._depths):
            while open_blocks and depth <= self._depths[open_blocks[-1]]:
                ends[open_blocks.pop()] = index
            open_blocks.append(index)
        for unclosed in open_blocks:
            ends[unclosed] = len(self.lines)
        return ends

    def opens(self, index: int) -> bool:
        """Whether a line opens a block."""
        return self._ends[index] > index + 1

    def is_folded(self, index: int) -> bool:
        return index in self._folded

    def visible(self) -> list[int]:
        """Return the indices of the visible lines."""
        indices, index = [], 0
        while index < len(self.lines):
            indices.append(index)
            index = self._ends[index] if index in self._folded else index + 1
        return indices

    def toggle(self, index: int) -> None:
        """Fold or unfold the block that a line opens, or else the one around it."""
        owner = index if self.opens(index) else self.parent(index)
        if owner is not None:
            self._folded.symmetric_difference_update({owner})

    def parent(self, index: int) -> int | None:
        """Return the line that opens the block around a line; `None` if there is no such block."""
        return next(
            (
                candidate
                for candidate in range(index - 1, -1, -1)
                if self._ends[candidate] > index and self.opens(candidate)
            ),
            None,
        )

    def fold_all(self) -> None:
        """Fold every block but the outermost."""
        least = min(self._depths, default=0)
        self._folded = {
            candidate
            for candidate in range(len(self.lines))
            if self.opens(candidate) and self._depths[candidate] > least
        }

    def unfold_all(self) -> None:
        self._folded.clear()

    def reveal(self, index: int) -> None:
        """Unfold whatever hides a line."""
        owner = self.parent(index)
        while owner is not None:
            self._folded.discard(owner)
            owner = self.parent(owner)

    def block(self, index: int) -> str:
        """Return the text of the block that a line opens, or the line."""
        return "\n".join(self.lines[index : self._ends[index]])


def toned(text: str) -> list[Run]:
    """Give the parts of a line of JSON or XML their tones."""
    if match := _JSON.fullmatch(text):
        value = match["value"]
        tone = "good" if value.startswith('"') else "text"
        return [(match["indent"], "text"), (match["key"], "accent"), (match["colon"], "muted"), (value, tone)]
    if text.lstrip().startswith("<"):
        return [(part, "accent" if part.startswith("<") else "text") for part in _XML.findall(text)]
    return [(text, "text")]


def folded_line(folds: Folds, index: int, ascii_only: bool) -> Line:
    """Return a line as shown: its fold mark, its text, and the number of lines that a folded block hides."""
    mark = "  "
    if folds.opens(index):
        closed, opened = ("+ ", "- ") if ascii_only else ("▸ ", "▾ ")
        mark = closed if folds.is_folded(index) else opened
    runs: list[Run] = [(mark, "accent"), *toned(folds.lines[index])]
    if folds.is_folded(index):
        runs.append((f"  ... {folds.block(index).count(chr(10))} lines", "muted"))
    return runs
