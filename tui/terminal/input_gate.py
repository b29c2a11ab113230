"""Keeps what was meant for a dialogue from the screen below it, and a held key from what it opened or closed. Pure."""

from __future__ import annotations

HELD_S = 0.7
"""Seconds after which a key that is held down repeats at the latest: X waits 660 ms, others 225 to 600 ms."""
REPEATS_S = 0.15
"""Seconds between repetitions, at most, also on a line with jitter."""
_SHUT_AT_MOST_S = 3.0
"""Seconds after which a screen that has not been painted never is."""
_DELIBERATE = frozenset({"escape"})
"""Keys pressed several times on purpose, until all is closed; only their pace shows a repetition."""


class InputGate:
    """Admits or drops each key, click and paste by when it was made. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._shut_at: float | None = None
        self._opened_at = float("-inf")
        self._key = ""
        """The key that may still be held down."""
        self._until = float("-inf")
        self._last_key = ""

    def shut(self, now: float) -> None:
        """Let nothing pass: a screen is closing."""
        self._shut_at = now
        self.hold(now)

    def open(self, now: float) -> None:
        """Let pass what is made from now on: the screen below has been painted."""
        self._shut_at = None
        self._opened_at = now

    def hold(self, now: float) -> None:
        """Treat the newest key as held down until it pauses."""
        self._key = self._last_key
        self._until = now + (REPEATS_S if self._key in _DELIBERATE else HELD_S)

    def admits(self, key: str, made_at: float) -> bool:
        """Return whether an event may reach the screen.

        Args:
            key: The key's name; `mouse` for a mouse button; empty if it cannot be held down.
            made_at: When it was made.
        """
        if key and key == self._key:
            if made_at < self._until:
                self._until = max(self._until, made_at + REPEATS_S)
                return False
            self._key = ""
        elif key:
            self._key = ""
        is_shut = self._shut_at is not None and made_at - self._shut_at < _SHUT_AT_MOST_S
        if is_shut or made_at < self._opened_at:
            return False
        if key:
            self._last_key = key
        return True
