"""Separates what the user typed from what the terminal answered: an answer is dropped and never becomes a key.

Terminals answer questions on the line that keys come on: colours (OSC), attributes (CSI, DCS), graphics (APC), titles
(OSC). A program in a shell that vmtop opened may have asked them, and the answers may come late and in pieces. The
grammar is that of ECMA-48 (5.4, 5.6) and of xterm's ctlseqs: a string ends with ST, CAN or SUB, an OSC with BEL too,
and any other escape sequence cuts it short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

ESCAPE_S = 0.1
"""Seconds without input after which an escape character is the key Esc."""
FORGOTTEN_S = 10.0
"""Seconds without input after which an unfinished sequence is dropped."""
_TAIL_S = 2.0
"""Seconds after Esc in which what looks like the rest of an answer is one: the line was slow in between."""
_LONGEST = 40
"""Characters of the longest sequence of a key or a mouse report."""
_ESC, _INTERRUPT = "\x1b", "\x03"
_PASTE, _PASTE_END = "\x1b[200~", "\x1b[201~"
_STRINGS = "]PX^_"
"""The second characters of OSC, DCS, SOS, PM and APC."""
_BACKGROUND = re.compile(r"11;rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})(?:/[0-9a-f]{1,4})?", re.IGNORECASE)
_LONGEST_STRING = 64
"""Characters of a string that are kept: the answer that is wanted is shorter."""
_C1 = {chr(0x40 + ord(second)): second for second in "NO[\\" + _STRINGS}
"""The same introducers in one character, from a terminal that was set to send eight bits."""
_RAW = {0xDC40 + ord(second): character for character, second in _C1.items()}
_OPENING = re.compile("[\x1b" + re.escape("".join(_C1)) + "]")
_STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")
_NO_UTF_8 = re.compile("[\udc80-\udcff]")
_WHOLE = re.compile(
    r"""\x1b(?:
        \[\[.               # the Linux console's F1 to F5
        |\[M...             # a mouse report of three bytes
        |\[(?![\[M])[0-?]*[ -/]*[@-~]
        |[NO][0-9;]*[^\x00-\x1f0-9;\x7f]
        |[ -/]+[0-~]
        |[^\[NO\ -/]
    )""",
    re.VERBOSE | re.DOTALL,
)
_BEGUN = re.compile(r"\x1b(?:\[(?:\[|M.{0,2}|[0-?]*[ -/]*)|[NO][0-9;]*|[ -/]+)?", re.DOTALL)
_OF_RXVT = re.compile(r"\x1b\[\d+\$")
"""Keys that end with a character that is not final in ECMA-48."""
_FIRST = {
    "[": frozenset("0123456789?<>=;"),
    "]": frozenset("0123456789lLI"),
    "P": frozenset("0123456789>!$+?=|"),
    "_": frozenset("G"),
}
"""What an answer begins with, by its introducer."""


def decoded(text: str) -> str:
    """Turn bytes that are not UTF-8 (decoded with `surrogateescape`) into introducers of eight bits, or U+FFFD."""
    return text if text.isascii() else _NO_UTF_8.sub("\ufffd", text.translate(_RAW))


class ReplyFilter:
    """Takes a terminal's input, cut anywhere, and lets keys, mouse reports and pastes through.

    For one thread.

    Args:
        is_key: Whether a whole escape sequence means something to the screen; others are dropped.
    """

    def __init__(self, is_key: Callable[[str], bool]) -> None:
        self._is_key = is_key
        self._held = ""
        """The beginning of an escape sequence, or of the end of a string or a paste."""
        self._within = ""
        """What is unfinished: a string, by its second character, or a paste; empty outside both."""
        self._is_bare = False
        """Whether only the introducer of the string has arrived."""
        self._heard_at = self._escaped_at = float("-inf")
        self._content = ""
        """What has arrived of an OSC string."""
        self.background: tuple[int, int, int] | None = None
        """The terminal's ground as it answered last (OSC 11), each part from 0 to 255; `None` without an answer."""

    @property
    def is_waiting(self) -> bool:
        """Whether something is unfinished that a pause may end."""
        return bool(self._held or self._within) and self._within != _PASTE

    def feed(self, text: str, now: float) -> Iterator[str]:
        """Yield what was typed: runs of characters, or one whole sequence at a time.

        Args:
            text: The input, of any length.
            now: A monotonic instant, in seconds.
        """
        if text:
            text = self._after_a_pause(text, now)
        self._heard_at = now
        text, self._held = self._held + text, ""
        while text:
            text, passed = self._step(text)
            if passed:
                yield passed

    def pause(self, now: float, patience_s: float = ESCAPE_S) -> str:
        """Return Esc if a pause shows that it was typed; else an empty string.

        Args:
            now: A monotonic instant, in seconds.
            patience_s: Seconds for which an escape character may still be the beginning of a sequence.
        """
        silent_s = now - self._heard_at
        if self._held == _ESC and not self._within and silent_s >= patience_s:
            self._held, self._escaped_at = "", now
            return _ESC
        if self.is_waiting and silent_s >= FORGOTTEN_S:
            self._held = self._within = ""
        return ""

    def _after_a_pause(self, text: str, now: float) -> str:
        """Drop an unfinished sequence that was typed after all; return the text that continues the input."""
        if now - self._escaped_at < _TAIL_S and text[1:2] in _FIRST.get(text[0], ()):
            text = _ESC + text
        self._escaped_at = float("-inf")
        if now - self._heard_at < ESCAPE_S:
            return text
        if self._within in _FIRST and self._is_bare and text[0] not in _FIRST[self._within]:
            self._within = ""  # the introducer was a key with Alt
        if self._within and self._within != _PASTE and text == _INTERRUPT:
            self._held = self._within = ""  # no answer has it, least of all alone
        return text

    def _step(self, text: str) -> tuple[str, str]:
        """Take something off the front; return the rest of the text, and what passes."""
        if self._within == _PASTE:
            return self._paste(text)
        if self._within:
            return self._string(text)
        opening = _OPENING.search(text)
        if opening is None:
            return "", text
        if opening.start():
            return text[opening.start() :], text[: opening.start()]
        return self._sequence(text) if text[0] == _ESC else (_ESC + _C1[text[0]] + text[1:], "")

    def _sequence(self, text: str) -> tuple[str, str]:
        """Take an escape sequence off the front, or hold it until it is whole."""
        second = text[1:2]
        if second == _ESC:
            return text[1:], _ESC
        if second and second in _STRINGS:
            self._within, self._is_bare, self._content = second, True, ""
            return text[2:], ""
        match = _OF_RXVT.match(text)
        if match is None or not self._is_key(match[0]):
            match = _WHOLE.match(text)
        if match is not None:
            is_key = len(match[0]) <= _LONGEST and self._is_key(match[0])
            self._within = _PASTE if match[0] == _PASTE else ""
            return text[match.end() :], match[0] if is_key else ""
        prefix = _BEGUN.match(text)
        end = prefix.end() if prefix else 1
        if end == len(text):
            self._held = text[: _LONGEST + 1]
        return text[end:], ""  # a control character cut it short

    def _string(self, text: str) -> tuple[str, str]:
        """Drop a string, up to its end if that has arrived; of an answer about the ground, note the colour."""
        self._is_bare = False
        string_end = _STRING_END.search(text)
        self._content = (self._content + text[: string_end.start() if string_end else None])[:_LONGEST_STRING]
        if string_end is None:
            return "", ""
        rest = text[string_end.end() :]
        if string_end[0] == "\x07" and self._within != "]":
            return rest, ""
        is_cancelled = string_end[0] in "\x18\x1a"
        if self._within == "]" and not is_cancelled and (answer := _BACKGROUND.fullmatch(self._content)):
            red, green, blue = (round(int(part, 16) / (16 ** len(part) - 1) * 255) for part in answer.groups())
            self.background = red, green, blue
        if string_end[0] != _ESC:
            self._within = ""
        elif not rest:
            self._held = _ESC
        elif rest[0] == "\\":
            self._within, rest = "", rest[1:]
        elif rest[0] != _ESC:
            self._within, rest = "", _ESC + rest
        return rest, ""

    def _paste(self, text: str) -> tuple[str, str]:
        """Let a paste pass up to its end, without escape characters."""
        content, end, rest = text.partition(_PASTE_END)
        if end:
            self._within = ""
        else:
            cut = next((size for size in range(len(_PASTE_END) - 1, 0, -1) if text.endswith(_PASTE_END[:size])), 0)
            content, self._held = text[: len(text) - cut], text[len(text) - cut :]
        return rest, content.replace(_ESC, "") + end
