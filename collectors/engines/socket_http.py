"""HTTP/1.1 over a stream socket, as the daemons of a host speak it: one request on each connection, bounded answers.

The standard library's client loads TLS and a parser of mail, which every `vmtop list` would pay for.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

_CHUNK = 64 << 10
_LARGEST_HEAD = 64 << 10
"""Bytes of the status line and the headers at most."""
_LONGEST_LINE = 1024
"""Bytes of a line between chunks at most."""
_MOST_INTERIM = 8
"""Answers with a status of 1xx before the real one, at most."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?", re.DOTALL)
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}")
_LENGTH = re.compile(r"\d{1,18}", re.ASCII)


class AnswerRefused(OSError):
    """An answer that is not taken; the message says why."""


class Answer:
    """An answer whose head has arrived, and whose body is read as it comes. Closes its connection.

    Args:
        connection: The socket that the request was sent on.

    Raises:
        AnswerRefused: It is no HTTP.
        OSError: The connection broke, or nothing came within the socket's time-out.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self.status, self.headers = self._head()
        for _ in range(_MOST_INTERIM):
            if self.status // 100 != 1:
                break
            self.status, self.headers = self._head()
        if self.status // 100 == 1:
            raise AnswerRefused("it sends interim answers only")
        self._is_chunked = self.headers.get("transfer-encoding", "identity").lower() != "identity"
        self._left: int | None = 0
        """Bytes of the body, or of the current chunk, that are to come; `None` for all until the connection ends."""
        if self._is_chunked and self.headers["transfer-encoding"].lower() != "chunked":
            raise AnswerRefused("its answer is encoded in a way that vmtop did not ask for")
        if not self._is_chunked and self.status not in (204, 304):
            length = self.headers.get("content-length")
            if length is not None and not _LENGTH.fullmatch(length):
                raise AnswerRefused("the length of its answer is no number")
            self._left = None if length is None else int(length)
        self._has_ended = not self._is_chunked and self._left == 0
        self._is_first_chunk = True

    def read(self) -> bytes:
        """Return what has arrived of the body, at least a byte; nothing at its end.

        Raises:
            AnswerRefused: It breaks off, or is no HTTP.
            OSError: As for the head.
        """
        if self._is_chunked and self._left == 0 and not self._has_ended:
            self._begin_chunk()
        if self._has_ended:
            return b""
        piece = bytes(self._buffer[: self._left]) if self._buffer else self._receive(self._left)
        del self._buffer[: len(piece)]
        if self._left is None:
            self._has_ended = not piece
            return piece
        if not piece:
            raise AnswerRefused("its answer breaks off")
        self._left -= len(piece)
        self._has_ended = not self._is_chunked and self._left == 0
        return piece

    def close(self) -> None:
        """Close the connection; a `read` in another thread ends."""
        with suppress(OSError):  # the other side has closed it already
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _begin_chunk(self) -> None:
        if not self._is_first_chunk and self._line(_LONGEST_LINE):
            raise AnswerRefused("its answer is damaged")
        self._is_first_chunk = False
        size = _SIZE.fullmatch(self._line(_LONGEST_LINE).partition(b";")[0].strip())
        if size is None:
            raise AnswerRefused("its answer is damaged")
        self._left = int(size[0], 16)
        self._has_ended = self._left == 0  # trailers may follow, which nobody reads

    def _head(self) -> tuple[int, dict[str, str]]:
        """Return the status, and the headers by lower-case name."""
        rest = _LARGEST_HEAD
        status = _STATUS.fullmatch(self._line(rest))
        if status is None:
            raise AnswerRefused("its answer is no HTTP")
        headers: dict[str, str] = {}
        while line := self._line(rest):
            rest -= len(line)
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(status[1]), headers

    def _line(self, most: int) -> bytes:
        """Return the next line without its end."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > most:
                break
            if not (piece := self._receive(None)):
                raise AnswerRefused("it closed the connection before its answer was whole")
            self._buffer += piece
        if not 0 <= end <= most:
            raise AnswerRefused("its answer has a line that is too long")
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    def _receive(self, most: int | None) -> bytes:
        return self._connection.recv(_CHUNK if most is None else min(most, _CHUNK))


def send(
    connection: socket.socket,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send a request on a connected socket, which the answer closes, and return the answer; on errors it is closed.

    Args:
        connection: A socket with a time-out, on which nothing else is sent.
        method: `GET`, `POST` ...
        target: The path with its query, quoted.
        body: JSON, or nothing.
        headers: More of them. Host, lengths and what ends the connection are set here.

    Raises:
        ValueError: The target or a header has a blank or a line break.
        AnswerRefused: The answer is no HTTP.
        OSError: The connection broke, or nothing came within the time-out.
    """
    fields = {"Host": "localhost", "Accept-Encoding": "identity", "Connection": "close", **(headers or {})}
    if body is not None:
        fields |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    try:
        if not target.isprintable() or " " in target or not all(map(str.isprintable, lines)):
            raise ValueError("a request has a character that would end its line")
        connection.sendall("\r\n".join((*lines, "", "")).encode("latin-1") + (body or b""))
        return Answer(connection)
    except BaseException:
        connection.close()
        raise


def whole(read: Callable[[], bytes], most_bytes: int, most_values: int, longest_s: float) -> bytes:
    """Return a whole body.

    Args:
        read: Returns what has arrived, at least a byte; nothing at the end.
        most_bytes: Bytes at most.
        most_values: Values of JSON at most, of up to 100 bytes of memory each once they are decoded.
        longest_s: Seconds from the first byte to the last.

    Raises:
        AnswerRefused: It is beyond one of the bounds.
    """
    body = bytearray()
    deadline = time.monotonic() + longest_s
    while piece := read():
        body += piece
        if len(body) > most_bytes:
            raise AnswerRefused(f"its answer is longer than {most_bytes >> 20} MiB")
        if time.monotonic() > deadline:
            raise AnswerRefused(f"its answer takes longer than {longest_s:g} s")
    if sum(body.count(mark) for mark in b",[{") > most_values:
        raise AnswerRefused(f"its answer has more than {most_values:,} values")
    return bytes(body)
