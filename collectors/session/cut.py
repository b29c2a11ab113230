"""Copies a span of a session into a new file: whole members byte by byte, others line by line.

Nothing is decoded further than to find its place, so that keys, columns and kinds of lines that this version does not
know are in the copy too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from collectors.session.decode import LineError, unsealed
from collectors.session.encode import sealed
from collectors.session.format import CLOSING_OFFSET, SessionError, is_counter
from collectors.session.member import Member, SessionFile
from collectors.session.reader import Session
from collectors.session.storage import FileStorage, new_file
from collectors.session.writer import MemberMaker

_FRAME, _META, _HOST, _GAP = (b'{"k":"%s"' % kind for kind in (b"frame", b"meta", b"host", b"gap"))


class Progress(NamedTuple):
    """How far a long job is."""

    done: int
    """Members."""
    all: int


class _Head(msgspec.Struct):
    wall: float
    events: list[msgspec.Raw] = []


def cut(session: Session, start: float, stop: float, path: Path, is_forced: bool = False) -> Iterator[Progress]:
    """Write the frames of a span of wall time into a new file; yield after each member.

    Raises:
        SessionError: The file cannot be written, or the span holds no frame; nothing is left behind.
    """
    storage = FileStorage(new_file(path, is_forced))
    try:
        for index, (file, member) in enumerate(session.members):
            if _is_inside(member, start, stop):
                _copy(storage, file, member)
            elif member.first_ms <= stop * 1000 + 1 and (not member.last_ms or member.last_ms >= start * 1000 - 1):
                _copy_part(storage, file, member, start, stop)
            yield Progress(index + 1, len(session.members))
        if not storage.size:
            raise SessionError("no frame lies in this span; 'vmtop info' tells what the session covers")
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SessionError(f"{path} cannot be written: {error.strerror}") from error
        raise
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
    for text, head in _lines_of(file.text(member).lines, start, stop):
        maker = maker or MemberMaker(member.run, member.sequence, head.wall)
        storage.append(maker.add(text, head.wall, len(head.events)), maker.end())
    if maker is not None:
        storage.finish(maker.end())
        storage.patch(offset + CLOSING_OFFSET, maker.closing(storage.size - offset))


def _lines_of(lines: list[bytes], start: float, stop: float) -> Iterator[tuple[bytes, _Head]]:
    """Yield the text of each frame in the span, the first with all that it needs from before."""
    before: list[bytes] = []
    blocks: dict[tuple[int, str], dict[str, Any]] = {}
    has_begun = False
    for line in lines:
        try:
            unsealed(line)
        except LineError:
            return  # the rest of a damaged member
        if not line.startswith(_FRAME):
            before = _with(before, line, has_begun)
            continue
        head = msgspec.json.decode(line, type=_Head)
        whole = msgspec.json.decode(line) if not has_begun else {}
        if not has_begun:
            blocks = {key: block for key, block in _completed(whole, blocks)}
        if head.wall > stop:
            return
        if head.wall >= start:
            text = line + b"\n" if has_begun else sealed(msgspec.json.encode(_without_seal(whole)))
            yield b"".join(one + b"\n" for one in before) + text, head
            before, has_begun = [], True


def _with(before: list[bytes], line: bytes, has_begun: bool) -> list[bytes]:
    """Add a line to those that wait for a frame; before the first frame only what it needs."""
    if has_begun:
        return [*before, line]
    if line.startswith(_GAP):
        return before
    kept = [one for one in before if not (line.startswith(_HOST) and one.startswith(_HOST))]
    return [*kept, line]


def _completed(
    frame: dict[str, Any], last: dict[tuple[int, str], dict[str, Any]]
) -> Iterator[tuple[tuple[int, str], dict[str, Any]]]:
    """Fill in what each block takes from the frame before, in place, and yield the blocks."""
    for block in frame.get("samples", []):
        key = block["rank"], block["source"]
        before = last.get(key)
        if before is not None and before["rows"] == block["rows"]:
            columns = {name: column for name, column in before["columns"].items() if not is_counter(name)}
            block["columns"] = columns | block["columns"]
            for name, value in before.items():
                block.setdefault(name, value)
        yield key, block


def _without_seal(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "crc"}
