"""How a program ended, in words."""

from __future__ import annotations

import signal
from contextlib import suppress


def ending_words(exit_code: int | None) -> str:
    """Return how a program ended."""
    if exit_code is None:
        return "it is still running"
    if exit_code < 0:
        with suppress(ValueError):
            return f"ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
