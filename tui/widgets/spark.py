"""The one painter of sparklines: values over an explicit top, in braille or ASCII. Pure.

A gap (NaN) is blank, a measured zero is a baseline, so that "nothing sampled" and "nothing used" look different.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

_LEFT = (0x40, 0x04, 0x02, 0x01)
"""Braille dots of the left column, from the bottom up (Unicode 15.1, chapter 21.1)."""
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_ASCII = " .:-=+*#"


def _level(value: float, top: float, steps: int) -> int:
    """Return 0 for a gap, else 1 to `steps`."""
    if not isfinite(value):
        return 0
    if top <= 0:
        return 1
    return 1 + min(steps - 1, max(0, round(value / top * (steps - 1))))


def spark(values: Sequence[float], top: float, width: int, ascii_only: bool = False) -> str:
    """Paint one line of exactly `width` cells, newest at the right.

    Args:
        values: Oldest first; two a cell in braille, one a cell in ASCII. Missing ones at the front are gaps.
        top: The value that fills the height.
        width: Cells.
        ascii_only: Use no character beyond ASCII.
    """
    return area(values, top, width, 1, ascii_only)[0]


def area(values: Sequence[float], top: float, width: int, height: int, ascii_only: bool = False) -> list[str]:
    """Paint `height` lines of exactly `width` cells, the top one first."""
    if ascii_only:
        return _ascii_area(values, top, width, height)
    wanted = width * 2
    shown = list(values[-wanted:])
    shown = [float("nan")] * (wanted - len(shown)) + shown
    levels = [_level(value, top, height * 4) for value in shown]
    lines = []
    for row in range(height - 1, -1, -1):
        base = row * 4
        cells = []
        for left, right in zip(levels[::2], levels[1::2], strict=True):
            dots = 0
            for dot in range(4):
                if left > base + dot:
                    dots |= _LEFT[dot]
                if right > base + dot:
                    dots |= _RIGHT[dot]
            cells.append(chr(0x2800 + dots) if dots else " ")
        lines.append("".join(cells))
    return lines


def _ascii_area(values: Sequence[float], top: float, width: int, height: int) -> list[str]:
    shown = list(values[-width:])
    shown = [float("nan")] * (width - len(shown)) + shown
    steps = len(_ASCII) - 1
    levels = [_level(value, top, height * steps) for value in shown]
    return [
        "".join(_ASCII[max(0, min(steps, level - row * steps))] for level in levels)
        for row in range(height - 1, -1, -1)
    ]


def samples_wanted(width: int, ascii_only: bool = False) -> int:
    """Return how many values fill `width` cells."""
    return width if ascii_only else width * 2


def nice_top(values: Sequence[float], floor: float, is_binary: bool = False) -> float:
    """Return a round number that the values stay under, at least `floor`.

    It is `floor` times 1, 2 or 5 and a power of ten; for bytes (`is_binary`) times a power of two.
    """
    highest = max((value for value in values if isfinite(value)), default=0.0)
    top = floor
    for step in _BINARY_STEPS if is_binary else _STEPS:
        if top >= highest:
            return top
        top = floor * step
    return max(top, highest)


_STEPS = tuple(base * 10**power for power in range(13) for base in (1, 2, 5))
_BINARY_STEPS = tuple(2**power for power in range(40))
