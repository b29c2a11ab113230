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
"""After an error, the chunk that failed is inflated again in chunks of these sizes, so no text before it is lost."""
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
    """Its header gives an end at which no member ends."""
    checksum: int = 0
    """CRC-32 of its bytes; 0 while the member is not closed."""


class Text(NamedTuple):
    """The content of a member."""

    data: bytes
    """Whole lines, in order."""
    problem: str
    """Why there is no more text; empty when the member is whole."""

    def lines(self) -> Iterator[bytes]:
        """Yield the lines one by one, without line ends: a malicious file may have millions."""
        start = 0
        while (end := self.data.find(b"\n", start)) >= 0:
            yield self.data[start:end]
            start = end + 1

    def count(self, prefix: bytes) -> int:
        """Return how many lines start with a prefix."""
        return self.data.count(b"\n" + prefix) + self.data.startswith(prefix)


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
        return Member(
            offset, end, run.hex(), sequence, first_ms, last_ms, frames, events, is_closed, is_wrong, checksum
        )

    def text(self, member: Member) -> Text:
        """Inflate one member. A problem is returned with the text before it, not raised."""
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        texts: list[bytes] = []
        size, problem = 0, ""
        checksum = zlib.crc32(bytes(CLOSING.size), zlib.crc32(os.pread(self._file, CLOSING_OFFSET, member.offset)))
        for chunk in self._chunks(member):
            chunk_text, problem = _inflate(inflate, chunk)
            size += len(chunk_text)
            checksum = zlib.crc32(chunk, checksum)
            texts.append(chunk_text)
            if not problem and (size > LARGEST_MEMBER or inflate.unconsumed_tail):
                problem = f"it contains more than {LARGEST_MEMBER >> 20} MiB of text"
            if problem or inflate.eof:
                break
        text = b"".join(texts)
        if not problem:
            problem = "it was cut short" if not inflate.eof else _check(text, inflate.unused_data)
        if not problem and member.is_closed and checksum != member.checksum:
            problem = "a byte that does not affect its text has changed"
        end = text.rfind(b"\n") + 1
        return Text(text[:end], problem or ("its last line is incomplete" if end < len(text) else ""))

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


def _inflate(inflate: zlib._Decompress, data: bytes, finer: Sequence[int] = _FINER) -> tuple[bytes, str]:
    """Return the text before any damage, and the problem; the problem is empty when the data is whole."""
    retry = inflate.copy() if finer else None
    try:
        return inflate.decompress(data, LARGEST_MEMBER), ""
    except zlib.error:
        if retry is None:
            return b"", _DAMAGED
    texts = []
    for start in range(0, len(data), finer[0]):
        text, problem = _inflate(retry, data[start : start + finer[0]], finer[1:])
        texts.append(text)
        if problem:
            break
    return b"".join(texts), _DAMAGED


def _check(text: bytes, trailer: bytes) -> str:
    if len(trailer) < TRAILER.size:
        return "it was cut short"
    checksum, size = TRAILER.unpack_from(trailer)
    if checksum != zlib.crc32(text) or size != len(text) & 0xFFFFFFFF:
        return "its check sum is wrong"
    return "it is followed by other bytes" if len(trailer) > TRAILER.size else ""
