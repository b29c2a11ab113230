"""Limits as they are typed: `cpu=2 memory=1G pids=none`. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from collectors.model.limits import LIMITS, Amount, LimitError, LimitKey, parse_amount
from collectors.safety.sanitize import sanitize

_SHOWN = 60


def is_change(word: str) -> bool:
    """Return whether a word of a command line is a limit, and not the name of a workload."""
    return "=" in word


def parse_changes(words: Sequence[str]) -> dict[LimitKey, Amount | None]:
    """Return the limits that words ask for, in their order; `None` takes one away.

    Raises:
        LimitError: A word is no limit, its amount is none, or a limit is there twice.
    """
    changes: dict[LimitKey, Amount | None] = {}
    for word in words:
        name, _, amount = word.partition("=")
        key = _key(name)
        if key in changes:
            raise LimitError(f"{key} is given twice: give it once")
        changes[key] = parse_amount(key, amount)
    return changes


def _key(name: str) -> LimitKey:
    typed = name.strip().lower().replace("-", "_")
    if typed in LIMITS:
        return LimitKey(typed)
    close = difflib.get_close_matches(typed, list(LIMITS), 1, 0.6)
    meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(LIMITS)}"
    raise LimitError(f"{sanitize(name, _SHOWN)} is no limit; {meant}")
