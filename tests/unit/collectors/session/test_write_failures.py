"""Writing a session file where the disk fails or another file or writer is in the way."""

from __future__ import annotations

import errno
import gzip
import os
from pathlib import Path

import pytest

from collectors.session.format import (
    SessionError,
)
from collectors.session.reader import Session
from collectors.session.recorder import ActiveSink
from collectors.session.storage import FileStorage, new_file
from collectors.session.writer import Writer
from tests.unit.collectors.session.test_session_file import fleet_frames, write


class Failing(FileStorage):
    """A file whose writes stop at a byte, some time."""

    def __init__(self, descriptor: int, fails_at: int) -> None:
        super().__init__(descriptor)
        self.descriptor = descriptor
        self.room = fails_at

    def _write(self, data: bytes, offset: int) -> None:
        if offset + len(data) > self.room:
            os.pwrite(self.descriptor, data[: max(0, self.room - offset)], offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        super()._write(data, offset)


def test_a_write_that_fails_at_any_byte_is_taken_back_and_told(tmp_path: Path) -> None:
    frames = fleet_frames(5, 2)
    size = write(tmp_path / "whole.vmtop.gz", frames).stat().st_size
    for number, room in enumerate(range(0, size, 7)):
        path = tmp_path / f"{number}.vmtop.gz"
        storage = Failing(new_file(path), room)
        writer = Writer(storage)
        keeping = ActiveSink(writer)
        kept = []
        for frame in frames[:4]:
            try:
                writer.write(frame)
                kept.append(frame)
            except OSError as error:
                keeping.lose(frame.wall, str(error.strerror))
            if kept:
                assert gzip.decompress(path.read_bytes()).count(b'{"k":"frame"') == len(kept)
        storage.room = size * 2
        writer.write(frames[4], keeping.gap)
        writer.close()
        session = Session([path])
        assert [frame for _, frame in session.frames()] == [*kept, frames[4]]
        gaps = [gap for index in range(len(session.members)) for gap in session.part(index).gaps]
        assert sum(gap.frames for gap in gaps) == 4 - len(kept)
        assert all(gap.why == "No space left on device" for gap in gaps)
        session.close()
        path.unlink()


def test_a_file_in_the_way_is_never_written_over(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("precious")
    (tmp_path / "link").symlink_to(taken)
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, is_forced, why in (
        ("taken", False, "already exists: choose another name, or --force"),
        ("link", False, "symbolic link"),
        ("link", True, "symbolic link"),
        ("dangling", True, "symbolic link"),
        ("folder", True, "not a regular file"),
        ("pipe", True, "not a regular file"),
        ("none/a", False, "No such file"),
    ):
        with pytest.raises(SessionError, match=why):
            new_file(tmp_path / name, is_forced)
    assert taken.read_text() == "precious"
    assert not (tmp_path / "elsewhere").exists()


def test_a_session_is_its_owners_alone_and_is_not_taken_from_its_writer(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        descriptor = new_file(tmp_path / "a")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SessionError, match="is being written"):
        new_file(tmp_path / "a", is_forced=True)
    os.close(descriptor)
    os.close(new_file(tmp_path / "a", is_forced=True))
