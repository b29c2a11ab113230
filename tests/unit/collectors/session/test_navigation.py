"""Finding a time, a frame or an event in a session file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from collectors.model.workloads import (
    Event,
    Frame,
)
from collectors.session.frame_sequence import Position
from collectors.session.reader import Session
from collectors.session.storage import FileStorage, new_file
from collectors.session.writer import Writer
from tests.helpers.demo_fleet import Fleet
from tests.unit.collectors.session.test_session_file import fleet_frames, write


def test_any_time_is_found_and_steps_cross_members(tmp_path: Path) -> None:
    frames = fleet_frames(150)
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    for number in (0, 1, 59, 60, 61, 119, 120, 149):
        position = session.at(frames[number].wall + 0.5)
        assert session.frame(position) == frames[number]
        assert position == Position(number // 60, number % 60)
        assert session.step(Position(0, 0), number) == position
        assert session.step(position, -number) == session.first()
    assert session.at(0.0) == session.first()
    assert session.at(9e9) == session.last() == Position(2, 29)
    assert session.step(session.last(), 5) == session.last()
    assert session.span() == (frames[0].wall, frames[-1].wall)
    session.close()


def test_numbers_positions_and_steps_agree(tmp_path: Path) -> None:
    session = Session([write(tmp_path / "a.vmtop.gz", fleet_frames(150, 1))])
    positions = [position for position, _ in session.frames()]
    assert session.total() == len(positions) == 150
    for number, position in enumerate(positions):
        assert session.number(position) == number
        assert session.position(number) == position
        for other in (-1, 0, 59, 60, 149, 150):
            assert session.step(position, other - number) == positions[max(0, min(other, 149))]
    session.close()


def test_members_are_counted_once_however_often_a_frame_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session([write(tmp_path / "a.vmtop.gz", fleet_frames(150, 1))])
    counted: list[int] = []
    count = session.count

    def noted(index: int) -> int:
        counted.append(index)
        return count(index)

    monkeypatch.setattr(session, "count", noted)
    for number in range(150):
        assert session.number(session.position(number)) == number
        assert session.number(session.at(1_750_000_001.0 + number)) == number
    assert counted == [0, 1, 2]
    session.close()


def test_any_time_is_found_whatever_its_milliseconds(tmp_path: Path) -> None:
    frames = [
        msgspec.structs.replace(frame, wall=frame.wall + 0.0004 + 0.0013 * number)
        for number, frame in enumerate(fleet_frames(200, 1))
    ]
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    for number, frame in enumerate(frames):
        assert session.frame(session.at(frame.wall)) == frame
        assert [one for _, one in session.frames(frame.wall, frame.wall)] == [frame], number
    session.close()


def test_a_clock_that_was_set_back_hides_no_frame(tmp_path: Path) -> None:
    frames = fleet_frames(180, 1)
    frames = [
        msgspec.structs.replace(frame, wall=frame.wall - (3600 if 60 <= number < 120 else 0))
        for number, frame in enumerate(frames)
    ]
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    assert session.span() == (frames[60].wall, frames[-1].wall)
    start = frames[30].wall
    assert [one for _, one in session.frames(start)] == [frame for frame in frames if frame.wall >= start]
    for number in (0, 45, 60, 90, 130, 179):
        assert session.frame(session.at(frames[number].wall)) == frames[number]
    session.close()


def test_the_next_and_the_previous_event_are_found(tmp_path: Path) -> None:
    frames = [msgspec.structs.replace(frame, events=()) for frame in fleet_frames(200)]
    for number in (5, 130):
        event = Event(frames[number].wall, frames[number].host.id, "note", f"at {number}")
        frames[number] = msgspec.structs.replace(frames[number], events=(event,))
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])

    def has_event(frame: Frame) -> bool:
        return bool(frame.events)

    assert session.search(session.first(), 1, has_event) == Position(0, 5)
    assert session.search(Position(0, 5), 1, has_event) == Position(2, 10)
    assert session.search(Position(2, 10), 1, has_event) is None
    assert session.search(session.last(), -1, has_event) == Position(2, 10)
    assert session.search(Position(2, 10), -1, has_event) == Position(0, 5)
    session.close()


def test_a_file_that_is_being_written_grows(tmp_path: Path) -> None:
    frames = fleet_frames(130)
    path = tmp_path / "a.vmtop.gz"
    writer = Writer(FileStorage(new_file(path)))
    writer.write(frames[0])
    session = Session([path])
    for number, frame in enumerate(frames[1:], 1):
        writer.write(frame)
        assert session.refresh()
        position = session.last()
        assert position == Position(number // 60, number % 60)
        assert session.frame(position) == frame
    assert not session.refresh()
    writer.close()
    session.close()


def test_a_pause_begins_a_new_member_so_that_the_index_shows_it(tmp_path: Path) -> None:
    fleet = Fleet(2)
    frames = [fleet.frame(), fleet.frame(), fleet.frame(600), fleet.frame()]
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    assert [one.member.frames for one in session.members] == [2, 2]
    session.close()
