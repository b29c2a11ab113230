"""Writes frames as gzip members, valid at every instant; `format` has the contract."""

from __future__ import annotations

import logging
import zlib
from itertools import islice
from typing import NamedTuple

import msgspec

from collectors import __version__
from collectors.model.workloads import Frame
from collectors.session.encode import Encoder
from collectors.session.format import (
    CLOSING,
    CLOSING_OFFSET,
    HEADER,
    LAST_BLOCK,
    MEMBER_FRAMES,
    MEMBER_TEXT,
    MOST_WORKLOADS,
    PAUSE,
    PREFIX,
    SHORTEST_S,
    TRAILER,
    Gap,
)
from collectors.session.storage import Storage

log = logging.getLogger(__name__)

_LEVEL = 6
_MOST_EVENTS = 0xFFFF


def program() -> str:
    """Return the name and version of the program that writes."""
    return f"vmtop {__version__}"


class MemberMaker:
    """Makes the bytes of one member, frame by frame.

    Args:
        run: The run that the frames belong to, 16 hexadecimal digits.
        sequence: The member's number.
        first_wall: Wall time of its first frame.
    """

    def __init__(self, run: str, sequence: int, first_wall: float) -> None:
        self.run = run
        self.frames = 0
        self.events = 0
        self.text = 0
        self._last_ms = self._first_ms = round(first_wall * 1000)
        self._checksum = 0
        self._bytes_checksum = 0
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
        self._header = PREFIX + HEADER.pack(bytes.fromhex(run), sequence, self._first_ms, 0, 0, 0, 0, 0)

    def add(self, text: bytes, wall: float, events: int) -> bytes:
        """Return the bytes that the lines of one frame add."""
        data = self._header + self._deflate.compress(text) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._header = b""
        self._checksum = zlib.crc32(text, self._checksum)
        self._bytes_checksum = zlib.crc32(data, self._bytes_checksum)
        self.text += len(text)
        self.frames += 1
        self.events += events
        self._last_ms = round(wall * 1000)
        return data

    def end(self) -> bytes:
        """Return the bytes that complete the member."""
        return LAST_BLOCK + TRAILER.pack(self._checksum, self.text & 0xFFFFFFFF)

    def closing(self, length: int) -> bytes:
        """Return the header's description of a finished member of N bytes."""
        checksum = zlib.crc32(self.end(), self._bytes_checksum)
        return CLOSING.pack(self._last_ms, length, self.frames, min(self.events, _MOST_EVENTS), checksum)

    def is_full(self) -> bool:
        """Return whether the next frame belongs in another member."""
        return self.frames >= MEMBER_FRAMES or self.text >= MEMBER_TEXT


class _Member(NamedTuple):
    """The member that is being written."""

    maker: MemberMaker
    encoder: Encoder
    offset: int


class Writer:
    """Writes frames to one storage.

    Args:
        storage: An empty storage.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._member: _Member | None = None
        self._sequence = 0
        self._last_frame: Frame | None = None
        self.frames = 0
        self.first_wall: float | None = None

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._storage.size

    @property
    def span_s(self) -> float:
        """Seconds of wall time between the first and the last frame; 0 if the clock was set back before the first."""
        return (
            0.0
            if self._last_frame is None or self.first_wall is None
            else max(0.0, self._last_frame.wall - self.first_wall)
        )

    def write(self, frame: Frame, gap: Gap | None = None) -> None:
        """Append a frame, preceded by the gap of the frames that were lost before it.

        Of more than `MOST_WORKLOADS` workloads the first ones are written: readers take no more.

        Raises:
            OSError: The frame could not be written; the frames before it are intact.
        """
        if len(frame.workloads) > MOST_WORKLOADS:
            frame = msgspec.structs.replace(frame, workloads=dict(islice(frame.workloads.items(), MOST_WORKLOADS)))
        if self._member is not None and (self._member.maker.is_full() or self._is_break(frame)):
            self.end_member()
        try:
            maker, text = self._encoded(frame, gap)
            self._storage.append(maker.add(text, frame.wall, len(frame.events)), maker.end())
        except BaseException:
            self._abandon()
            raise
        self.frames += 1
        self._last_frame = frame
        self.first_wall = frame.wall if self.first_wall is None else self.first_wall

    def _encoded(self, frame: Frame, gap: Gap | None) -> tuple[MemberMaker, bytes]:
        """Return the lines of a frame, and the member that they belong in: another one if this one has no room."""
        member = self._member or self._begin(frame)
        text = member.encoder.lines(frame, gap)
        if member.maker.frames and not member.encoder.is_readable:
            self.end_member()
            member = self._begin(frame)
            text = member.encoder.lines(frame, gap)
        return member.maker, text

    def _begin(self, frame: Frame) -> _Member:
        maker = MemberMaker(frame.run, self._sequence, frame.wall)
        self._member = _Member(maker, Encoder(frame.run, self._sequence, program()), self._storage.size)
        self._sequence += 1
        return self._member

    def _abandon(self) -> None:
        """Continue with a new member: this one's compressor may have seen text that was not written."""
        self._member = None
        if self._storage.has_end:
            self._storage.finish(b"")

    def _is_break(self, frame: Frame) -> bool:
        last_frame = self._last_frame
        if last_frame is None or frame.run != last_frame.run:
            return True
        pause_s = abs(frame.wall - last_frame.wall)
        return pause_s > PAUSE * max(
            frame.interval_s, last_frame.interval_s, SHORTEST_S
        )  # so that the index shows the gap

    def end_member(self) -> None:
        """End the member; the next frame begins another."""
        member, self._member = self._member, None
        if member is not None and member.maker.frames:
            self._storage.finish(member.maker.end())
            closing = member.maker.closing(self._storage.size - member.offset)
            try:
                self._storage.patch(member.offset + CLOSING_OFFSET, closing)
            except OSError as error:  # its frames are intact; readers scan for the next member
                log.warning("a member's header could not be completed: %s", error)

    def close(self) -> None:
        """End the member and close the storage."""
        try:
            self.end_member()
        finally:
            self._storage.close()
