"""How long a key takes to show on the screen of a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from tests.helpers.pty_terminal import Terminal

PATIENCE_S = 60.0


class KeyBoard:
    """Presses a key whose effect is a word in the header."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def press(self) -> float:
        """Press it; return the milliseconds until the screen shows its effect."""
        is_on = self._is_on()
        began = time.monotonic()
        self._terminal.press("F")
        while self._is_on() is is_on:
            left = began + PATIENCE_S - time.monotonic()
            assert left > 0, f"no effect within {PATIENCE_S} s:\n{self._terminal.text()}"
            self._terminal.take(left)
        return (time.monotonic() - began) * 1e3

    def press_often(self, count: int, pause_s: float = 0.3) -> list[float]:
        """Press it so many times."""
        spent = []
        for _ in range(count):
            spent.append(self.press())
            self._terminal.read(pause_s)
        return spent

    def _is_on(self) -> bool:
        return "following" in self._terminal.line(1)


def spread(milliseconds: Sequence[float]) -> str:
    """Return the median, 95th percentile and maximum of latencies as text."""
    ordered = sorted(milliseconds)
    late = ordered[int(len(ordered) * 0.95)]
    return f"p50 {median(ordered):.0f}, p95 {late:.0f}, max {ordered[-1]:.0f} ms (n = {len(ordered)})"
