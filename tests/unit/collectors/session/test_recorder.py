"""Recorder, spool and rotation: nobody waits for the disk, bounds hold, what is lost is told."""

from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path

import msgspec
import pytest

from collectors.model.workloads import Frame
from collectors.session.format import Gap, SessionError
from collectors.session.reader import Session
from collectors.session.recorder import WAITING_AT_MOST, Recorder
from collectors.session.sinks import Rotating, Rotation, default_name, file_writer
from collectors.session.spool import Spool, save
from collectors.session.summary import survey
from collectors.session.writer import Writer
from tests.helpers.lab.process import wait_until
from tests.unit.collectors.session.test_session_file import fleet_frames, read


class Slow:
    """A sink on a disk that stands still until it is released."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.released = threading.Event()
        self.entered = threading.Event()

    def write(self, frame: Frame, gap: Gap | None = None) -> None:
        self.entered.set()
        self.released.wait(30)
        self.writer.write(frame, gap)

    def close(self) -> None:
        self.writer.close()


class Broken(Slow):
    """A sink that fails in a way that no one foresaw."""

    def write(self, frame: Frame, gap: Gap | None = None) -> None:
        raise RuntimeError("bad luck")


def test_a_disk_that_stands_still_holds_no_one_up_and_what_is_lost_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.vmtop.gz"
    recorder, frames = Recorder(), fleet_frames(WAITING_AT_MOST + 60, 2)
    slow = Slow(file_writer(path))
    keeping = recorder.add(slow)
    recorder.take(frames[0])
    assert slow.entered.wait(20)
    for frame in frames[1:-1]:
        recorder.take(frame)
    slow.released.set()
    wait_until(lambda: slow.writer.frames == WAITING_AT_MOST + 1, 20, "the frames that waited")
    recorder.take(frames[-1])
    assert recorder.close()
    session = Session([path])
    kept = [frame for _, frame in session.frames()]
    gaps = [gap for index in range(len(session.members)) for gap in session.part(index).gaps]
    assert len(kept) + keeping.lost == len(frames)
    assert keeping.lost == 58
    assert [(gap.frames, gap.why) for gap in gaps] == [(58, "the disk did not keep up")]
    assert gaps[0].since == frames[WAITING_AT_MOST + 1].wall
    (*_, step) = survey(session)
    assert step.summary.gaps == gaps, "told once, where it was"
    session.close()


def test_a_sink_that_fails_is_told_and_leaves_the_others(tmp_path: Path) -> None:
    recorder, frames = Recorder(), fleet_frames(5, 2)
    bad = recorder.add(Broken(file_writer(tmp_path / "bad.vmtop.gz")))
    good = recorder.add(file_writer(tmp_path / "good.vmtop.gz"))
    for frame in frames:
        recorder.take(frame)
    recorder.close()
    assert read(tmp_path / "good.vmtop.gz") == frames
    assert bad.problem == "RuntimeError: bad luck"
    assert (bad.lost, good.lost, good.problem) == (5, 0, "")


def test_a_sink_that_is_removed_has_all_that_was_handed_over_before(tmp_path: Path) -> None:
    recorder, frames = Recorder(), fleet_frames(40, 2)
    keeping = recorder.add(file_writer(tmp_path / "a.vmtop.gz"))
    for frame in frames:
        recorder.take(frame)
    recorder.remove(keeping).result(10)
    recorder.take(fleet_frames(1)[0])
    recorder.close()
    assert read(tmp_path / "a.vmtop.gz") == frames


# --- the spool -------------------------------------------------------------------------------------------------------


def test_the_spool_keeps_the_newest_within_its_size(tmp_path: Path) -> None:
    spool, frames = Spool(tmp_path / "spool", largest=160_000), fleet_frames(900, 6)
    for frame in frames:
        spool.write(frame)
        assert spool.size <= 160_000
        on_disk = sum(path.stat().st_size for path in spool.folder.iterdir())
        assert on_disk <= 160_000 + 100, "the standing ends of the parts are all that is beside it"
    kept = read(*spool.paths())
    assert kept == frames[-len(kept) :], "the newest, without a hole"
    assert 100 < len(kept) < 900
    spool.close()


def test_the_spool_keeps_the_newest_within_its_time(tmp_path: Path) -> None:
    spool, frames = Spool(tmp_path / "spool", longest_s=1200), fleet_frames(3000, 1)
    for frame in frames:
        spool.write(frame)
    kept = read(*spool.paths())
    assert 1200 <= frames[-1].wall - kept[0].wall <= 1200 + 601
    spool.close()


def test_a_sealed_spool_is_a_session_also_when_its_parts_are_forgotten_meanwhile(tmp_path: Path) -> None:
    spool, frames = Spool(tmp_path / "spool", largest=60_000), fleet_frames(600, 4)
    for frame in frames[:100]:
        spool.write(frame)
    sealed = spool.seal()
    for frame in frames[100:]:
        spool.write(frame)
    size = save(sealed, tmp_path / "kept.vmtop.gz")
    kept = read(tmp_path / "kept.vmtop.gz")
    assert kept == frames[100 - len(kept) : 100]
    assert sealed.span_s == pytest.approx(kept[-1].wall - kept[0].wall)
    assert size == (tmp_path / "kept.vmtop.gz").stat().st_size
    spool.close()


def test_the_spool_is_its_owners_alone_and_gone_at_the_end(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spool = Spool(tmp_path / "spool")
        spool.write(fleet_frames(1)[0])
    finally:
        os.umask(before)
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in spool.folder.iterdir()] == [0o600]
    spool.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_a_crash_left_behind_is_removed_and_what_lives_is_not(tmp_path: Path) -> None:
    living = Spool(tmp_path / "spool")
    left = tmp_path / "spool" / "999999999-dead"
    left.mkdir()
    (left / "00000000.vmtop.gz").write_bytes(b"x")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "spool" / "999999998-link").symlink_to(elsewhere)
    second = Spool(tmp_path / "spool")
    assert not left.exists()
    assert living.folder.exists()
    assert elsewhere.exists()
    living.close()
    second.close()


def test_a_spool_that_cannot_be_written_says_so_and_goes_on(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    recorder = Recorder()
    keeping = recorder.add(spool)
    spool.folder.rename(tmp_path / "moved")
    recorder.take(fleet_frames(1)[0])
    wait_until(lambda: bool(keeping.problem), 30, "the problem")
    assert "cannot be created" in keeping.problem
    (tmp_path / "moved").rename(spool.folder)
    recorder.take(fleet_frames(1)[0])
    wait_until(lambda: not keeping.problem, 30, "recovery")
    recorder.close()


# --- rotation --------------------------------------------------------------------------------------------------------


def test_files_follow_each_other_by_size_and_the_oldest_go(tmp_path: Path) -> None:
    frames = fleet_frames(600, 4)
    other = tmp_path / "web-notes.txt"
    other.write_text("mine")
    foreign = tmp_path / "web-20200101-000000.vmtop.gz.bak"
    foreign.write_text("mine too")
    rotating = Rotating(tmp_path / "web.vmtop.gz", Rotation(size=20_000, keep=3))
    for frame in frames:
        rotating.write(frame)
    rotating.close()
    files = sorted(tmp_path.glob("web-2*.vmtop.gz"))
    assert len(files) == 3
    assert rotating.files > 3
    assert all(path.stat().st_size < 24_000 for path in files)
    kept = read(*files)
    assert kept == frames[-len(kept) :]
    assert other.exists()
    assert foreign.exists()


def test_the_oldest_are_those_that_hold_the_oldest_frames_also_when_summer_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        before = 1_792_886_400.0  # 2026-10-25 00:00 UTC: at 01:00 UTC the clocks there go back an hour
        frames = [
            msgspec.structs.replace(frame, wall=before + 60 * number, interval_s=60.0)
            for number, frame in enumerate(fleet_frames(140, 1))
        ]
        rotating = Rotating(tmp_path / "web.vmtop.gz", Rotation(age_s=600, keep=4))
        for frame in frames:
            rotating.write(frame)
        rotating.close()
    finally:
        monkeypatch.undo()
        time.tzset()
    kept = read(*tmp_path.glob("web-*.vmtop.gz"))
    assert kept == frames[-len(kept) :]
    assert len(list(tmp_path.iterdir())) == 4


def test_a_row_of_files_goes_on_after_one_could_not_be_ended_or_begun(tmp_path: Path) -> None:
    frames = fleet_frames(400, 2)
    folder = tmp_path / "folder"
    folder.mkdir()
    recorder = Recorder()
    keeping = recorder.add(Rotating(folder / "web.vmtop.gz", Rotation(age_s=60)))
    for frame in frames[:61]:
        recorder.take(frame)
    recorder.between_frames(lambda: folder.rename(tmp_path / "away")).result(10)
    for frame in frames[61:70]:
        recorder.take(frame)
    recorder.between_frames(lambda: (tmp_path / "away").rename(folder)).result(10)
    for frame in frames[70:90]:
        recorder.take(frame)
    recorder.close()
    session = Session(sorted(folder.iterdir()))
    gaps = [gap for index in range(len(session.members)) for gap in session.part(index).gaps]
    assert keeping.lost == 9
    assert [(gap.frames, gap.since) for gap in gaps] == [(9, frames[61].wall)]
    assert [frame for _, frame in session.frames()] == [*frames[:61], *frames[70:90]]
    session.close()


def test_files_follow_each_other_by_age(tmp_path: Path) -> None:
    frames = fleet_frames(130, 2)
    rotating = Rotating(tmp_path / "web.vmtop.gz", Rotation(age_s=60))
    for frame in frames:
        rotating.write(frame)
    rotating.close()
    files = sorted(tmp_path.glob("*.vmtop.gz"))
    assert [len(read(path)) for path in files] == [61, 61, 8]
    assert read(*files) == frames
    for path in files:
        gzip.decompress(path.read_bytes())


def test_rotation_into_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="is not a folder"):
        Rotating(tmp_path / "none" / "web.vmtop.gz", Rotation(size=1))


@pytest.mark.parametrize(
    ("host", "expected"), [("hv01", "vmtop-hv01-"), ("a/b c;$(x)", "vmtop-a-b-c-x-"), ("\x1b[2J", "vmtop-2J-")]
)
def test_a_usual_name_is_plain_whatever_the_host_is_called(host: str, expected: str) -> None:
    assert default_name(host, 0.0).startswith(expected)
    assert default_name("x" * 1000, 0.0).endswith(".vmtop.gz")
    assert len(default_name("x" * 1000, 0.0)) < 120
