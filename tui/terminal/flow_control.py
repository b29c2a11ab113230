"""Whether the terminal takes pictures as fast as they come: behind a slow line none may wait in a row.

Every picture ends with a question to which all terminals know the answer, where the cursor is. As long as the answer
is out, the picture may still be on its way. So a key is never behind more than one picture, also where SSH would store
minutes of them. A terminal that never answers is held to what its writer has not written yet.
"""

from __future__ import annotations

import time
from threading import Event, Lock

_PATIENCE_S = 0.15
"""An answer that takes longer means that the line is behind; a good one answers sooner, and loses nothing."""
_LOST_S = 20.0
"""An answer that has not come by then will not come: a terminal was suspended, or a connection moved."""
_MUTE_S = 10.0
"""A terminal that has not answered once by then never does. Until then it is painted once a second: the answer may
be stuck behind pictures, as in an SSH client that reads no key while its own terminal is slow."""
_UNSURE_S = 1.0
_FAREWELL_S = 1.0
"""At the end, for an answer that would else be typed into the shell."""


class OutputFlowControl:
    """Whether the terminal is behind. Told from two threads: what paints, and what reads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked_at: float | None = None
        self._painted_at = 0.0
        self._answered = Event()
        self._answered.set()
        self.answers = 0
        self.asked = 0
        """How many pictures were asked after."""
        self._shown = 0
        """Up to which of them there was an answer."""

    def ask(self) -> bool:
        """Return whether to ask now: not while an answer is out, nor again of one that does not answer."""
        with self._lock:
            now = self._painted_at = time.monotonic()
            if self._asked_at is not None and (not self.answers or now - self._asked_at < _LOST_S):
                return False
            self._asked_at = now
            self.asked += 1
            self._answered.clear()
            return True

    def answer(self) -> None:
        """Take an answer."""
        with self._lock:
            self._asked_at = None
            self.answers += 1
            self._shown = self.asked
            self._answered.set()

    def has_shown(self, picture: int) -> bool:
        """Return whether the terminal shows the picture that was asked after with this number, as far as it tells."""
        with self._lock:
            is_lost = self._asked_at is None or time.monotonic() - self._asked_at > _LOST_S
            return self._shown >= picture or not self.answers or is_lost

    def forget(self) -> None:
        """Expect no answer any more."""
        with self._lock:
            self._asked_at = None
            self._answered.set()

    def is_behind(self) -> bool:
        """Return whether the last picture is still on its way, as far as can be told."""
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
        """Give an answer that is out a moment to come."""
        with self._lock:
            may_come = self._asked_at is not None and (self.answers or time.monotonic() - self._asked_at < _MUTE_S)
        if may_come:
            self._answered.wait(_FAREWELL_S)
