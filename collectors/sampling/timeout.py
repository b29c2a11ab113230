"""Calls that may hang, with a timeout."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from collectors.model.errors import NotInTime

Answer = TypeVar("Answer")
ANSWER_S = 30.0
"""Seconds that a daemon, or the kernel, may take for an answer: on an overloaded host a call that normally takes
milliseconds takes many seconds, and asking again would only make its queue longer."""


def call_with_timeout(seconds: float, call: Callable[[], Answer], peer: str = "the engine") -> Answer:
    """Call on a separate thread and return its answer; a call that hangs is abandoned.

    Args:
        seconds: How long to wait, at most.
        call: The call to make.
        peer: The name, in the error message, of the system that is called.

    Raises:
        NotInTime: There was no answer in time.
    """
    answers: list[Answer] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:
            failures.append(error)  # raised again on the thread that waits

    thread = threading.Thread(target=run, name="action-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not answers:
        raise NotInTime(f"{peer} has not answered for {seconds:.0f} s")
    return answers[0]
