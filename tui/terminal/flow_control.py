"""Whether the terminal keeps up with the pictures: on a slow line they must not queue up.

Every picture ends with a question that all terminals answer: where the cursor is. Until the answer arrives, the picture
may still be under way. So a key is never behind more than one picture, even where SSH would buffer minutes of them.
For a terminal that never answers, only the output that its writer has not written yet counts.
"""

from __future__ import annotations

import time
from threading import Event, Lock

_PATIENCE_S = 0.15
"""Seconds; an answer that takes longer means that the line is behind. A fast line answers sooner."""
_LOST_S = 20.0
"""Seconds after which an answer will not come: a terminal was suspended, or a connection moved."""
_MUTE_S = 10.0
"""Seconds after which a terminal that has not answered once never does. Until then it is painted once a second: the
answer may be stuck behind pictures, as in an SSH client that reads no key while its own terminal is slow."""
_UNSURE_S = 1.0
_FAREWELL_S = 1.0
"""Seconds to wait at the end for an answer that would otherwise be typed into the shell."""


class OutputFlowControl:
    """Whether the terminal is behind. Used by two threads: the one that paints and the one that reads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked_at: float | None = None
        self._painted_at = 0.0
        self._answered = Event()
        self._answered.set()
        self.answers = 0
        self.asked = 0
        """How many questions were asked, each after a picture."""
        self._shown = 0
        """The number of the last question that was answered."""

    def ask(self) -> bool:
        """Return whether to ask now: not while an answer is outstanding, nor again if the terminal never answers."""
        with self._lock:
            now = self._painted_at = time.monotonic()
            if self._asked_at is not None and (not self.answers or now - self._asked_at < _LOST_S):
                return False
            self._asked_at = now
            self.asked += 1
            self._answered.clear()
            return True

    def answer(self) -> None:
        """Record an answer."""
        with self._lock:
            self._asked_at = None
            self.answers += 1
            self._shown = self.asked
            self._answered.set()

    def has_shown(self, picture: int) -> bool:
        """Return whether the terminal shows the picture before this question, as far as its answers show."""
        with self._lock:
            is_lost = self._asked_at is None or time.monotonic() - self._asked_at > _LOST_S
            return self._shown >= picture or not self.answers or is_lost

    def forget(self) -> None:
        """Expect no answer any more."""
        with self._lock:
            self._asked_at = None
            self._answered.set()

    def is_behind(self) -> bool:
        """Return whether the last picture is probably still under way."""
        with self._lock:
            if self._asked_at is None:
                return False
            now = time.monotonic()
            out_s = now - self._asked_at
            if self.answers:
                return _PATIENCE_S < out_s < _LOST_S
            return _PATIENCE_S < out_s < _MUTE_S and now - self._painted_at < _UNSURE_S

    def is_answer_out(self) -> bool:
        """Return whether a terminal that has answered before is about to do so again."""
        with self._lock:
            return self._asked_at is not None and self.answers > 0

    def wait(self) -> None:
        """Wait a moment for an outstanding answer."""
        with self._lock:
            is_expected = self._asked_at is not None and (self.answers or time.monotonic() - self._asked_at < _MUTE_S)
        if is_expected:
            self._answered.wait(_FAREWELL_S)
