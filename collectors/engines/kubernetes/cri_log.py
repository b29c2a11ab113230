"""The log of a container in a pod, from the kubelet's files: all starts that are kept, and what was rotated.

In `/var/log/pods/<namespace>_<pod>_<uid>/<container>/`, `<n>.log` is of the start after n restarts. The kubelet renames
a file that has grown to `<n>.log.<time>`, and compresses it to `<n>.log.<time>.gz` at the next rotation.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator

from collectors.engines.kubernetes.cri_file import CriFile
from collectors.model.errors import AccessDenied, SourceAbsent
from collectors.model.logs import AT_ONCE, Interruptible, LogLine, first_lines
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

_NAME = re.compile(r"(\d{1,9})\.log(?:\.(\d{8}-\d{6})(?:\.gz)?)?")
_MOST_FILES = 50
_POLL_S = 0.3
_TICK_S = 1e-6
"""The exactness of a line's time as a number."""


class CriLog(Interruptible):
    """Reads all files as one log. The position of a line is the inode of its file and an offset."""

    def __init__(self, folder: str) -> None:
        """Take the folder of one container's log.

        Raises:
            SourceError: There is no log, or this user may not read it.
        """
        self.title = sanitize(folder)
        self._stop = threading.Event()
        self._follower: object = None
        self._known: dict[int, CriFile] = {}
        """By inode."""
        self._folder = -1
        try:
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except PermissionError:
            raise AccessDenied(f"no permission to read the log in {self.title}", as_root()) from None
        except OSError as error:
            raise SourceAbsent(f"there is no log in {self.title}: {error.strerror}") from error
        if not self._files():
            raise SourceAbsent(f"there is no log in {self.title} yet")

    def last(self, count: int) -> list[LogLine]:
        return self._collect(self._backwards(None), count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self._collect(self._backwards(line), count)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return first_lines(self.written(line), count)

    def first(self, count: int) -> list[LogLine]:
        return first_lines(self.written(), count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        return self._collect(
            (line for file in reversed(self._files()) for line in file.backwards(file.end_at(wall))), count
        )

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        interrupts = self._interrupts
        for file in self._files_from(line):
            for one in file.forwards(line if line is not None and file.inode == line.position[0] else None):
                if self._interrupts != interrupts:
                    return
                yield one

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        follower = self._follower = object()
        if line is None:
            line = next(iter(self.last(1)), None)
        while not self._stop.is_set() and self._follower is follower:
            has_more = False
            for one in self.written(line):
                has_more, line = True, one
                yield one
                if self._stop.is_set() or self._follower is not follower:
                    return
            if not has_more:
                self._stop.wait(_POLL_S)

    def close(self) -> None:
        self.interrupt()
        self._stop.set()

    def __del__(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)

    def _files(self) -> list[CriFile]:
        """Return the files that there are now, oldest first. Raises `SourceError` for one that cannot be read."""
        named: list[tuple[tuple[int, str], int, str]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if found := _NAME.fullmatch(entry.name):
                    named.append(((int(found[1]), found[2] or "~"), entry.inode(), entry.name))
        files: dict[int, CriFile] = {}
        for _, inode, name in sorted(named)[-_MOST_FILES:]:
            file = self._known.get(inode) or self._opened(name)
            if file is not None:
                files[file.inode] = file
        self._known = files
        return list(files.values())

    def _opened(self, name: str) -> CriFile | None:
        """Open a file; `None` if it has been renamed meanwhile, so that the next look finds it under its new name."""
        try:
            os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return CriFile(name, self._folder)

    def _files_from(self, line: LogLine | None) -> list[CriFile]:
        """Return the file of a line and those after it; all without a line.

        Where its file is gone, because it was compressed or removed, those that have later lines.
        """
        files = self._files()
        if line is None:
            return files
        inodes = [file.inode for file in files]
        if line.position[0] in inodes:
            return files[inodes.index(line.position[0]) :]
        return [file for file in files if line.at is None or file.end_at(line.at) == 0]

    def _backwards(self, line: LogLine | None) -> Iterator[LogLine]:
        """Yield the lines before a line, or all, last one first."""
        files = self._files()
        if line is not None and line.position[0] in self._known:
            own = self._known[line.position[0]]
            yield from own.backwards(line.position[1])
            files = files[: files.index(own)]
            line = None
        for file in reversed(files):
            # the file of a line is gone when it was compressed: its lines are found by their time
            yield from file.backwards(file.size if line is None else file.end_at((line.at or 0.0) - _TICK_S))

    def _collect(self, lines: Iterator[LogLine], count: int) -> list[LogLine]:
        """Return the first of the lines that come last one first, oldest first."""
        collected: list[LogLine] = []
        size, interrupts = 0, self._interrupts
        for line in lines:
            if self._interrupts != interrupts:
                break
            collected.append(line)
            size += len(line.text)
            if len(collected) >= count or size >= AT_ONCE:
                break
        return collected[::-1]
