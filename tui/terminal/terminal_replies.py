"""Separates what the user typed from what the terminal answered: an answer is swallowed and never becomes a key.

Terminals answer questions on the line that keys come on: colours (OSC), attributes (CSI, DCS), graphics (APC), titles
(OSC). A program in a shell that vmtop opened may have asked them, and the answers may come late and in pieces. The
grammar is that of ECMA-48 (5.4, 5.6) and of xterm's ctlseqs: a string ends with ST, CAN or SUB, an OSC with BEL too,
and any other escape sequence cuts it short.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

ESCAPE_S = 0.1
"""An escape character that nothing follows for so long is the key Esc."""
FORGOTTEN_S = 10.0
"""What has begun and has not gone on for so long will not end any more."""
_TAIL_S = 2.0
"""So long after Esc, what looks like the rest of an answer is one: the line was slow between the two."""
_LONGEST = 40
"""No key and no mouse report has a longer sequence."""
_ESC, _INTERRUPT = "\x1b", "\x03"
_PASTE, _PASTE_END = "\x1b[200~", "\x1b[201~"
_STRINGS = "]PX^_"
"""The second characters of OSC, DCS, SOS, PM and APC."""
_C1 = {chr(0x40 + ord(second)): second for second in "NO[\\" + _STRINGS}
"""The same introducers in one character, from a terminal that was told to send eight bits."""
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
    """Make introducers of eight bits, or U+FFFD, of bytes that were no UTF-8 (decoded with `surrogateescape`)."""
    return text if text.isascii() else _NO_UTF_8.sub("\ufffd", text.translate(_RAW))


class ReplyFilter:
    """Takes what comes from a terminal, cut anywhere, and lets keys, mouse reports and pastes through.

    For one thread.

    Args:
        is_key: Whether a whole escape sequence means something to the screen; one that does not is swallowed.
    """

    def __init__(self, is_key: Callable[[str], bool]) -> None:
        self._is_key = is_key
        self._held = ""
        """The beginning of an escape sequence, or of the end of a string or a paste."""
        self._within = ""
        """What is under way: a string, by its second character, or a paste; empty outside of both."""
        self._is_bare = False
        """Whether nothing of the string has come but its introducer."""
        self._heard_at = self._escaped_at = float("-inf")

    @property
    def is_waiting(self) -> bool:
        """Whether something has begun that a pause may settle."""
        return bool(self._held or self._within) and self._within != _PASTE

    def feed(self, text: str, now: float) -> Iterator[str]:
        """Yield what was typed: runs of characters, or one whole sequence at a time.

        Args:
            text: What has come, of any length.
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
        """Return Esc, if that is what silence means now; else nothing.

        Args:
            now: A monotonic instant, in seconds.
            patience_s: How long an escape character may still be the beginning of something.
        """
        silent_s = now - self._heard_at
        if self._held == _ESC and not self._within and silent_s >= patience_s:
            self._held, self._escaped_at = "", now
            return _ESC
        if self.is_waiting and silent_s >= FORGOTTEN_S:
            self._held = self._within = ""
        return ""

    def _after_a_pause(self, text: str, now: float) -> str:
        """Take back what has begun if it was typed after all; return the text as it continues what came before."""
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
        """Take something off the front; return what is left, and what passes."""
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
            self._within, self._is_bare = second, True
            return text[2:], ""
        found = _OF_RXVT.match(text)
        if found is None or not self._is_key(found[0]):
            found = _WHOLE.match(text)
        if found is not None:
            is_key = len(found[0]) <= _LONGEST and self._is_key(found[0])
            self._within = _PASTE if found[0] == _PASTE else ""
            return text[found.end() :], found[0] if is_key else ""
        begun = _BEGUN.match(text)
        end = begun.end() if begun else 1
        if end == len(text):
            self._held = text[: _LONGEST + 1]
        return text[end:], ""  # a control character cut it short

    def _string(self, text: str) -> tuple[str, str]:
        """Swallow a string, to its end if that has come."""
        self._is_bare = False
        end = _STRING_END.search(text)
        if end is None:
            return "", ""
        left = text[end.end() :]
        if end[0] == "\x07" and self._within != "]":
            return left, ""
        if end[0] != _ESC:
            self._within = ""
        elif not left:
            self._held = _ESC
        elif left[0] == "\\":
            self._within, left = "", left[1:]
        elif left[0] != _ESC:
            self._within, left = "", _ESC + left
        return left, ""

    def _paste(self, text: str) -> tuple[str, str]:
        """Let a paste pass to its end, without what would be keys in it."""
        content, end, left = text.partition(_PASTE_END)
        if end:
            self._within = ""
        else:
            cut = next((size for size in range(len(_PASTE_END) - 1, 0, -1) if text.endswith(_PASTE_END[:size])), 0)
            content, self._held = text[: len(text) - cut], text[len(text) - cut :]
        return left, content.replace(_ESC, "") + end
