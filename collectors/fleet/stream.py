"""The bytes of a session as they arrive from another program: frames out of them, with the bounds of files.

What comes before the first member, such as a login banner, is passed over; so is anything between two members.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from collectors.model.workloads import Frame
from collectors.session.decode import Decoder, LineError, NewerFormat
from collectors.session.format import HEADER_SIZE, LARGEST_MEMBER, LONGEST_LINE, PREFIX, TRAILER
from collectors.session.gzip_member import LineSplitter, inflated, trailer_problem

MOST_PASSED_OVER = 256 << 10
"""Bytes outside of members, since the last one, after which it is no session."""


_QUOTED = 1024
"""Bytes kept of what was passed over: what a shell prints when there is no session."""


class StreamError(Exception):
    """The bytes are no session that can be read; the message is a clause about it, safe to show.

    Args:
        message: The clause.
        is_newer: Whether a newer vmtop writes them.
    """

    def __init__(self, message: str, is_newer: bool = False) -> None:
        super().__init__(message)
        self.is_newer = is_newer


class Stream:
    """Frames of one session, out of pieces of any size. After a `StreamError`, it takes no more."""

    def __init__(self) -> None:
        self.program = ""
        """Name and version of the program that writes; empty before the first frame."""
        self._member: _OpenMember | None = None
        self._outside = b""
        """Bytes that may be the beginning of a member."""
        self._passed_over = 0
        self._quoted = b""

    @property
    def passed_over(self) -> bytes:
        """The beginning of what came before the first member."""
        return self._quoted if self.program else (self._quoted + self._outside)[:_QUOTED]

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that a piece completes.

        Raises:
            StreamError: It is no session, or it breaks the contract, or a bound.
        """
        while data:
            if self._member is None:
                data = self._find(data)
            if self._member is not None:
                yield from self._frames(self._member, data)
                data = self._member.rest
                if not self._member.is_open:
                    self._member = None

    def _find(self, data: bytes) -> bytes:
        """Look for the beginning of a member; return what follows its header, and nothing if there is none yet."""
        found = self._outside + data
        start = found.find(PREFIX)
        passed_over = found[: start if start >= 0 else max(0, len(found) - len(PREFIX) + 1)]
        self._passed_over += len(passed_over)
        self._outside = found[len(passed_over) :]
        if not self.program:
            self._quoted += passed_over[: _QUOTED - len(self._quoted)]
        if self._passed_over > MOST_PASSED_OVER:
            raise StreamError("what it sends is not a session of vmtop")
        if start < 0 or len(self._outside) < HEADER_SIZE:
            return b""
        rest, self._outside = self._outside[HEADER_SIZE:], b""
        self._member, self._passed_over = _OpenMember(), 0
        return rest

    def _frames(self, member: _OpenMember, data: bytes) -> Iterator[Frame]:
        try:
            for line in member.lines(data):
                decoded = member.decoder.take(line)
                if isinstance(decoded, Frame):
                    self.program = member.decoder.meta.program if member.decoder.meta is not None else ""
                    yield decoded
        except (LineError, zlib.error) as error:
            words = str(error) if isinstance(error, LineError) else "its data is damaged"
            raise StreamError(words, isinstance(error, NewerFormat)) from error


class _OpenMember:
    """The member that is arriving."""

    def __init__(self) -> None:
        self.decoder = Decoder()
        self.is_open = True
        self.rest = b""
        """What follows the member, once it is not open any more."""
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._splitter = LineSplitter()
        self._size = self._checksum = 0
        self._trailer = b""

    def lines(self, data: bytes) -> Iterator[bytes]:
        """Yield the whole lines that a piece completes.

        Raises:
            LineError: It has too much text, or the text is damaged.
            zlib.error: Its data is damaged.
        """
        self.rest = b""
        if not self._inflate.eof:
            for text in inflated(self._inflate, data, ()):
                self._size, self._checksum = self._size + len(text), zlib.crc32(text, self._checksum)
                if self._size > LARGEST_MEMBER:
                    raise LineError(f"it contains more than {LARGEST_MEMBER >> 20} MiB of text")
                yield from self._splitter.split(text)
                if self._splitter.pending_size > LONGEST_LINE:
                    raise LineError("a line is too long")
            data = self._inflate.unused_data
        if self._inflate.eof:
            self._end(data)

    def _end(self, data: bytes) -> None:
        self._trailer += data
        if len(self._trailer) < TRAILER.size:
            return
        trailer, self.rest = self._trailer[: TRAILER.size], self._trailer[TRAILER.size :]
        if problem := trailer_problem(self._checksum, self._size, trailer):
            raise LineError(problem)
        self.is_open = False
