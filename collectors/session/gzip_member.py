"""One file's members: where they are, and the lines in each. Reads are bounded; `format` has the contract.

The index hops from member to member by the lengths in their headers, and scans the bytes where a length is missing or
wrong. Bytes that belong to no member are reported as damage.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.session.format import (
    CLOSING,
    CLOSING_OFFSET,
    HEADER,
    HEADER_SIZE,
    LARGEST_MEMBER,
    LONGEST_LINE,
    MOST_MEMBERS,
    PREFIX,
    TRAILER,
    Damage,
    SessionError,
)

_STEP = 1 << 20
_FINER = (64, 1)
"""After an error, the chunk that failed is inflated again in chunks of these sizes, so no text before it is lost."""
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Member:
    """A member as its header describes it."""

    offset: int
    end: int
    """Where the next one begins, or the file ends."""
    run: str
    sequence: int
    first_ms: int
    last_ms: int
    """0 while the member is not closed."""
    frames: int
    events: int
    is_closed: bool
    """Its writer ended it in order, and its length holds."""
    is_wrong: bool = False
    """Its header gives an end at which no member ends."""
    checksum: int = 0
    """CRC-32 of its bytes; 0 while the member is not closed."""


class Text:
    """The content of a member, inflated as its lines are read: no more than a chunk and a line are in memory.

    Args:
        chunks: The member's bytes after its header.
        member: The member as its header describes it.
        header_checksum: CRC-32 of the header, with the fields that are filled in at the member's end as 0.
    """

    def __init__(self, chunks: Iterator[bytes], member: Member, header_checksum: int) -> None:
        self._member = member
        self._checksum = header_checksum
        self._texts = self._inflated(chunks)
        self.size = 0
        """Bytes of text so far."""
        self.problem = ""
        """Why there are no more lines; empty when the member is whole, and until its last line was read."""

    def lines(self) -> Iterator[bytes]:
        """Yield the whole lines one by one, without line ends; then `problem` is complete. To be read once."""
        splitter = LineSplitter()
        for text in self._texts:
            yield from splitter.split(text)
            if splitter.pending_size > LONGEST_LINE:
                self.exhaust()
                self.problem = self.problem or "a line is too long"
                return
        if splitter.pending_size and not self.problem:
            self.problem = "its last line is incomplete"

    def count(self, prefix: bytes) -> int:
        """Return how many lines start with a prefix; reads them."""
        return sum(line.startswith(prefix) for line in self.lines())

    def exhaust(self) -> None:
        """Read what is left, so that `problem` is complete."""
        for _ in self._texts:
            pass

    def _inflated(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the text in pieces, up to any damage or the most that is read of a member."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        checksum = 0
        try:
            for chunk in chunks:
                self._checksum = zlib.crc32(chunk, self._checksum)
                for text in inflated(inflate, chunk):
                    self.size, checksum = self.size + len(text), zlib.crc32(text, checksum)
                    if self.size > LARGEST_MEMBER:
                        self.problem = f"it contains more than {LARGEST_MEMBER >> 20} MiB of text"
                        return
                    yield text
                if inflate.eof:
                    break
        except zlib.error:
            self.problem = "its data is damaged"
            return
        self.problem = trailer_problem(checksum, self.size, inflate.unused_data) if inflate.eof else "it was cut short"
        if not self.problem and self._member.is_closed and self._checksum != self._member.checksum:
            self.problem = "a byte that does not affect its text has changed"


class SessionFile:
    """One file, open for reading.

    Args:
        path: A regular file.

    Raises:
        SessionError: It cannot be opened, or it is not a session.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = os.open(path, _FLAGS)
        except OSError as error:
            raise SessionError(f"{path} cannot be read: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            self.close()
            raise SessionError(f"{path} is not a regular file: sessions are read from files")
        self.members: list[Member] = []
        self.damage: list[Damage] = []
        self._size = 0
        self.refresh()
        if not self.members:
            self.close()
            problem = "is empty" if not self._size else "is not a vmtop session"
            raise SessionError(f"{path} {problem}; 'vmtop record FILE' writes one")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    @property
    def size(self) -> int:
        """Size in bytes, as of the last `refresh`."""
        return self._size

    def refresh(self) -> bool:
        """Index what was written since the last look; return whether the file has changed in size."""
        size = os.fstat(self._file).st_size
        if size == self._size and not (self.members and not self.members[-1].is_closed):
            return False
        is_longer = size != self._size
        self._size = size
        start = 0
        if self.members:
            start = self.members.pop().offset
            self.damage = [damage for damage in self.damage if damage.offset < start]
        self._index(start)
        return is_longer

    def _index(self, offset: int) -> None:
        while offset < self._size:
            if len(self.members) >= MOST_MEMBERS:
                problem = f"it has more than {MOST_MEMBERS:,} parts; those from here on are not read"
                self.damage.append(Damage(str(self.path), offset, problem))
                return
            member_offset = self._find(offset)
            if member_offset > offset:
                problem = f"{member_offset - offset:,} bytes belong to no part of a session"
                self.damage.append(Damage(str(self.path), offset, problem))
            if member_offset >= self._size:
                return
            member = self._member(member_offset)
            self.members.append(member)
            offset = member.end

    def _find(self, offset: int) -> int:
        """Return where the next member begins, at or after an offset; the file's size if there is none."""
        step = len(PREFIX)
        while offset < self._size:
            data = os.pread(self._file, step, offset)
            index = data.find(PREFIX)
            if index >= 0 and offset + index + HEADER_SIZE <= self._size:
                return offset + index
            if len(data) < step or index >= 0:
                break
            offset += len(data) - len(PREFIX) + 1
            step = min(step * 4, _STEP)
        return self._size

    def _member(self, offset: int) -> Member:
        header = os.pread(self._file, HEADER.size, offset + len(PREFIX))
        run, sequence, first_ms, last_ms, length, frames, events, checksum = HEADER.unpack(header)
        end = offset + length
        is_closed = length > HEADER_SIZE and (end == self._size or os.pread(self._file, len(PREFIX), end) == PREFIX)
        if not is_closed:
            end = self._find(offset + HEADER_SIZE)
        is_wrong = not is_closed and bool(last_ms or length or frames or events or checksum)
        name = run.hex()
        if self.members and self.members[-1].run == name:
            name = self.members[-1].run  # one string for all of them
        return Member(offset, end, name, sequence, first_ms, last_ms, frames, events, is_closed, is_wrong, checksum)

    def text(self, member: Member) -> Text:
        """Return the text of one member, to be read once."""
        header = os.pread(self._file, CLOSING_OFFSET, member.offset) + bytes(CLOSING.size)
        return Text(self._chunks(member), member, zlib.crc32(header))

    def _chunks(self, member: Member) -> Iterator[bytes]:
        offset, end = member.offset + HEADER_SIZE, min(member.end, self._size)
        while offset < end:
            data = os.pread(self._file, min(_STEP, end - offset), offset)
            if not data:
                return
            offset += len(data)
            yield data

    def raw(self, member: Member) -> Iterator[bytes]:
        """Yield a member's bytes as they are in the file."""
        yield os.pread(self._file, HEADER_SIZE, member.offset)
        yield from self._chunks(member)


class LineSplitter:
    """Puts lines together from pieces of text."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        """The beginning of the next line."""
        self.pending_size = 0
        """Bytes of it; the caller bounds them."""

    def split(self, text: bytes) -> list[bytes]:
        """Return the lines that a piece of text completes, without line ends."""
        first, *others = text.split(b"\n")
        self._pending.append(first)
        self.pending_size += len(first)
        if not others:
            return []
        lines = [b"".join(self._pending), *others[:-1]]
        self._pending, self.pending_size = [others[-1]], len(others[-1])
        return lines


def inflated(inflate: zlib._Decompress, data: bytes, finer: Sequence[int] = _FINER) -> Iterator[bytes]:
    """Yield the text of a chunk in pieces of at most `_STEP` bytes.

    Raises:
        zlib.error: The data is damaged; all text before the damage was yielded.
    """
    text = b""
    while (data or len(text) == _STEP) and not inflate.eof:
        retry = inflate.copy() if finer else None
        try:
            text = inflate.decompress(data, _STEP)
        except zlib.error:
            if retry is not None:
                for start in range(0, len(data), finer[0]):
                    yield from inflated(retry, data[start : start + finer[0]], finer[1:])
            raise
        yield text
        data = inflate.unconsumed_tail


def trailer_problem(checksum: int, size: int, trailer: bytes) -> str:
    """Return what is wrong with the end of a member that has a text of this check sum and size; empty if nothing is."""
    if len(trailer) < TRAILER.size:
        return "it was cut short"
    if TRAILER.unpack_from(trailer) != (checksum, size & 0xFFFFFFFF):
        return "its check sum is wrong"
    return "it is followed by other bytes" if len(trailer) > TRAILER.size else ""
