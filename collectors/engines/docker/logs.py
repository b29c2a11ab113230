"""A container's log through the engine's API (`GET /containers/{id}/logs`)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.connection.endpoint import broken
from collectors.engines.docker.containers import parse_time_ns
from collectors.engines.docker.log_frames import lines_of, pieces_of
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.logs import Interruptible, LineTail, LogLine, first_lines, last_lines
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, part, text

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess

_JITTER_NS = 10_000_000
"""The engine stamps a line before it waits to write it, so lines of the two streams may be out of order by up to this
much. Their order in the log is what counts."""
SECOND_NS = 1_000_000_000
_FLOAT_NS = 500
"""What a time in seconds as a float may lack of the nanoseconds that it was made of."""
_REFUSAL_BYTES = 4096
_TakeOlder = Callable[[Iterable[LogLine]], tuple[list[LogLine], bool]]


class DockerLog(Interruptible):
    """Reads what a container wrote; the position of a line is its time in nanoseconds."""

    is_podman = False
    """Whether the parts of a long line are stamped by Podman."""
    readable_driver = "local"
    """A log driver whose log can be read."""

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
        self._driver = sanitize(text(part(inspection, "HostConfig", "LogConfig").get("Type")))
        self._created_ns = parse_time_ns(inspection.get("Created")) or 0
        self._span_ns = 10 * SECOND_NS
        """How far back the next older lines are expected to reach, in nanoseconds."""
        self._is_tty = bool(inspection.get("Config", {}).get("Tty"))

    def last(self, count: int) -> list[LogLine]:
        return last_lines(self._stream_lines({"tail": str(count)}, follow=False), count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self._back_from(int(line.position), lambda lines: _before(lines, line, count))

    def first(self, count: int) -> list[LogLine]:
        return first_lines(self._stream_lines({"tail": "all"}, follow=False), count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        at_ns = int(wall * SECOND_NS) + _FLOAT_NS
        return self._back_from(at_ns, lambda lines: _until(lines, at_ns, count))

    def _back_from(self, end: int, take: _TakeOlder) -> list[LogLine]:
        """Read growing spans before a time: the engine counts a tail from the end of the log only."""
        span, interrupts = self._span_ns, self._interrupts
        while True:
            start = max(0, end - span)
            older, is_full = take(self._stream_lines(self._span(start, end), follow=False))
            if (older and is_full and int(older[0].position) > start + _JITTER_NS) or start <= self._created_ns:
                break
            if self._interrupts != interrupts:
                return []
            span *= 4
        if older:
            self._span_ns = max(SECOND_NS, end - int(older[0].position))
        return older

    def _span(self, start: int, end: int) -> dict[str, str]:
        """Return the parameters of a request for the lines from a time to another, in nanoseconds."""
        return {"since": _seconds(start), "until": _seconds(end + _JITTER_NS)}

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return first_lines(self._since(line, follow=False), count)

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        return self._stream_lines({"tail": "all"}, follow=False) if line is None else self._since(line, follow=False)

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        if line is None:
            yield from self._stream_lines({"tail": "0"}, follow=True)
        else:
            yield from self._since(line, follow=True)

    def _since(self, line: LogLine, follow: bool) -> Iterator[LogLine]:
        span = {"since": _seconds(int(line.position) - _JITTER_NS)}
        return _after(self._stream_lines(span, follow), line)

    def close(self) -> None:
        self.interrupt()
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
            except broken():
                continue  # its socket is already gone

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
                raise self._refusal(response.status_code, response.raw.read(_REFUSAL_BYTES, decode_content=True))
            stream = CancellableStream(iter(()), response)
            if follow:
                self._hand_over(stream)
            try:
                interrupts = self._interrupts
                for line in lines_of(pieces_of(response.raw, self._is_tty), self.is_podman):
                    if not follow and self._interrupts != interrupts:
                        return
                    yield line
            except broken():
                if not follow or (self._stream is stream and not self._is_closed):
                    raise  # no one ended it: the engine or the way to it broke

    def _refusal(self, status: int, body: bytes) -> SourceError:
        """Return the error for an answer that is not a log."""
        try:
            message = text(at(json.loads(body), "message"))
        except ValueError:
            message = ""
        if status == 404:
            return WorkloadGone("the engine no longer has it")
        if "log driver" not in message and "logging driver" not in message:
            return SourceError(
                f"the engine does not send the log (HTTP {status}): {sanitize(message.strip()) or 'no reason'}"
            )
        recreate = f"recreate the container with --log-driver {self.readable_driver}"
        if self._driver == "none":
            return SourceAbsent("there is no log: the log driver of this container is none", recreate)
        remedy = f"read it where {self._driver} keeps it, or {recreate}"
        return SourceAbsent(f"the log driver of this container, {self._driver}, does not let its log be read", remedy)


def _before(lines: Iterable[LogLine], line: LogLine, count: int) -> tuple[list[LogLine], bool]:
    """Return the last lines before `line`, and whether there may be more of them among `lines`.

    If `line` is not among `lines`, these are the last ones of an earlier time, and the whole line that `line` is a part
    of: a tail is counted in parts.
    """
    older = LineTail(count)
    for candidate in lines:
        if candidate == line:
            return older.lines, older.is_full
        older.add(candidate)
    earlier = [
        candidate
        for candidate in older.lines
        if int(candidate.position) < int(line.position)
        or (candidate[:3] == line[:3] and len(candidate.text) > len(line.text))
    ]
    return earlier, older.is_full


def _until(lines: Iterable[LogLine], at_ns: int, count: int) -> tuple[list[LogLine], bool]:
    """Return the last lines up to a time, and whether there may be more of them among `lines`."""
    older = LineTail(count)
    for candidate in lines:
        if int(candidate.position) <= at_ns:
            older.add(candidate)
    return older.lines, older.is_full


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


def _seconds(at_ns: int) -> str:
    return f"{at_ns // 10**9}.{at_ns % 10**9:09d}"
