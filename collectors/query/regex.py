r"""Regular expressions that cannot hang: time grows with the text's length, whatever the pattern.

A pattern typed into a filter runs over names from untrusted sources, many times a second. Python's own `re` backtracks
and `(a+)+$` would freeze the screen; RE2 does not backtrack. `\d \w \s` and their opposites mean Unicode here, as in
`re`; RE2's own mean ASCII, so they are spelled out. There is no look-around and there are no back-references. Case is
ignored, and a match may be anywhere in the text. A pattern of nothing but words, as most are, needs no RE2, which takes
as long to load as a tenth of the way to the first screen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_lowercase, ascii_uppercase

LONGEST_PATTERN = 200
LONGEST_TEXT = 256
"""The longest text that `safety.sanitize` returns."""
_MOST_MEMORY = 1 << 20
"""Bytes that one compiled pattern may take."""
_CLASSES = {"d": r"\p{Nd}", "w": r"\p{L}\p{N}_", "s": r"\t-\r\x{1c}-\x{1f}\x{85}\p{Z}"}
_WORDS = re.compile(r"[A-Za-z0-9 _/:,@=-]+(?:\|[A-Za-z0-9 _/:,@=-]+)*")
"""A pattern without any sign that means more than itself, but for what separates alternatives."""
_FOLDED = str.maketrans(f"{ascii_uppercase}\u017f\u212a", f"{ascii_lowercase}sk")
"""To small letters as in RE2: the long s and the sign of the kelvin are letters in another case, too."""
_TOKEN = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\.?|.", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_REASONS = (
    ("missing closing )", "there is a ( without its )"),
    ("missing )", "there is a ( without its )"),
    ("unexpected )", "there is a ) without its ("),
    ("missing closing ]", "there is a [ without its ]"),
    ("missing ]", "there is a [ without its ]"),
    ("no argument for repetition", "there is nothing to repeat"),
    ("bad repetition operator", "two repeats follow each other"),
    ("invalid repetition size", "the pattern repeats too much"),
    ("bad repetition", "the pattern repeats too much"),
    ("too large", "the pattern repeats too much"),
    ("perl operator", "look-around, (?=...), is not supported"),
    ("nesting depth", "its groups are nested too deep"),
)
"""RE2's messages, and vmtop's wording of each."""


class PatternError(ValueError):
    """An invalid pattern; the message is the reason."""


class Pattern:
    """A compiled pattern.

    Raises:
        PatternError: The pattern is too long, malformed, or uses unsupported syntax.
    """

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST_PATTERN:
            raise PatternError(f"a pattern has at most {LONGEST_PATTERN} characters")
        is_words = _WORDS.fullmatch(text) is not None
        self._search = _search_of_words(text.translate(_FOLDED).split("|")) if is_words else _search_of_re2(text)

    def search(self, text: str) -> bool:
        """Return whether the pattern occurs in the first 256 characters of a text."""
        return self._search(text[:LONGEST_TEXT])


def _search_of_words(words: Sequence[str]) -> Callable[[str], bool]:
    def search(text: str) -> bool:
        folded = text.lower() if text.isascii() else text.translate(_FOLDED)
        return any(word in folded for word in words)

    return search


def _search_of_re2(text: str) -> Callable[[str], bool]:
    import re2  # not needed for filters without a pattern, nor for the first screen

    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MOST_MEMORY
    source = _TOKEN.sub(lambda token: _translated(token[0]), text)
    try:
        search = re2.compile(_bytes(source), options).search
    except re2.error as error:
        raise PatternError(_reason(error)) from None
    return lambda text: search(_bytes(text)) is not None


def _bytes(text: str) -> bytes:
    """Return a text as UTF-8; a lone surrogate, which UTF-8 cannot encode, becomes `?`."""
    return text.encode("utf-8", "replace")


def _translated(token: str) -> str:
    """Return one token of a pattern in RE2's syntax: a set, an escape, or another character as it is."""
    if token.startswith("[") and len(token) > 1:
        return _ESCAPE.sub(lambda escape: _escaped(escape[1], is_in_set=True), token)
    if token.startswith("\\"):
        return _escaped(token[1:], is_in_set=False)
    return token


def _escaped(sign: str, is_in_set: bool) -> str:
    members = _CLASSES.get(sign.lower())
    if members is not None:
        is_opposite = sign.isupper()
        if not is_in_set:
            return f"[{'^' if is_opposite else ''}{members}]"
        if not is_opposite:
            return members
        if sign == "D":
            return r"\P{Nd}"
        raise PatternError(f"\\{sign} inside [] is not supported")
    if not sign or sign.isalnum():
        raise PatternError(f"\\{sign} is not supported")
    return sign if sign == "_" or not sign.isascii() else f"\\{sign}"


def _reason(error: Exception) -> str:
    argument = error.args[0] if error.args else ""
    message = argument.decode("utf-8", "replace") if isinstance(argument, bytes) else str(argument)
    return next((reason for part, reason in _REASONS if part in message), message)
