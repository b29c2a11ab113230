"""One file of a container's log in the CRI's format, read from any offset."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator

from collectors.engines.kubernetes.cri_lines import Joiner, Part, lines_backwards, parse
from collectors.engines.line_splitter import LineSplitter
from collectors.engines.line_starts import end_of_line, starts_before
from collectors.model.errors import AccessDenied, SourceError
from collectors.model.logs import LONGEST_BYTES, LogLine
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

_BLOCK = 64 * 1024
_LARGEST_UNPACKED = 128 << 20
"""Bytes of a compressed file that are read: the kubelet rotates at 10 MiB unless told otherwise."""


class CriFile:
    """Reads a regular file, which keeps its lines when it is renamed or removed."""

    def __init__(self, path: str, folder: int) -> None:
        """Open it.

        Args:
            path: Its name in an open folder.
            folder: The folder's descriptor.

        Raises:
            SourceError: It cannot be read.
        """
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except PermissionError:
            raise AccessDenied(f"no permission to read the log {sanitize(path)}", as_root()) from None
        except OSError as error:
            raise SourceError(f"the log {sanitize(path)} cannot be opened: {error.strerror}") from error
        status = os.fstat(self._file)
        self.inode = status.st_ino
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"the log {sanitize(path)} is not a regular file")
        if path.endswith(".gz"):
            self._unpack(path)

    def __del__(self) -> None:
        if getattr(self, "_file", -1) >= 0:
            os.close(self._file)

    @property
    def size(self) -> int:
        """Its size now, in bytes."""
        return os.fstat(self._file).st_size

    def backwards(self, end: int) -> Iterator[LogLine]:
        """Yield the lines before an offset, last one first; see `lines_backwards`."""
        for line in lines_backwards(self._parts_before(end)):
            yield line._replace(position=(self.inode, line.position))

    def forwards(self, last_read: LogLine | None = None) -> Iterator[LogLine]:
        """Yield the complete lines after a line of this file, or all, as far as it has been written."""
        joiner, offset = Joiner(), 0
        if last_read is not None:
            offset = end_of_line(self._file, last_read.position[1])
            joiner.begin_amid(self._parts_before(offset))
        splitter = LineSplitter(offset)
        while block := os.pread(self._file, _BLOCK, splitter.offset):
            for start, raw in splitter.feed(block):
                if (line := joiner.add(parse(start, raw))) is not None:
                    yield line._replace(position=(self.inode, line.position))

    def end_at(self, wall: float) -> int:
        """Return the offset after the last line that was written at or before a wall time: 0 if all are later."""
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            start = end_of_line(self._file, middle - 1) if middle else 0
            at = None if start >= high else parse(start, os.pread(self._file, 128, start).partition(b"\n")[0]).at
            if at is None or at > wall:
                high = middle
            else:
                low = end_of_line(self._file, start)
        return low

    def _parts_before(self, end: int) -> Iterator[Part]:
        for start in starts_before(self._file, end):
            raw = os.pread(self._file, min(end - start, LONGEST_BYTES), start)
            yield parse(start, raw.removesuffix(b"\n"))
            end = start

    def _unpack(self, path: str) -> None:
        """Replace the file by its content, in memory."""
        unpacked = os.memfd_create("log", os.MFD_CLOEXEC)
        try:
            with os.fdopen(os.dup(self._file), "rb") as packed, gzip.open(packed) as stream:
                while os.fstat(unpacked).st_size < _LARGEST_UNPACKED and (block := stream.read(_BLOCK)):
                    os.write(unpacked, block)
        except (OSError, EOFError, zlib.error) as error:
            os.close(unpacked)
            raise SourceError(f"the log {sanitize(path)} cannot be unpacked: {error}") from error
        os.close(self._file)
        self._file = unpacked
