"""Runs a program without a terminal to its end, with a bound on what is read of it and on its time."""

from __future__ import annotations

import logging
import math
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from collectors.model.errors import SourceError
from collectors.safety.sanitize import sanitize

log = logging.getLogger(__name__)

_LOGGED_LINES = 200
_OUTPUT_AT_MOST = 1 << 20
"""Bytes of a background command's output that are looked at."""
_SHOWN = 120
_READ_AT_ONCE = 1 << 16
_POLL_MS = 200
"""How long it may take to notice that a program has ended whose output another one still holds open."""
_GRACE_S = 2.0
"""For the rest of the output of a program that has ended; another one may go on printing for ever."""


def run_program(
    label: str, words: Sequence[str], variables: Mapping[str, str], timeout_s: float = math.inf
) -> tuple[int, str]:
    """Run a program without a terminal; return its exit code and its last line. The log has all that it printed.

    Args:
        label: What it is called in the log.
        words: The program and its arguments; no shell is involved.
        variables: Its environment.
        timeout_s: Seconds after which it is killed, with all that it started and that is still in its session.

    Raises:
        SourceError: It cannot be run, or took too long.
    """
    is_late = False
    try:
        process = subprocess.Popen(  # noqa: S603  # the user's own words, and values as single arguments
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            start_new_session=True,
        )
    except OSError as error:
        raise SourceError(f"{words[0]} cannot be run: {error.strerror or error}") from error
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    with process.stdout as output:
        data = _read_to_end(process, output.fileno(), until := time.monotonic() + timeout_s)
    try:
        code = process.wait(None if math.isinf(until) else max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        is_late = True
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    lines = [sanitize(line.expandtabs()) for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    for line in lines[-_LOGGED_LINES:]:
        log.info("%s: %s", label, line)
    if is_late:
        raise SourceError(f"{words[0]} took longer than {timeout_s:g} s and was killed")
    return code, sanitize(lines[-1], _SHOWN) if lines else ""


def _read_to_end(process: subprocess.Popen[bytes], descriptor: int, until: float) -> bytes:
    """Return the first of what a program prints until it ends, or until an instant of the monotonic clock.

    A daemon that it leaves behind may hold the pipe open.

    All is taken: a program whose output is not taken would wait for ever.
    """
    output = bytearray()
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    has_ended = False
    while time.monotonic() < until:
        if not has_ended and process.poll() is not None:  # what it printed last is in the pipe by now
            has_ended, until = True, min(until, time.monotonic() + _GRACE_S)
        if waiting.poll(_POLL_MS):
            data = os.read(descriptor, _READ_AT_ONCE)
            output += data[: _OUTPUT_AT_MOST - len(output)]
            if not data:
                break
        elif has_ended:
            break
    return bytes(output)
