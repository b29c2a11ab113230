"""A container's log through the engine's API (`GET /containers/{id}/logs`: frames of 8 + n bytes)."""

from __future__ import annotations

import struct
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.containers import parse_time_ns
from collectors.engines.docker.endpoint import failures
from collectors.model.errors import SourceError
from collectors.model.logs import LogLine, clean
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess

_JITTER_NS = 10_000_000
"""The engine stamps a line before it waits to write it, so lines of the two streams may be out of order by up to this
much. Their order in the log is what counts."""
_SECOND_NS = 1_000_000_000
_STDERR = 2
_LONGEST_FRAME = 1 << 20


class DockerLog:
    """Reads what a container wrote; the position of a line is its time in nanoseconds."""

    def __init__(self, workload: Workload, access: DockerAccess) -> None:
        self.title = f"engine log, container {workload.short_id}"
        self._identity = workload.id.id
        self._daemon = access.daemon(workload)
        self._lock = threading.Lock()
        self._is_closed = False
        self._stream: Any = None
        """The stream of the follower; `None` without one."""
        with self._daemon.client() as client:
            inspection: Any = client.inspect_container(self._identity)
        self._created_ns = parse_time_ns(inspection.get("Created")) or 0
        self._span_ns = 10 * _SECOND_NS
        """How far back the next older lines are expected to reach, in nanoseconds."""
        self._is_tty = bool(inspection.get("Config", {}).get("Tty"))

    def last(self, count: int) -> list[LogLine]:
        return self._read({"tail": str(count)})

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        """Read growing spans before the line: the engine counts a tail from the end of the log only."""
        end, span = int(line.position), self._span_ns
        while True:
            start = max(0, end - span)
            limits = {"since": _seconds(start), "until": _seconds(end + _JITTER_NS)}
            older = _before(self._stream_lines(limits, follow=False), line, count)
            is_full = len(older) == count and int(older[0].position) > start + _JITTER_NS
            if is_full or start <= self._created_ns:
                break
            span *= 4
        if older:
            self._span_ns = max(_SECOND_NS, end - int(older[0].position))
        return older

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return list(islice(self._since(line, follow=False), count))

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        if line is None:
            yield from self._stream_lines({"tail": "0"}, follow=True)
        else:
            yield from self._since(line, follow=True)

    def _since(self, line: LogLine, follow: bool) -> Iterator[LogLine]:
        span = {"since": _seconds(int(line.position) - _JITTER_NS)}
        return _after(self._stream_lines(span, follow), line)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
        self._hand_over(None)

    def _hand_over(self, stream: Any) -> None:
        """End the previous follower, and the new one too if the log was closed in the meantime."""
        with self._lock:
            obsolete = [self._stream, stream if self._is_closed else None]
            self._stream = stream
        for old_stream in obsolete:
            try:
                if old_stream is not None:
                    old_stream.close()
            except _broken():
                continue  # its socket is already gone

    def _read(self, span: dict[str, str]) -> list[LogLine]:
        return list(self._stream_lines(span, follow=False))

    def _stream_lines(self, span: dict[str, str], follow: bool) -> Iterator[LogLine]:
        """Request the log and yield its lines as they arrive."""
        from docker.types.daemon import CancellableStream

        with ExitStack() as stack:
            client = stack.enter_context(self._daemon.client())
            address = f"{client.base_url}/v{client.api_version}/containers/{self._identity}/logs"
            query = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if follow else "0", **span}
            response = client.get(address, params=query, stream=True, timeout=(3.0, None if follow else 10.0))
            stack.callback(response.close)
            if response.status_code != 200:
                raise SourceError(f"the engine has no log: {sanitize(response.text[:300]).strip()}")
            stream = CancellableStream(iter(()), response)
            if follow:
                self._hand_over(stream)
            try:
                yield from _lines(_frames(response.raw, self._is_tty))
            except _broken():
                if not follow or (self._stream is stream and not self._is_closed):
                    raise  # no one ended it: the engine or the way to it broke


def _before(lines: Iterable[LogLine], line: LogLine, count: int) -> list[LogLine]:
    """Return the last lines before `line`; if it is not among `lines`, the last ones of an earlier time."""
    older: deque[LogLine] = deque(maxlen=count)
    for candidate in lines:
        if candidate == line:
            return list(older)
        older.append(candidate)
    return [candidate for candidate in older if int(candidate.position) < int(line.position)]


def _after(lines: Iterator[LogLine], line: LogLine) -> Iterator[LogLine]:
    """Yield the lines after `line`, which is among the first; if it is not, those of a later time."""
    later: list[LogLine] = []
    for candidate in lines:
        if candidate == line:
            later.clear()
            break
        if int(candidate.position) > int(line.position):
            later.append(candidate)
        if int(candidate.position) > int(line.position) + _JITTER_NS:
            break
    yield from later
    yield from lines


def _broken() -> tuple[type[Exception], ...]:
    return (*failures(), AttributeError)  # AttributeError: the socket was closed under the reader


def _frames(raw: Any, is_tty: bool) -> Iterator[tuple[int, bytes]]:
    """Yield (stream, bytes) of an answer; the log of a terminal has no frames."""
    if is_tty:
        while chunk := raw.read1(65536) if hasattr(raw, "read1") else raw.read(65536):
            yield 1, chunk
        return
    while len(header := raw.read(8)) == 8:
        stream, size = struct.unpack(">BxxxL", header)
        while size > 0:
            chunk = raw.read(min(size, _LONGEST_FRAME))
            if not chunk:
                return
            size -= len(chunk)
            yield stream, chunk


def _lines(frames: Iterator[tuple[int, bytes]]) -> Iterator[LogLine]:
    rests: dict[int, bytes] = {}
    for stream, chunk in frames:
        *whole, rest = (rests.get(stream, b"") + chunk).split(b"\n")
        rests[stream] = rest[:_LONGEST_FRAME]
        for raw in whole:
            yield _line(stream, raw)
    for stream, rest in rests.items():
        if rest:
            yield _line(stream, rest)


def _line(stream: int, raw: bytes) -> LogLine:
    stamp, _, text = raw.partition(b" ")
    at_ns = parse_time_ns(stamp.decode("ascii", "replace")) or 0
    return LogLine(at_ns, at_ns / 1e9 if at_ns else None, stream == _STDERR, clean(text))


def _seconds(at_ns: int) -> str:
    return f"{at_ns // 10**9}.{at_ns % 10**9:09d}"
