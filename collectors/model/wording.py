"""Words that several sentences share."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 4


def some(names: Sequence[str]) -> str:
    """Name a few, and count the rest."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
