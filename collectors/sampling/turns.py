"""Turns in which the sources of this host read files, one source after the other.

Each call into the kernel gives the interpreter's lock away, and its thread has to wait for it again where another one
wants it. A dozen threads that each read small files at the same time mostly hand that lock around: two in three of
their calls into the kernel were about it. In turn, none waits in the middle of its reading.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_PATIENCE_S = 0.1
"""Longer than all readings of a usual host take together, and too short to be seen."""


class Turns:
    """Lets one thread through at a time, as long as each leaves again soon.

    Args:
        patience_s: Seconds to wait for one's turn, at most.
    """

    def __init__(self, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, which lasts until the end of the block. After `patience_s` seconds, go without one.

        Whoever is inside for so long reads much, or hangs: nobody waits for it again, and the others take turns
        without it.
        """
        lock = self._lock
        has_turn = lock.acquire(timeout=self._patience_s)
        if not has_turn and self._lock is lock:
            self._lock = threading.Lock()
        try:
            yield
        finally:
            if has_turn:
                lock.release()
