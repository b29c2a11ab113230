"""A container's log through Podman's API, which stamps each line with a whole second.

The position of a line is its stamp plus its place among the lines with the same stamp, so that lines of one second are
told apart. Places are counted from the beginning of a second: every span that is asked for begins with a whole one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collectors.engines.docker.logs import SECOND_NS, DockerLog
from collectors.model.logs import LineTail, LogLine, last_lines


class PodmanLog(DockerLog):
    """Reads what a container wrote; the position of a line is in nanoseconds, with its place in them."""

    is_podman = True
    readable_driver = "k8s-file"

    def last(self, count: int) -> list[LogLine]:
        tail = last_lines(self._stream_lines({"tail": str(count)}, follow=False), count)
        if not tail or not tail[0].position:
            return tail
        return last_lines(self._stream_lines({"since": _second(int(tail[0].position))}, follow=False), count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self._back_from(int(line.position), lambda lines: _before(lines, int(line.position), count))

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        newest = [line] if line is not None else self.last(1)
        yield from self._since(newest[0], follow=True) if newest else self._stream_lines({"tail": "all"}, follow=True)

    def _since(self, line: LogLine, follow: bool) -> Iterator[LogLine]:
        position = int(line.position)
        for later in self._stream_lines({"since": _second(position)}, follow):
            if int(later.position) > position:
                yield later

    def _span(self, start: int, end: int) -> dict[str, str]:
        return {"since": _second(start), "until": _second(end + SECOND_NS)}

    def _stream_lines(self, span: dict[str, str], follow: bool) -> Iterator[LogLine]:
        return placed(super()._stream_lines(span, follow))


def placed(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """Add to the position of each line its place among those before it with the same stamp."""
    stamp, place = -1, 0
    for line in lines:
        place = place + 1 if line.position == stamp else 0
        stamp = int(line.position)
        yield line._replace(position=stamp + place) if place else line


def _before(lines: Iterable[LogLine], position: int, count: int) -> tuple[list[LogLine], bool]:
    """Return the last lines before a position, and whether there may be more of them among `lines`."""
    older = LineTail(count)
    for line in lines:
        if int(line.position) < position:
            older.add(line)
    return older.lines, older.is_full


def _second(at_ns: int) -> str:
    return str(max(0, at_ns) // SECOND_NS)
