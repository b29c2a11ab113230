"""Phrases that several messages share."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 4


def counted(number: int, noun: str) -> str:
    """Return a number with a regular noun: `1 domain`, `27 domains`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def some(names: Sequence[str]) -> str:
    """List the first few names, and count the rest."""
    remainder = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + remainder
