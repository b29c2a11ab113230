"""A terminal that answers more questions than pyte does, and late: as at the far end of a slow line."""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Sequence

from tests.helpers.pty_terminal import Terminal

ANSWERS = {
    b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
    b"\x1b]10;?\x07": b"\x1b]10;rgb:d0d0/d0d0/d0d0\x07",
    b"\x1b[>q": b"\x1bP>|xterm(390)\x1b\\",
    b"\x1b[?u": b"\x1b[?1u",
    b"\x1b[21t": b"\x1b]lLqxt\x1b\\",
}
"""What no terminal would say by itself; the title is one that allows to be asked for it."""
_ANSWERS_EVERY_S = 0.02
_QUESTIONS = re.compile(b"|".join(map(re.escape, ANSWERS)))


class LateTerminal(Terminal):
    """Answers so many seconds after it was asked, in the order in which it was.

    Args:
        argv: The command.
        delay_s: Seconds from a question to its answer.
        ground: The colour that it says its ground has, as in an answer.
        options: The terminal's own.
    """

    def __init__(
        self, argv: Sequence[str], delay_s: float, ground: bytes = b"1e1e/1e1e/1e1e", **options: object
    ) -> None:
        self.delay_s = delay_s
        self._ground = b"\x1b]11;rgb:" + ground + b"\x1b\\"
        self.answered = 0
        self.is_held_up: Callable[[], bool] = lambda: False
        """While it returns true, answers wait: the line is slower than whatever a test does meanwhile."""
        self._due: deque[tuple[float, bytes]] = deque()
        super().__init__(argv, **options)  # type: ignore[arg-type]  # Terminal's own
        self.screen.answer = lambda words: self._later(words.encode())

    def _later(self, answer: bytes) -> None:
        self._due.append((time.monotonic() + self.delay_s, answer))

    def take(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while True:
            self._answer_what_is_due()
            left = deadline - time.monotonic()
            if super().take(min(left, _ANSWERS_EVERY_S)):
                return True
            if left <= 0:
                return False

    def feed(self, chunk: bytes) -> None:
        place = 0
        for question in _QUESTIONS.finditer(chunk):
            super().feed(chunk[place : question.end()])
            self._later(self._ground if b"]11;" in question[0] else ANSWERS[question[0]])
            place = question.end()
        super().feed(chunk[place:])

    def _answer_what_is_due(self) -> None:
        while not self.is_held_up() and self._due and self._due[0][0] <= time.monotonic():
            os.write(self.fd, self._due.popleft()[1])
            self.answered += 1
