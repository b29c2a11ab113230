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
_PART = 16 * 1024
"""Bytes of the parts that the engine writes a longer line in (`defaultBufSize` of moby's daemon/logger/copier.go)."""


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


def lines_of(pieces: Iterator[Piece]) -> Iterator[LogLine]:
    """Yield the lines of both streams."""
    splitters: dict[int, LineSplitter] = {}
    for stream, data, begins_frame in pieces:
        splitter = splitters.setdefault(stream, LineSplitter())
        if begins_frame and (begun := splitter.rest) and not data.startswith(_stamp_of(begun)):
            for _, raw in splitter.end():  # the driver `local` of Docker 20.10 ends no line that it wrote in parts
                yield _line(stream, raw)
        for _, raw in splitter.feed(data):
            yield _line(stream, raw)
    for stream, splitter in splitters.items():
        for _, raw in splitter.end():
            yield _line(stream, raw)


def _stamp_of(line: bytes) -> bytes:
    return line[: line.find(b" ") + 1]


def _line(stream: int, raw: bytes) -> LogLine:
    stamp, _, line = raw.partition(b" ")
    at_ns = parse_time_ns(stamp.decode("ascii", "replace")) or 0
    return LogLine(at_ns, at_ns / 1e9 if at_ns else None, stream == _STDERR, clean(_joined(line, stamp + b" ")))


def _joined(line: bytes, stamp: bytes) -> bytes:
    """Join the parts of a long line: the engine repeats the line's stamp at the beginning of each."""
    parts = [line[:_PART]]
    start = _PART
    while line.startswith(stamp, start):
        start += len(stamp)
        parts.append(line[start : start + _PART])
        start += _PART
    return b"".join([*parts, line[start:]])
