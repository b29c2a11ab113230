"""Calls that may hang, with an end to the waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from collectors.model.errors import SourceDown

Answer = TypeVar("Answer")


def call_with_timeout(seconds: float, call: Callable[[], Answer], whom: str = "the engine") -> Answer:
    """Call on a thread of its own and wait so long at most; a call that hangs is left to itself.

    Raises:
        SourceDown: There was no answer in time.
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
        raise SourceDown(f"{whom} has not answered for {seconds:.0f} s")
    return answers[0]
