"""Loads docker-py late, and once; what it raises, which asks for nothing where it has not been loaded."""

from __future__ import annotations

import sys
import threading

_LOCK = threading.Lock()


def load_library() -> None:
    """Import all of docker-py before any part of it, in one thread at a time.

    Its packages import each other: of two threads that begin with different ones, each gets the other's half.
    """
    with _LOCK:
        import docker  # noqa: F401


def library_errors() -> tuple[type[Exception], ...]:
    """Return the classes of exceptions that docker-py raises beside those of Python; none while it is not loaded."""
    if "docker" not in sys.modules:
        return ()
    load_library()
    from docker.errors import DockerException
    from urllib3.exceptions import HTTPError

    return (DockerException, HTTPError)


def library_timeouts() -> tuple[type[Exception], ...]:
    """Return docker-py's classes for an answer that is late; none while it is not loaded."""
    if "docker" not in sys.modules:
        return ()
    load_library()
    from requests import Timeout

    return (Timeout,)
