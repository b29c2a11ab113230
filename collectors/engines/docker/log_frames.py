"""The format of a container's log as the engine sends it: frames, lines with a stamp each, long lines in parts."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from collectors.engines.docker.containers import parse_time_ns
from collectors.engines.line_splitter import LineSplitter
from collectors.model.logs import LogLine, clean

_STDERR = 2
_CHUNK = 1 << 16
_TERMINAL_PARTS = (16 * 1024, 4095)
"""Bytes of the parts that a terminal's long lines are written in: `defaultBufSize` of Docker's daemon/logger/copier.go,
and what Podman's conmon reads from a terminal at once."""


class Piece(NamedTuple):
    """Bytes of the log as they arrive."""

    stream: int
    data: bytes
    begins_frame: bool
    """Whether they are the first of a frame. A frame has one line, or one part of it."""


def pieces_of(raw: Any, is_tty: bool) -> Iterator[Piece]:
    """Yield the pieces of an answer: frames with a header of 8 bytes each; a terminal's log has none."""
    if is_tty:
        while chunk := raw.read1(_CHUNK) if hasattr(raw, "read1") else raw.read(_CHUNK):
            yield Piece(1, chunk, False)
        return
    while len(header := raw.read(8)) == 8:
        stream, size = struct.unpack(">BxxxL", header)
        begins_frame = True
        while size > 0:
            chunk = raw.read(min(size, _CHUNK))
            if not chunk:
                return
            size -= len(chunk)
            yield Piece(stream, chunk, begins_frame)
            begins_frame = False


def lines_of(pieces: Iterator[Piece], is_podman: bool = False) -> Iterator[LogLine]:
    """Yield the lines of both streams.

    A long line comes in parts, a frame with a stamp each. Docker stamps the parts of a line alike, Podman does not.
    """
    splitters: dict[int, LineSplitter] = {}
    for stream, data, begins_frame in pieces:
        splitter = splitters.setdefault(stream, LineSplitter())
        if begins_frame and (begun := splitter.rest):
            if is_podman or data.startswith(_stamp_of(begun)):
                data = data[len(_stamp_of(data)) :]
            else:  # the driver `local` of Docker 20.10 ends no line that it wrote in parts
                yield from (_line(stream, raw) for _, raw in splitter.end())
        yield from (_line(stream, raw) for _, raw in splitter.feed(data))
    for stream, splitter in splitters.items():
        yield from (_line(stream, raw) for _, raw in splitter.end())


def _stamp_of(line: bytes) -> bytes:
    return line[: line.find(b" ") + 1]


def _line(stream: int, raw: bytes) -> LogLine:
    stamp, _, line = raw.partition(b" ")
    at_ns = parse_time_ns(stamp.decode("ascii", "replace")) or 0
    return LogLine(at_ns, at_ns / 1e9 if at_ns else None, stream == _STDERR, *clean(_joined(line, stamp + b" ")))


def _joined(line: bytes, stamp: bytes) -> bytes:
    """Join the parts of a terminal's long line, where no frame shows where a part begins."""
    size = next((size for size in _TERMINAL_PARTS if line.startswith(stamp, size)), len(line))
    parts: list[bytes] = []
    start = 0
    while start < len(line):
        parts.append(line[start : start + size])
        start += size
        if line.startswith(stamp, start):
            start += len(stamp)
    return b"".join(parts)
