"""Measures the contrast of every cell of a picture, as terminals show it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from tui.themes.contrast import Rgb, contrast, mixed

TEXT, GRAPH = 4.5, 3.0
_FIRST_GRAPHIC = 0x2500
"""Lines, blocks, signs and braille are drawings from here on; they are larger than the strokes of letters."""


class Scheme(NamedTuple):
    """How a terminal shows its own colours."""

    is_light: bool
    text: Rgb
    ground: Rgb
    codes: str
    """Its 16 colours, six hexadecimal digits each."""
    dim: float = 2 / 3
    """How much of a dim colour is left on its ground."""

    def rgb_of(self, color: Color | None, default: Rgb) -> Rgb:
        """Return what a colour looks like."""
        if color is None or color.is_default:
            return default
        if color.number is None or color.number > 15:
            red, green, blue = color.get_truecolor()
            return red, green, blue
        code = self.codes[color.number * 6 :][:6]
        return int(code[:2], 16), int(code[2:4], 16), int(code[4:], 16)


_XTERM = "000000cd000000cd00cdcd000000eecd00cd00cdcde5e5e57f7f7fff000000ff00ffff005c5cffff00ff00ffffffffff"
_VGA = "000000aa000000aa00aa55000000aaaa00aa00aaaaaaaaaa555555ff555555ff55ffff555555ffff55ff55ffffffffff"
_PUTTY = "000000bb000000bb00bbbb000000bbbb00bb00bbbbbbbbbb555555ff555555ff55ffff555555ffff55ff55ffffffffff"
_TANGO = "000000cc00004e9a06c4a0003465a475507b06989ad3d7cf555753ef29298ae234fce94f729fcfad7fa834e2e2eeeeec"
_APPLE = "00000099000000a6009999000000b2b200b200a6b2bfbfbf666666e5000000d900e5e5000000ffe500e500e5e5e5e5e5"
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
SCHEMES = {
    "xterm": Scheme(False, (0xE5, 0xE5, 0xE5), _BLACK, _XTERM),
    "PuTTY": Scheme(False, (0xBB, 0xBB, 0xBB), _BLACK, _PUTTY),
    "Linux": Scheme(False, (0xAA, 0xAA, 0xAA), _BLACK, _VGA, dim=1.0),
    "Tango": Scheme(False, (0xD3, 0xD7, 0xCF), _BLACK, _TANGO),
    "xterm, light": Scheme(True, _BLACK, _WHITE, _XTERM),
    "Tango, light": Scheme(True, (0x2E, 0x34, 0x36), _WHITE, _TANGO, dim=1.0),
    "Terminal.app, light": Scheme(True, _BLACK, _WHITE, _APPLE, dim=0.6),
}
"""Usual schemes of 16 colours. vmtop uses no dim text on the Linux console; with Tango a dim colour becomes darker."""


def shown(style: Style, scheme: Scheme) -> tuple[Rgb, Rgb]:
    """Return text and ground of a style as a terminal shows them."""
    front, back = scheme.rgb_of(style.color, scheme.text), scheme.rgb_of(style.bgcolor, scheme.ground)
    front = mixed(front, back, scheme.dim) if style.dim else front
    return (back, front) if style.reverse else (front, back)


class Faint(NamedTuple):
    """A text that is hard to read."""

    text: str
    line: int
    contrast: float
    style: Style


def faint(lines: Iterable[Iterable[Segment]], scheme: Scheme, decorations: frozenset[Rgb]) -> Iterator[Faint]:
    """Yield what has too little contrast: letters below 4.5:1, drawings below 3:1.

    Args:
        lines: What the terminal gets, line by line.
        scheme: How it shows its own colours.
        decorations: Colours in which a drawing carries no information, alone or as its ground; letters never have them.
    """
    for number, line in enumerate(lines):
        for text, style, _ in line:
            if not text.strip():
                continue
            front, back = shown(style or Style.null(), scheme)
            is_drawing = all(ord(character) >= _FIRST_GRAPHIC for character in text if not character.isspace())
            if is_drawing and decorations & {front, back}:  # the end of a scrollbar is reversed
                continue
            ratio = contrast(front, back)
            if ratio < (GRAPH if is_drawing else TEXT):
                yield Faint(text, number, ratio, style or Style.null())
