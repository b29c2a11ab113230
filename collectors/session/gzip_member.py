"""One file's members: where they are, and the lines in each. Reads with bounds; `format` has the contract.

The index hops from member to member by the lengths in their headers, and looks through the bytes where a length is
missing or wrong. What belongs to no member is told as damage.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from collectors.session.format import (
    CLOSING,
    CLOSING_OFFSET,
    HEADER,
    HEADER_SIZE,
    LARGEST_MEMBER,
    PREFIX,
    TRAILER,
    Damage,
    SessionError,
)

_STEP = 1 << 20
_FINER = (64, 1)
"""After an error the part that failed is inflated again in such pieces, down to the byte: no text before it is lost."""
_DAMAGED = "its data is damaged"
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
    """Its header promises an end that is not there."""
    checksum: int = 0
    """CRC-32 of its bytes; only of one that is closed."""


class Text(NamedTuple):
    """What a member holds."""

    data: bytes
    """Whole lines, in order."""
    problem: str
    """Why there is not more; empty when the member is whole."""

    def lines(self) -> Iterator[bytes]:
        """Yield the lines one by one, without their ends: there may be millions in a file that means harm."""
        start = 0
        while (end := self.data.find(b"\n", start)) >= 0:
            yield self.data[start:end]
            start = end + 1

    def count(self, beginning: bytes) -> int:
        """Return how many lines begin in a way."""
        return self.data.count(b"\n" + beginning) + self.data.startswith(beginning)


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
            why = "is empty" if not self._size else "is not a vmtop session"
            raise SessionError(f"{path} {why}; 'vmtop record FILE' writes one")

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    @property
    def size(self) -> int:
        """Bytes, when it was last looked at."""
        return self._size

    def refresh(self) -> bool:
        """Look for what was written since; return whether there is something new."""
        size = os.fstat(self._file).st_size
        if size == self._size and not (self.members and not self.members[-1].is_closed):
            return False
        is_longer = size != self._size
        self._size = size
        begin = 0
        if self.members:
            begin = self.members.pop().offset
            self.damage = [one for one in self.damage if one.offset < begin]
        self._index(begin)
        return is_longer

    def _index(self, begin: int) -> None:
        offset = begin
        while offset < self._size:
            found = self._find(offset)
            if found > offset:
                what = f"{found - offset:,} bytes belong to no part of a session"
                self.damage.append(Damage(str(self.path), offset, what))
            if found >= self._size:
                return
            member = self._member(found)
            self.members.append(member)
            offset = member.end

    def _find(self, offset: int) -> int:
        """Return where the next member begins, at or after an offset; the file's size if there is none."""
        step = len(PREFIX)
        while offset < self._size:
            data = os.pread(self._file, step, offset)
            place = data.find(PREFIX)
            if place >= 0 and offset + place + HEADER_SIZE <= self._size:
                return offset + place
            if len(data) < step or place >= 0:
                break
            offset += len(data) - len(PREFIX) + 1
            step = min(step * 4, _STEP)
        return self._size

    def _member(self, offset: int) -> Member:
        header = os.pread(self._file, HEADER.size, offset + len(PREFIX))
        run, sequence, first_ms, last_ms, length, frames, events, checksum = HEADER.unpack(header)
        end = offset + length
        holds = length > HEADER_SIZE and (end == self._size or os.pread(self._file, len(PREFIX), end) == PREFIX)
        if not holds:
            end = self._find(offset + HEADER_SIZE)
        is_wrong = not holds and bool(last_ms or length or frames or events or checksum)
        return Member(offset, end, run.hex(), sequence, first_ms, last_ms, frames, events, holds, is_wrong, checksum)

    def text(self, member: Member) -> Text:
        """Inflate one member; whatever is wrong with it is told, not raised."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        pieces: list[bytes] = []
        size, problem = 0, ""
        checksum = zlib.crc32(bytes(CLOSING.size), zlib.crc32(os.pread(self._file, CLOSING_OFFSET, member.offset)))
        for piece in self._pieces(member):
            got, problem = _inflate(inflate, piece)
            size += len(got)
            checksum = zlib.crc32(piece, checksum)
            pieces.append(got)
            if not problem and (size > LARGEST_MEMBER or inflate.unconsumed_tail):
                problem = f"it holds more than {LARGEST_MEMBER >> 20} MiB of text"
            if problem or inflate.eof:
                break
        text = b"".join(pieces)
        if not problem:
            problem = "it was cut short" if not inflate.eof else _check(text, inflate.unused_data)
        if not problem and member.is_closed and checksum != member.checksum:
            problem = "a byte of it has changed that its text does not depend on"
        whole = text.rfind(b"\n") + 1
        return Text(text[:whole], problem or ("its last line has no end" if whole < len(text) else ""))

    def _pieces(self, member: Member) -> Iterator[bytes]:
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
        yield from self._pieces(member)


def _inflate(inflate: zlib._Decompress, data: bytes, finer: Sequence[int] = _FINER) -> tuple[bytes, str]:
    """Return the text and, when the data is damaged, that it is: with all of the text before the damage."""
    before = inflate.copy() if finer else None
    try:
        return inflate.decompress(data, LARGEST_MEMBER), ""
    except zlib.error:
        if before is None:
            return b"", _DAMAGED
    pieces = []
    for start in range(0, len(data), finer[0]):
        got, problem = _inflate(before, data[start : start + finer[0]], finer[1:])
        pieces.append(got)
        if problem:
            break
    return b"".join(pieces), _DAMAGED


def _check(text: bytes, rest: bytes) -> str:
    if len(rest) < TRAILER.size:
        return "it was cut short"
    checksum, size = TRAILER.unpack_from(rest)
    if checksum != zlib.crc32(text) or size != len(text) & 0xFFFFFFFF:
        return "its check sum is wrong"
    return "it is followed by bytes of something else" if len(rest) > TRAILER.size else ""
