"""The last filter before the terminal: removes control characters and, with ASCII only, all that is not ASCII.

Text from outside is sanitized where it enters (`collectors.safety.sanitize`); this is the second line of defence,
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
    """Removes control characters; with `ascii_only`, replaces characters beyond ASCII."""

    def __init__(self, ascii_only: bool) -> None:
        super().__init__()
        self._ascii_only = ascii_only

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Filter a line."""
        return [Segment(self.clean(text), style, control) for text, style, control in segments]

    def clean(self, text: str) -> str:
        """Return a text without control characters."""
        if text.isprintable() and (text.isascii() or not self._ascii_only):  # none of `_STEERING` is printable
            return text
        text = _STEERING.sub("", text).replace("\xad", "-")  # some terminals show a soft hyphen, some do not
        return _BEYOND.sub(_crosses, text.translate(_ASCII)) if self._ascii_only else text


def _crosses(match: re.Match[str]) -> str:
    return "#" * cell_len(match[0])
