"""What is taken of an engine's answers: an engine, or what poses as one, can send without end or nest deeply. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from collectors.engines.socket_http import AnswerRefused
from collectors.safety.untrusted import at

LARGEST_ANSWER = 32 << 20
"""Bytes of one answer at most: the list of 10,000 containers takes about 20 MiB."""
MOST_VALUES = 1_000_000
"""Values in one answer at most, of up to 100 bytes of memory each once it is decoded."""
LONGEST_ANSWER_S = 60.0
"""Seconds that one answer may take from its first byte to its last."""
LONGEST_MESSAGE = 1 << 20
"""Bytes of one message of a stream at most."""


class Refused(OSError):
    """The engine answered with an error."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(f"HTTP {status}{': ' if explanation else ''}{explanation}")
        self.status = status
        """The status of HTTP, 400 or higher."""
        self.explanation = explanation
        """The engine's own words, as it sent them; may be empty."""


class Stream(Protocol):
    """A body that is read as it arrives."""

    def read(self) -> bytes:
        """Return what has arrived, at least a byte; nothing at the end."""

    def close(self) -> None:
        """End it; a `read` in another thread ends as well."""


def refusal(status: int, body: bytes) -> Refused:
    """Return the error for an answer with an error status: its `message`, or the text that is not JSON."""
    try:
        explanation = at(json.loads(body), "message")
    except (ValueError, RecursionError):
        explanation = body.decode("utf-8", "replace").strip()
    return Refused(status, explanation if isinstance(explanation, str) else "")


def messages(stream: Stream) -> Iterator[Any]:
    """Yield the messages of a stream as they arrive, one JSON document a line, and close it.

    Raises:
        AnswerRefused: A message is too long.
        ValueError: A message is not JSON.
    """
    pending = bytearray()
    try:
        while chunk := stream.read():
            pending += chunk
            if b"\n" in chunk:
                *lines, rest = bytes(pending).split(b"\n")
                pending = bytearray(rest)
                yield from (json.loads(line) for line in lines if line.strip())
            if len(pending) > LONGEST_MESSAGE:
                raise AnswerRefused(f"it sends a message of more than {LONGEST_MESSAGE >> 20} MiB")
        if pending.strip():
            yield json.loads(pending)
    finally:
        stream.close()
