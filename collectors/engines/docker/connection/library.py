"""Loads docker-py late, and once."""

from __future__ import annotations

import threading

_LOCK = threading.Lock()


def load_library() -> None:
    """Import all of docker-py before any part of it, in one thread at a time.

    Its packages import each other: of two threads that begin with different ones, each gets the other's half.
    """
    with _LOCK:
        import docker  # noqa: F401
