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
_TOGETHER = "terms side by side all have to hold"
_STRAY = {
    **dict.fromkeys(("for", "in", "time", "times"), ""),
    **dict.fromkeys(("and", "&&"), _TOGETHER),
    **dict.fromkeys(("or", "||"), "either side is written with 'or'"),
    "not": "'!' before a term negates it",
    "%": "it is written with its number, as 90%",
}
"""Words that belong to a sentence, in lower case, and what a filter has for them; empty for those of a time."""


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


def stray_word(found: Iterable[str], time_is: str) -> str | None:
    """Return a sentence about the first word that a condition cannot have meant as a text; `None` where there is none.

    As a text it would be looked for in names: the condition would hold for next to nothing, and nobody would see why.

    Args:
        found: Words, as `words` returns them.
        time_is: How a time is written where the condition stands.
    """
    word = next((word for word in found if word != "or" and word.lower() in _STRAY), None)
    if word is None:
        return None
    return f"{word!r} is out of place: {_STRAY[word.lower()] or time_is}; a text has quotes"


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
