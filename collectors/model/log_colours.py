"""The colours that a program gave to its log: SGR sequences as spans of named hues. Everything else stays inert.

The hues are names, not numbers: whoever shows a line chooses colours that can be read on its own ground.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

_SGR = re.compile(r"\x1b\(B|(?:\x1b\[|\x9b)([0-9;:]*)(?:m|$)|(?:\x1b\[|\x9b)[0-2]?K")
"""SGR sequences (ECMA-48, 8.3.117), and what programs send along with them: the erasure to the end of the line (grep,
gcc) and the ASCII character set (`tput sgr0`). Also the beginning of a sequence at the end of a line that was cut."""
_HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""In the order of SGR 30 to 37 and 90 to 97."""
_MOST_SPANS = 512
"""Spans of a line that are kept; the rest of the line has no colours."""
_LEAST_SATURATION, _LEAST_VALUE = 0.25, 0.5
"""Below the first a colour is grey; below the second a grey is `black`."""
_CUBE = (0, 95, 135, 175, 215, 255)
"""The six levels of xterm's colour cube, colours 16 to 231."""


class Span(NamedTuple):
    """A coloured part of a line."""

    start: int
    """Index of its first character in the text."""
    end: int
    """Index after its last character."""
    hue: str
    """`black`, `red`, `green`, `yellow`, `blue`, `magenta`, `cyan`, `white`; empty for the default colour."""
    is_bold: bool = False
    is_faint: bool = False


class _Pen(NamedTuple):
    hue: str = ""
    is_bold: bool = False
    is_faint: bool = False


def split_colours(raw: str) -> tuple[str, tuple[Span, ...]]:
    """Return a text without its SGR sequences, and its coloured parts; they do not overlap and are in order.

    Backgrounds, blinking, reverse video and all other attributes are dropped.
    """
    pieces: list[str] = []
    starts: list[tuple[int, _Pen]] = []
    pen, position, length = _Pen(), 0, 0
    for match in _SGR.finditer(raw):
        pieces.append(raw[position : match.start()])
        length += match.start() - position
        position = match.end()
        if match[1] is not None and match[0].endswith("m"):
            pen = _apply(pen, match[1])
            starts.append((length, pen))
    pieces.append(raw[position:])
    text = "".join(pieces)
    starts.append((len(text), _Pen()))
    spans = (Span(start, end, *pen) for (start, pen), (end, _) in pairwise(starts) if end > start and pen != _Pen())
    return text, tuple(spans)[:_MOST_SPANS]


def cut_spans(spans: tuple[Span, ...], start: int, end: int) -> tuple[Span, ...]:
    """Return the spans within `text[start:end]`, counted from `start`."""
    inside = ((max(span.start, start), min(span.end, end), span) for span in spans)
    return tuple(span._replace(start=first - start, end=last - start) for first, last, span in inside if last > first)


def _apply(pen: _Pen, parameters: str) -> _Pen:
    """Return the pen after one sequence."""
    numbers = re.split("[;:]", parameters.replace("::", ":"))  # `38:2::r:g:b`: no colour space is named
    codes = iter([int(number) if number.isdigit() and len(number) < 4 else 0 for number in numbers])
    for code in codes:
        if code == 0:
            pen = _Pen()
        elif code in (1, 2):
            pen = pen._replace(is_bold=code == 1, is_faint=code == 2)
        elif code == 22:
            pen = pen._replace(is_bold=False, is_faint=False)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            pen = pen._replace(hue=_HUES[code % 10] if code != 90 else "black")
        elif code == 39:
            pen = pen._replace(hue="")
        elif code in (38, 48):
            hue = _extended_hue(codes)
            pen = pen._replace(hue=hue) if code == 38 else pen
    return pen


def _extended_hue(codes: Iterator[int]) -> str:
    """Take the rest of `38;5;n` or `38;2;r;g;b`, and return the nearest hue."""
    form = next(codes, 0)
    if form == 5:
        number = next(codes, 0)
        return _HUES[number % 8] if number < 16 else _nearest_hue(*_of_palette(min(number, 255)))
    if form == 2:
        red, green, blue = (min(next(codes, 0), 255) for _ in range(3))
        return _nearest_hue(red, green, blue)
    return ""


def _of_palette(number: int) -> tuple[int, int, int]:
    """Return the red, green and blue of a colour from 16 to 255 of xterm's palette (256colres.pl)."""
    if number >= 232:
        level = 8 + 10 * (number - 232)
        return level, level, level
    cell = number - 16
    return _CUBE[cell // 36], _CUBE[cell // 6 % 6], _CUBE[cell % 6]


def _nearest_hue(red: int, green: int, blue: int) -> str:
    angle, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if saturation < _LEAST_SATURATION or value < 0.1:
        return "white" if value >= _LEAST_VALUE else "black"
    return ("red", "yellow", "green", "cyan", "blue", "magenta")[round(angle * 6) % 6]
