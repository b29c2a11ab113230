"""Waiting for a screen under Textual's pilot to come to rest: what it reads on demand comes from threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from textual.pilot import Pilot

_QUIET_TURNS = 3
"""An answer may lead to the next question."""
_MOST_TURNS = 2500


class Piloted(Protocol):
    """A test's screen, whatever else it holds."""

    @property
    def pilot(self) -> Pilot[Any]:
        """Its pilot."""


async def told_of(session: Piloted, words: str) -> None:
    """Wait for a notification."""
    await until(session.pilot, lambda: words in notified(session))


def notified(session: Piloted) -> str:
    """Return the notifications that are shown, a line each. A new one arrives a moment after its cause."""
    return "\n".join(str(one.message) for one in session.pilot.app._notifications)


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Wait until something holds, and require it."""
    for _ in range(_MOST_TURNS):
        await pilot.pause(0.02)
        if condition():
            return
    shown = "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())
    raise AssertionError(f"it did not come to hold:\n{shown}")


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
