"""Which names are meant by a few letters: the start first, then the start of a word, then inside, then scattered."""

from __future__ import annotations

from collections.abc import Sequence


def name_rank(typed: str, name: str) -> int | None:
    """Return how well a name fits what was typed, 0 best; `None` if it does not."""
    typed, name = typed.casefold(), name.casefold()
    if name == typed:
        return 0
    position = name.find(typed)
    if position == 0:
        return 1
    if position > 0:
        return 2 if not name[position - 1].isalnum() else 3
    letters = iter(name)
    return 4 if all(letter in letters for letter in typed) else None


def matches_by_name(typed: str, names: Sequence[str]) -> list[int]:
    """Return the indices of the names that fit, best first, equally good ones in their order; empty for no text."""
    typed = typed.strip()
    if not typed:
        return []
    ranked = [(rank, index) for index, name in enumerate(names) if (rank := name_rank(typed, name)) is not None]
    return [index for _, index in sorted(ranked)]
