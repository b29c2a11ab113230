"""Waiting for a screen under Textual's pilot to come to rest: what it reads on demand comes from threads."""

from __future__ import annotations

import threading
from typing import Any

from textual.pilot import Pilot

_QUIET_TURNS = 3
"""An answer may lead to the next question."""
_MOST_TURNS = 500


async def rest(pilot: Pilot[Any]) -> None:
    """Wait until nothing is read on demand, and all of it is painted."""
    quiet = 0
    for _ in range(_MOST_TURNS):
        await pilot.pause(0.02)
        is_busy = any(thread.name == "on-demand" for thread in threading.enumerate())
        quiet = 0 if is_busy else quiet + 1
        if quiet == _QUIET_TURNS:
            return
    raise AssertionError("something is still being read on demand")
