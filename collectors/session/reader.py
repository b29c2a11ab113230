"""Reads sessions: one or several files as one sequence of frames, from any time, with bounded memory.

The members of all files are in order of time; a file that is still being written grows with `refresh`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from collectors.model.workloads import Frame
from collectors.safety import typed_json
from collectors.session.contents import Contents, OpenPart, Part
from collectors.session.decode import LineError, check_seal
from collectors.session.format import FORMAT, VERSION, Damage, SessionError
from collectors.session.frame_sequence import FrameSequence, Position
from collectors.session.gzip_member import Member, SessionFile

_FRAME = b'{"k":"frame"'
_LIGHT = 64_000_000
"""Bytes of memory; a heavier member is not kept while another one is decoded."""


class FileMember(NamedTuple):
    """A member and the file that holds it."""

    file: SessionFile
    member: Member


class Session(FrameSequence):
    """An open session.

    Args:
        paths: Its files, in any order.
        kept: Members whose frames are kept decoded. With two, stepping back and forth decodes each once.

    Raises:
        SessionError: A file cannot be read, is not a session, or was written by a newer vmtop.
    """

    def __init__(self, paths: Sequence[Path], kept: int = 2) -> None:
        files: list[SessionFile] = []
        try:
            for path in paths:
                files.append(SessionFile(path))
        except SessionError:
            for file in files:
                file.close()
            raise
        self._files = sorted(files, key=lambda file: file.members[0].first_ms)
        self._parts = _KeptParts(kept)
        self._counts: dict[tuple[Path, int, int], int] = {}
        self._read: tuple[int, Contents] | None = None
        """The contents that were asked for last, and the index of their member."""
        self.problems: dict[int, str] = {}
        self._order()
        try:
            self._check_version()
        except SessionError:
            self.close()
            raise

    @property
    def files(self) -> Sequence[SessionFile]:
        return self._files

    @property
    def last_files(self) -> Sequence[SessionFile]:
        return self._files[-1:]

    @property
    def outline(self) -> Sequence[Member]:
        return self._outline

    def close(self) -> None:
        """Close the files."""
        for file in self.files:
            file.close()

    def _order(self) -> None:
        self.members = [FileMember(file, member) for file in self.files for member in file.members]
        self._outline = [member for _, member in self.members]

    def _check_version(self) -> None:
        for file in self.files:
            for member in file.members[:1]:
                for line in islice(file.text(member).lines(), 1):
                    refuse_newer(line, file.path)

    def refresh(self) -> bool:
        """Read what was appended to the last file since the last look; return whether there was anything."""
        is_new = self.files[-1].refresh()
        if is_new:
            self._order()
        return is_new

    @property
    def damage(self) -> list[Damage]:
        """The bytes that belong to no member, file by file."""
        return [damage for file in self.files for damage in file.damage]

    def count(self, index: int) -> int:
        """Return how many frames a member has; one that was not closed is read for it."""
        file, member = self.members[index]
        key = _key(file, member)
        if key in self._counts:
            return self._counts[key]
        if member.is_closed:
            return member.frames
        self._counts[key] = file.text(member).count(_FRAME)
        return self._counts[key]

    def frame(self, position: Position) -> Frame | None:
        if not 0 <= position.member < len(self.members):
            return None
        part = self._open(position.member)
        was_whole = part.is_whole
        frame = part.frame(position.frame)
        if part.is_whole and not was_whole:
            self._note_problem(position.member, part)
        return frame

    def part(self, index: int) -> Part:
        """Return a member's frames; those before any damage."""
        part = self._open(index)
        whole = part.whole()
        self._note_problem(index, part)
        return whole

    def walls(self, index: int) -> list[float]:
        part = self._open(index)
        walls = part.walls()
        self._note_problem(index, part)
        return walls

    def _open(self, index: int) -> OpenPart:
        key = _key(*self.members[index])
        part = self._parts.get(key)
        if part is None:
            self._parts.make_room()
            return self._parts.keep(key, OpenPart(self.contents(index)))
        if not part.is_whole:
            self._parts.drop_heavy(key)
        return part

    def _note_problem(self, index: int, part: OpenPart) -> None:
        """Note what is wrong with a member that was read to its end, or that nothing is any more."""
        if problem := part.problem:
            self.problems[index] = problem
        else:
            self.problems.pop(index, None)

    def contents(self, index: int) -> Contents:
        """Return a member's frames and gaps, to be read once and not kept."""
        file, member = self.members[index]
        contents = Contents(file.text(member), member)
        self._read = index, contents
        return contents

    def damage_in(self, index: int) -> list[Damage]:
        """Return what was wrong with a member when its contents were last read to their end."""
        if self._read is None or self._read[0] != index or not (contents := self._read[1]).problem:
            return []
        file, member = self.members[index]
        what = f"{contents.problem}; the {contents.frames} frames before it are intact"
        return [Damage(str(file.path), member.offset, what)]


def refuse_newer(line: bytes, path: Path) -> None:
    """Check the first line of a file.

    Raises:
        SessionError: The file is not a session, or was written by a newer vmtop; the message says what to do.
    """
    try:
        check_seal(line)
        meta = typed_json.decode(line, _First)
    except (LineError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return  # damaged; the members after it may be whole
    if meta.format != FORMAT:
        raise SessionError(f"{path} is not a vmtop session; 'vmtop record FILE' writes one")
    if meta.version > VERSION:
        raise SessionError(
            f"{path} was written by a newer vmtop, in version {meta.version} of the format; this one reads "
            f"up to {VERSION}: update vmtop"
        )


class _First(msgspec.Struct):
    format: str
    version: int


def _key(file: SessionFile, member: Member) -> tuple[Path, int, int]:
    return file.path, member.offset, min(member.end, file.size)


class _KeptParts(dict[tuple[Path, int, int], OpenPart]):
    """Keeps the newest few parts.

    Args:
        most: How many.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def make_room(self) -> None:
        """Drop parts before another one is decoded: all but the newest, and that too if it is heavy."""
        newest = next(reversed(self), None)
        for key in [key for key, part in self.items() if key != newest or part.weight > _LIGHT]:
            del self[key]

    def drop_heavy(self, but: tuple[Path, int, int]) -> None:
        """Drop heavy parts but one, which grows as more of it is decoded."""
        for key in [key for key, part in self.items() if key != but and part.weight > _LIGHT]:
            del self[key]

    def keep(self, key: tuple[Path, int, int], part: OpenPart) -> OpenPart:
        self[key] = part
        if len(self) > self._most:
            del self[next(iter(self))]
        return part
