"""Text that means harm, the search for it in what a terminal was sent, and whether columns still stand in line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from tests.helpers.pty_terminal import Terminal

TEXTS: dict[str, str] = {
    "title": "\x1b]0;OWNED\x07t",
    "clipboard": "\x1b]52;c;T1dORUQ=\x1b\\b",
    "link": "\x1b]8;;http://x\x1b\\l\x1b]8;;\x1b\\",
    "clear": "\x1b[2J\x1b[3Jc",
    "query": "\x1b[c\x1b[>q\x1b[21tq",
    "dcs": "\x1bP$q m\x1b\\\x1b_APC\x1b\\\x1b^PM\x1b\\\x1bXSOS\x1b\\d",
    "reset": "\x1bc\x1b[!p\x1b#8r",
    "charset": "\x1b(0\x0e\x0f\x1bn\x1bos",
    "c1": "\x9b2J\x9d0;OWNED\x9c\x90q\x9c\x85\x84u",
    "controls": "a\x01\x05\x07\x08\x0b\x0c\x16\x1a\x1c\x7fz",
    "lines": "one\r\ntwo\n\tthree\u2028four\u2029five\x85six",
    "markup": "[/] a[/]b [bold red]x[/bold red] [@click=app.quit]q[/] [link=http://x]y",
    "bidi": "\u202egpj.exe\u202c \u2066x\u2069 \u200e\u200f\u061c",
    "hidden": "a\u200b\u200c\u200d\u2060\ufeff\u00ad\U000e0041b",
    "wide": "日本語" * 20,
    "combining": "e" + "\u0301\u0336\u20dd" * 40 + "f",
    "emoji": "👍🏽 🇩🇪 ❤\ufe0f 1\ufe0f\u20e3 👩\u200d🚀 ☁\ufe0f",
    "long": "L" * 4096,
    "option": "-rf --help $(reboot) `id` '; \" \\ % {0} %s \\u001b",
    "formula": '=cmd|"/C calc"!A0',
    "private": "\ue000\U000f0000\ufffe\U0010ffffp",
}
"""What names, labels, variables and lines may be, by what it tries."""

BROKEN = b"\xff\xfe\xc3\x28 \xed\xa0\x80 \xf0\x9f\x92 \xc0\x80 \x9b2J end"
"""What is no UTF-8, with a control sequence of one byte."""

_MODES = rb"\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)"
_SENT = re.compile(
    rb"\x1b\[(?:\d+;\d+H|\d+C|[0-9;]*m|" + _MODES + rb"[hl]|\?(?:2026|2048)\$p|6n|<u)"
    rb"|\x1b\]22;[a-z-]*\x07|\x1b\]11;\?\x1b\\|\r\n"
)
"""All that vmtop sends beside text: positions, colours, its own modes and queries, the pointer's shape."""
_HOSTILE = re.compile(rb"[\x00-\x1f\x7f]")
_STEERS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class Searched(NamedTuple):
    """What a search of a terminal's bytes came to."""

    size: int
    """Bytes searched."""
    found: list[str]
    """What vmtop never sends, with what is around it."""


def search(data: bytes) -> Searched:
    """Search what a terminal was sent for anything but what vmtop itself sends."""
    left = _SENT.sub(b"\x00\x00", data).replace(b"\x00\x00", b"")
    found = [repr(left[max(0, one.start() - 20) : one.end() + 20]) for one in _HOSTILE.finditer(left)]
    try:
        text = left.decode()
    except UnicodeDecodeError as error:
        found.append(f"no UTF-8: {left[max(0, error.start - 20) : error.end + 20]!r}")
        text = left.decode("utf-8", "replace")
    beyond = {character for character in text if unicodedata.category(character) in _STEERS}
    return Searched(len(data), found[:20] + sorted(f"U+{ord(character):04X}" for character in beyond))


def visit(terminal: Terminal, steps: Sequence[tuple[str, str]], pause: float = 0.3) -> None:
    """Press keys, and wait each time until the screen that they lead to shows the words that it alone has."""
    before = ""
    for keys, words in steps:
        left = before if keys == "\x1b" else ""
        before = "" if words in terminal.text() else words
        terminal.press(keys)
        terminal.wait_for(partial(_shows, terminal, words, left), 60, f"{words!r} after {keys!r}")
        terminal.read(pause)


def _shows(terminal: Terminal, words: str, left: str) -> bool:
    """Whether words are shown, and those of the screen that was left are not."""
    text = terminal.text()
    return words in text and not (left and left in text)


def pasted(text: str) -> str:
    """Return what a terminal sends when a text is pasted; the text cannot end the paste."""
    return f"\x1b[200~{text.replace(chr(27), '')}\x1b[201~"


def is_inert(data: bytes | str) -> bool:
    """Whether words for a terminal that are no screen hold nothing but text, spaces and ends of lines."""
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    return not [one for one in text if unicodedata.category(one) in _STEERS and one != "\n"]


def cells(terminal: Terminal, line: int) -> list[str]:
    """Return what stands in each column of a line; the second half of a wide character is empty."""
    row = terminal.screen.buffer[line]
    return [row[column].data for column in range(terminal.screen.columns)]


def lines_with(terminal: Terminal, words: Sequence[str]) -> list[int]:
    """Return the lines of the screen that show any of the words."""
    shown = ["".join(cells(terminal, line)) for line in range(terminal.screen.lines)]
    return [number for number, text in enumerate(shown) if any(word in text for word in words)]


def misaligned(terminal: Terminal, kinds: Sequence[str] = ("ct ", "vm ", "svc ")) -> list[str]:
    """Return the rows of the table whose kind does not begin where the heading KIND does."""
    (head,) = lines_with(terminal, ["/LIMIT"])
    heading = cells(terminal, head)
    place = next(at for at in range(len(heading)) if heading[at : at + 4] == list("KIND"))
    wrong = []
    for line in range(head + 1, terminal.screen.lines):
        row = cells(terminal, line)
        if row[1] not in "●‖○✗◐▲!?" or not row[1].strip():
            continue
        after = "".join(row[place:])
        if not after.startswith(tuple(kinds)) or row[place - 1] not in (" ", ""):
            wrong.append("".join(row))
    return wrong
