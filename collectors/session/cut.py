"""Copies a span of a session into a new file: whole members byte by byte, others line by line.

Lines are decoded only as far as needed to place them in time, so the copy keeps keys, columns and kinds of lines that
this version does not know.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgspec

from collectors.session.decode import LineError, parse
from collectors.session.encode import sealed
from collectors.session.format import (
    CLOSING_OFFSET,
    COLUMNS,
    MOST_LINES,
    MOST_VALUES,
    FrameLine,
    GapLine,
    HostLine,
    HostsLine,
    Line,
    SessionError,
    is_counter,
)
from collectors.session.gzip_member import Member, SessionFile
from collectors.session.reader import Session
from collectors.session.storage import FileStorage
from collectors.session.writer import MemberMaker

_REPLACING: dict[object, bytes] = {HostLine: b'{"k":"host"', HostsLine: b'{"k":"hosts"'}
"""How lines begin that take the place of earlier ones of their kind."""
_MOST_COLUMNS = 4 * len(COLUMNS)
"""Columns of a block at most, unknown ones included: every frame carries those of the one before it."""


def cut(session: Session, start: float, stop: float, target: int) -> Iterator[int]:
    """Write the frames of a span of wall time into an empty file; yield how many members are done.

    Args:
        session: The session to copy from.
        start: Wall time of the span's start; minus infinity begins with the first frame.
        stop: Wall time of the span's end.
        target: Descriptor of the empty file, open for writing; it stays open.

    Raises:
        SessionError: The span holds no frame.
        OSError: The file cannot be written.
    """
    storage = FileStorage(os.dup(target))
    try:
        for index, (file, member) in enumerate(session.members):
            if _is_inside(member, start, stop):
                _copy(storage, file, member)
            elif not member.is_closed or (member.first_ms <= stop * 1000 + 1 and member.last_ms >= start * 1000 - 1):
                _copy_part(storage, file, member, start, stop)
            yield index + 1
        if not storage.size:
            raise SessionError("no frame lies in this span; 'vmtop info' shows what the session covers")
    finally:
        storage.close()


def _is_inside(member: Member, start: float, stop: float) -> bool:
    return member.is_closed and member.first_ms > start * 1000 and member.last_ms < stop * 1000


def _copy(storage: FileStorage, file: SessionFile, member: Member) -> None:
    for data in file.raw(member):
        storage.append(data, b"")


def _copy_part(storage: FileStorage, file: SessionFile, member: Member, start: float, stop: float) -> None:
    offset = storage.size
    maker: MemberMaker | None = None
    for text, frame in _lines_of(file.text(member).lines(), start, stop):
        maker = maker or MemberMaker(member.run, member.sequence, frame.wall)
        storage.append(maker.add(text, frame.wall, len(frame.events)), maker.end())
    if maker is not None:
        storage.finish(maker.end())
        storage.patch(offset + CLOSING_OFFSET, maker.closing(storage.size - offset))


def _lines_of(lines: Iterator[bytes], start: float, stop: float) -> Iterator[tuple[bytes, FrameLine]]:
    """Yield the text of each frame in the span; the first with all the earlier lines that it needs."""
    pending: list[bytes] = []
    """Lines since the last frame that was copied."""
    blocks: dict[tuple[int, str], dict[str, Any]] = {}
    has_begun = False
    for count, line in enumerate(lines):
        if count >= MOST_LINES or line.count(b",") > MOST_VALUES:
            return  # more than any reader takes
        try:
            decoded = parse(line)
            document = msgspec.json.decode(line) if isinstance(decoded, FrameLine) and not has_begun else {}
        except (LineError, msgspec.MsgspecError, RecursionError, ValueError):
            return  # the rest of a damaged member
        if not isinstance(decoded, FrameLine):
            pending = _with_pending(pending, line, decoded, start, has_begun)
            continue
        if any(len(block.columns) > _MOST_COLUMNS for block in decoded.samples):
            return
        if not has_begun:
            blocks = dict(_completed(document, blocks))
        if decoded.wall > stop:
            return
        if decoded.wall >= start:
            text = line + b"\n" if has_begun else sealed(msgspec.json.encode(_without_seal(document)))
            yield b"".join(pending_line + b"\n" for pending_line in pending) + text, decoded
            pending, has_begun = [], True


def _with_pending(
    pending: list[bytes], line: bytes, decoded: Line | None, start: float, has_begun: bool
) -> list[bytes]:
    """Add a line to those that wait for a frame; before the first frame only what that frame needs."""
    if has_begun:
        return [*pending, line]
    if isinstance(decoded, GapLine) and decoded.until < start:
        return pending
    if (beginning := _REPLACING.get(type(decoded))) is not None:
        pending = [pending_line for pending_line in pending if not pending_line.startswith(beginning)]
    return [*pending, line]


def _completed(
    frame: dict[str, Any], previous_blocks: dict[tuple[int, str], dict[str, Any]]
) -> Iterator[tuple[tuple[int, str], dict[str, Any]]]:
    """Fill in, in place, what each block takes from the previous frame, and yield the blocks by rank and source."""
    for block in frame.get("samples", []):
        key = block["rank"], block["source"]
        previous = previous_blocks.get(key)
        if previous is not None and previous["rows"] == block["rows"]:
            columns = {name: column for name, column in previous["columns"].items() if not is_counter(name)}
            block["columns"] = columns | block["columns"]
            for name, value in previous.items():
                block.setdefault(name, value)
        yield key, block


def _without_seal(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "crc"}
