"""What an instance printed on its console, or the log that its daemon keeps: the API gives them as a whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from collectors.engines.lxd.client import LxdClient, instance_path
from collectors.engines.lxd.instances import DEFAULT_PROJECT
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError, WorkloadGone
from collectors.model.logs import Interruptible, Log, LogLine, clean, first_lines, last_lines
from collectors.model.workloads import Kind, Workload
from collectors.safety.bounded_file import read_tail

if TYPE_CHECKING:
    from collectors.engines.lxd.access import LxdAccess

_POLL_S = 1.0
_PROBE = 64
"""Bytes at the beginning of what is read by which its place in what was read before is found."""
_LARGEST = 8 << 20
"""Bytes that are kept: a console's buffer has 128 KiB unless configured otherwise."""
_EMPTY = "no such file or directory"
"""What the daemon complains of when a console's buffer is empty."""
_LOG_FOLDERS = {"/var/lib/lxd": "/var/log/lxd", "/var/lib/incus": "/var/log/incus"}
"""Where a daemon keeps its instances' logs, by its own folder; otherwise in `logs` in that folder."""
_FILES = {Kind.CONTAINER: "lxc.log", Kind.VM: "qemu.log"}


def open_instance_log(workload: Workload, access: LxdAccess) -> Log:
    """Open what an instance printed on its console; the daemon's log of the instance where it printed nothing.

    Raises:
        SourceError: There is neither, or it cannot be read.
    """
    client = access.client(workload)
    path, project = instance_path(workload.id.id)
    file = _FILES[workload.kind]
    console = ConsoleReader(client, f"{path}/console", project, _console_file(client, workload))
    readers = (
        (f"console of {workload.name}", console.read),
        (f"{file} of {workload.name}", lambda: client.text(f"{path}/logs/{file}", project=project)),
    )
    failure = ""
    for title, read in readers:
        try:
            if read().strip():
                return PolledLog(title, read)
        except (AccessDenied, SourceDown, WorkloadGone):
            raise
        except SourceError as error:
            failure = f": {error.reason}"
    raise SourceAbsent(f"{workload.name} printed nothing on its console, and its daemon logged nothing of it{failure}")


def _console_file(client: LxdClient, workload: Workload) -> str:
    """Return the file in which the daemon keeps what was read of an instance's console."""
    home = str(client.path.parent)
    project, _, name = workload.id.id.rpartition("/")
    folder = name if project == DEFAULT_PROJECT else f"{project}_{name}"
    return f"{_LOG_FOLDERS.get(home, f'{home}/logs')}/{folder}/console.log"


class ConsoleReader:
    """Reads a console's buffer. Reading empties it: the daemon then appends what it gave to a file of root's.

    Args:
        client: The instance's daemon.
        address: The path of the console in the API.
        project: The instance's project.
        file: That file, which is read instead where this user may.
    """

    def __init__(self, client: LxdClient, address: str, project: str, file: str) -> None:
        self._client, self._address, self._project, self._file = client, address, project, file
        self._kept = b""

    def read(self) -> bytes:
        """Return what was printed, as far as it is kept anywhere. Raises as `LxdClient.get`."""
        fresh = self._read_buffer()
        whole = read_tail(self._file, _LARGEST, os.geteuid())
        if whole is not None:
            return whole
        self._kept = (fresh if fresh.startswith(self._kept) else self._kept + fresh)[-_LARGEST:]
        return self._kept

    def _read_buffer(self) -> bytes:
        try:
            return self._client.text(self._address, project=self._project)
        except SourceError as error:
            if type(error) is SourceError and _EMPTY in error.reason:
                return b""
            raise


class PolledLog(Interruptible):
    """A log that can only be read as a whole, whose beginning may be dropped; a line's position is its number.

    Args:
        title: What is read.
        read: Reads it; raises `SourceError`.
    """

    def __init__(self, title: str, read: Callable[[], bytes]) -> None:
        self.title = title
        self._read = read
        self._lock = threading.Lock()
        self._text = b""
        self._first = 0
        """The number of the first line in the text."""
        self._stop = threading.Event()
        self._follower: object = None

    def last(self, count: int) -> list[LogLine]:
        return last_lines(self._lines(), count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return last_lines((one for one in self._lines() if one.position < line.position), count)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return first_lines((one for one in self._lines() if one.position > line.position), count)

    def first(self, count: int) -> list[LogLine]:
        return first_lines(self._lines(), count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        raise SourceAbsent(f"the lines of the {self.title} have no times")

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        return (one for one in self._lines() if line is None or one.position > line.position)

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        follower = self._follower = object()
        newest = [one.position for one in self._lines()][-1:]
        return self._follow(line.position if line is not None else (newest[0] if newest else -1), follower)

    def _follow(self, position: int, follower: object) -> Iterator[LogLine]:
        while not self._stop.is_set() and self._follower is follower:
            for one in self._lines():
                if one.position > position:
                    position = one.position
                    yield one
            self._stop.wait(_POLL_S)

    def close(self) -> None:
        self.interrupt()
        self._stop.set()

    def _lines(self) -> list[LogLine]:
        """Read it again and return the lines that have ended."""
        text = self._read()[-_LARGEST:]
        with self._lock:
            self._take(text)
            pieces = self._text.split(b"\n")[:-1]
            first = self._first
        return [LogLine(first + index, None, False, *clean(piece.rstrip(b"\r"))) for index, piece in enumerate(pieces)]

    def _take(self, text: bytes) -> None:
        """Take a later reading; lines that both have keep their numbers."""
        self._first += self._text[: _dropped(self._text, text)].count(b"\n")
        self._text = text


def _dropped(earlier: bytes, later: bytes) -> int:
    """Return how many bytes at the beginning of an earlier reading a later one lacks; all without any in common."""
    if later.startswith(earlier):
        return 0
    place = earlier.find(later[:_PROBE])
    while place >= 0 and not later.startswith(earlier[place:]):
        place = earlier.find(later[:_PROBE], place + 1)
    return place if place >= 0 and later else len(earlier)
