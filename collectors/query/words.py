"""The words of a filter: split at spaces outside quotes, and joined where a comparison is written with spaces. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_SIGN = re.compile(r"!=|>=|<=|=|~|>|<")
_SHARE = re.compile(r"!?[A-Za-z_][\w./-]*(?:!=|>=|<=|=|>|<)[+-]?[0-9.]+%")
OF_LIMIT = " of limit"
"""What follows a share in `cpu > 90% of limit`."""
_OF_TIMES = frozenset({"for", "in", "time", "times"})


class UnclosedQuote(ValueError):
    """A quote is not closed; the argument is the text from there on."""


def words(text: str) -> list[str]:
    """Return the words of a filter; the quotes stay.

    `cpu > 80` and `cpu >80` are one word, `cpu>80`, as a comparison cannot begin with its sign; `cpu > 90% of limit`
    is `cpu>90% of limit`.

    Raises:
        UnclosedQuote: A quote is not closed.
    """
    return _with_shares(_joined(_split(text)))


def unquoted(word: str) -> str:
    """Return a word without its quotes."""
    return QUOTED.sub(lambda match: match[1] if match[1] is not None else match[2], word)


def word_of_a_time(found: Iterable[str]) -> str | None:
    """Return the first word that belongs to a time, as the one in `for 2m`; `None` where there is none.

    As a text that a workload contains it would match next to nothing, and what it was meant for would never be seen.
    """
    return next((word for word in found if word in _OF_TIMES), None)


def _split(text: str) -> list[str]:
    found, index = [], 0
    while index < len(text):
        if text[index].isspace():
            index += 1
            continue
        match = _WORD.match(text, index)
        if match is None or (match.end() < len(text) and text[match.end()] in "\"'"):
            raise UnclosedQuote(text[index:])
        found.append(match[0])
        index = match.end()
    return found


def _joined(parts: list[str]) -> list[str]:
    """Join signs that stand alone, or at the beginning of a word, with what is before and after them."""
    joined: list[str] = []
    is_open = False
    for part in parts:
        sign = _SIGN.match(part)
        if joined and ((is_open and part != "or") or (sign and joined[-1] != "or")):
            joined[-1] += part
        else:
            joined.append(part)
        is_open = sign is not None and sign.end() == len(part) and len(joined[-1]) > len(part)
    return joined


def _with_shares(parts: list[str]) -> list[str]:
    found: list[str] = []
    index = 0
    while index < len(parts):
        word = parts[index]
        if parts[index + 1 : index + 3] == ["of", "limit"] and _SHARE.fullmatch(word):
            found.append(word + OF_LIMIT)
            index += 3
        else:
            found.append(word)
            index += 1
    return found
