"""Makes names, labels and paths from outside safe to show.

Every string from an engine, a file name or a session file passes `sanitize` once, where it enters.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
LONGEST = 256
"""Characters kept: more than any terminal shows of a name. Docker accepts 65,536."""

_COMBINING_RUN = 4
_MARKS = frozenset({"Mn", "Me"})
"""By category: many marks that stack have combining class 0."""
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, format characters (bidi overrides, zero width), surrogates, private use, line separators."""
_FLAGS = range(0x1F1E6, 0x1F200)
"""Regional indicators: two of them are one character, or two, or a letter in a box, depending on the terminal."""
_VARIANTS = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400))))
"""Variation selectors and skin tones: some terminals widen the character before them, others do not."""


def sanitize(text: str | bytes | None, longest: int = LONGEST) -> str:
    """Return the text without anything that could steer a terminal or break a column.

    Control, format, surrogate and unassigned characters become U+FFFD, runs of combining marks are cut after four,
    characters whose width differs between terminals are left out, and the result is cut after `longest` characters (an
    ellipsis shows the cut). The result is NFC.
    """
    if text is None:
        return ""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if text.isascii() and text.isprintable():
        return text if len(text) <= longest else text[: longest - 1] + "…"
    text = text[: longest * 8]
    normal = unicodedata.normalize("NFC", text)
    if all(map(_is_plain, {*text, *normal})):
        return normal if len(normal) <= longest else normal[: longest - 1] + "…"
    characters: list[str] = []
    marks = 0
    visible = text[:1] + "".join(character for character in text[1:] if character not in _VARIANTS)
    for character in unicodedata.normalize("NFC", visible):
        category = unicodedata.category(character)
        if category in _MARKS:
            marks += 1
            if marks > _COMBINING_RUN:
                continue
        else:
            marks = 0
        is_unwanted = category in _UNWANTED or character in _VARIANTS or ord(character) in _FLAGS
        characters.append(REPLACEMENT if is_unwanted else character)
        if len(characters) > longest:
            return "".join(characters[: longest - 1]) + "…"
    return "".join(characters)


def sanitize_name(text: str | None) -> str:
    """Return a sanitized name; if that changed it without a trace, it ends in U+FFFD, as it could be another's name.

    Without the mark, `web` and `web` with a variation selector would be the same.
    """
    name = sanitize(text)
    is_marked = REPLACEMENT in name or (len(name) == LONGEST and name.endswith("…"))
    return name if is_marked or name == (text or "") else name[: LONGEST - 1] + REPLACEMENT


@lru_cache(maxsize=4096)
def _is_plain(character: str) -> bool:
    """Return whether a character is kept as it is, whatever is around it."""
    is_variant = character in _VARIANTS or ord(character) in _FLAGS
    return not is_variant and unicodedata.category(character) not in _MARKS | _UNWANTED
