"""The one painter of sparklines: values over an explicit top, in blocks, braille or ASCII. Pure.

A gap (NaN) is blank, a measured zero is a baseline, so that "nothing sampled" and "nothing used" look different.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, pairwise
from math import inf, isfinite, nan
from operator import ne

from tui.presenters.styled_lines import Line

_LEFT = (0x40, 0x04, 0x02, 0x01)
"""Braille dots of the left column, from the bottom up (Unicode 15.1, chapter 21.1)."""
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_ASCII = " .:-=+*#"
_BLOCKS = " ▁▂▃▄▅▆▇"
_LEVELS = 7
_IDLE, _HIGH = 1 / 12, 0.75
"""Shares of the top from which on a sparkline is coloured, and from which on it is bright."""


_PAIRS = [
    chr(0x2800 + sum(_LEFT[:left]) + sum(_RIGHT[:right])) if left or right else " "
    for left in range(5)
    for right in range(5)
]
"""The cell for a left and a right column of 0 to 4 dots each, at `left * 5 + right`."""


_LEAST = 1e-300
"""Tops below it are as good as zero: the number of steps for one cannot be divided by them."""


def levels_of(values: Sequence[float], top: float, steps: int, count: int) -> list[int]:
    """Return for the last `count` values 0 for a gap, else 1 to `steps`."""
    newest = values[-count:]
    missing = [0] * (count - len(newest))
    if top < _LEAST:
        return missing + [1 if isfinite(value) else 0 for value in newest]
    scale = (steps - 1) / top
    # a value that is not itself is NaN; this runs for every sample of every sparkline on the screen
    return missing + [
        0 if value != value or value == inf else steps if value >= top else int(value * scale + 1.5) if value > 0 else 1
        for value in newest
    ]


def spark_line(values: Sequence[float], top: float, width: int, ascii_only: bool = False) -> Line:
    """Paint one line of exactly `width` cells in seven levels of blocks, newest at the right, toned by height.

    Args:
        values: Oldest first, one a cell (see `means`); missing ones at the front are gaps.
        top: The value that fills the height, which is seven eighths: the rest keeps rows apart.
        width: Cells.
        ascii_only: Use no character beyond ASCII.
    """
    if width <= 0:
        return []
    signs = _ASCII if ascii_only else _BLOCKS
    newest = values[-width:]
    idle, high = (top * _IDLE, top * _HIGH) if top > 0 else (inf, inf)
    text = "".join([signs[level] for level in levels_of(newest, top, _LEVELS, width)])
    tones = ["border"] * (width - len(newest))
    tones += ["graph-cpu" if value >= high else "spark" if value >= idle else "border" for value in newest]
    edges = [0, *compress(range(1, width), map(ne, tones, tones[1:])), width]
    return [(text[start:end], tones[start]) for start, end in pairwise(edges)]


def means(values: Sequence[float], cells: int) -> list[float]:
    """Return the mean of each of `cells` equal shares of the values; NaN where a share has none."""
    count = len(values)
    shares = (values[count * cell // cells : count * (cell + 1) // cells] for cell in range(cells))
    present = ([value for value in share if value == value] for share in shares)
    return [sum(share) / len(share) if share else nan for share in present]


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
    levels = levels_of(values, top, height * 4, width * 2)
    lines = []
    for base in range(height * 4 - 4, -1, -4):
        dots = levels if height == 1 else [min(4, max(0, level - base)) for level in levels]
        lines.append("".join([_PAIRS[left * 5 + right] for left, right in zip(dots[::2], dots[1::2], strict=True)]))
    return lines


def _ascii_area(values: Sequence[float], top: float, width: int, height: int) -> list[str]:
    steps = len(_ASCII) - 1
    levels = levels_of(values, top, height * steps, width)
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
    highest = max([value for value in values if isfinite(value)], default=0.0)
    top = floor
    for step in _BINARY_STEPS if is_binary else _STEPS:
        if top >= highest:
            return top
        top = floor * step
    return max(top, highest)


_STEPS = tuple(base * 10**power for power in range(13) for base in (1, 2, 5))
_BINARY_STEPS = tuple(2**power for power in range(40))
