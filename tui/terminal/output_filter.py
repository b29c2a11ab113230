"""The last door before the terminal: nothing that steers it passes, and with ASCII only, nothing beyond ASCII.

Text from outside is made inert where it enters (`collectors.safety.sanitize`); this is the second line of defence,
for whatever a widget puts on the screen.
"""

from __future__ import annotations

import re

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0001-\U000e007f]")
_ASCII = str.maketrans(
    {"…": "~", "·": "|", "─": "-", "│": "|", "╭": "+", "╮": "+", "╰": "+", "╯": "+", "▲": "^", "▼": "v", "▌": ">"}
)
_BEYOND = re.compile("[^\x20-\x7e]")


class TerminalSafeFilter(LineFilter):
    """Drops steering characters; replaces what is beyond ASCII where the terminal wants that."""

    def __init__(self, ascii_only: bool) -> None:
        super().__init__()
        self._ascii_only = ascii_only

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Filter a line."""
        return [Segment(self.clean(text), style, control) for text, style, control in segments]

    def clean(self, text: str) -> str:
        """Return a text that steers nothing."""
        if text.isascii() and text.isprintable():
            return text
        text = _STEERING.sub("", text).replace("\xad", "-")  # terminals show a soft hyphen or not
        return _BEYOND.sub(_crosses, text.translate(_ASCII)) if self._ascii_only else text


def _crosses(found: re.Match[str]) -> str:
    return "#" * cell_len(found[0])
