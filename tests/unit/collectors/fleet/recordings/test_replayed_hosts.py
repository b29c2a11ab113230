"""Session files of several hosts are one sequence of frames, as if one vmtop had watched all of them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from msgspec.structs import replace

from collectors.analysis.rates import Deriver, Moment
from collectors.fleet.recordings.opening import open_recording
from collectors.fleet.recordings.sequence import FleetRecording
from collectors.model.workloads import Availability, Event, Frame, WorkloadId
from collectors.session.cut import cut
from collectors.session.format import PREFIX
from collectors.session.frame_sequence import FrameSequence
from collectors.session.playback import Playback
from collectors.session.reader import Session
from collectors.session.storage import FileStorage, new_file
from collectors.session.writer import Writer
from tests.helpers.host_recordings import WALL, host_frames, record


def moments(session: FrameSequence) -> list[Moment]:
    deriver = Deriver()
    return [deriver.feed(frame) for _, frame in session.frames()]


def own_moments(frames: list[Frame]) -> list[Moment]:
    deriver = Deriver()
    return [deriver.feed(frame) for frame in frames]


def two_hosts(folder: Path, count: int = 70) -> FleetRecording:
    first = record(folder / "a.vmtop.gz", host_frames("hv01", count))
    second = record(folder / "b.vmtop.gz", host_frames("hv02", count, boot_s=7200.0, seed=8))
    session = open_recording([first, second])
    assert isinstance(session, FleetRecording)
    return session


def test_equal_workloads_of_two_hosts_stand_side_by_side_with_their_own_rates(tmp_path: Path) -> None:
    session = two_hosts(tmp_path)
    shown = moments(session)
    alone = {"hv01": own_moments(host_frames("hv01", 70)), "hv02": own_moments(host_frames("hv02", 70, 0, 7200.0, 8))}
    assert len(shown) == 70
    for number in (1, 30, 69):
        moment = shown[number]
        assert moment.frame.wall == WALL + 1 + number
        assert list(moment.hosts) == ["hv01", "hv02"]
        for name, one_host in alone.items():
            for identity, reading in one_host[number].readings.items():
                there = moment.readings[WorkloadId(*identity[:2], name)]
                assert there.value("cpu_percent") == reading.value("cpu_percent")
                assert there.workload.started_at == reading.workload.started_at
            assert moment.hosts[name].ledger == one_host[number].ledger
    session.close()


def test_the_files_of_one_host_stay_one_track(tmp_path: Path) -> None:
    frames = host_frames("hv01", 90)
    parts = [record(tmp_path / f"{number}.vmtop.gz", frames[number * 30 : number * 30 + 30]) for number in range(3)]
    session = open_recording([parts[2], parts[0], parts[1]])
    assert isinstance(session, Session)
    assert [frame for _, frame in session.frames()] == frames
    session.close()
    other = record(tmp_path / "other.vmtop.gz", host_frames("hv02", 90))
    fleet = open_recording([parts[0], other, parts[2], parts[1]])
    assert isinstance(fleet, FleetRecording)
    assert [track.hosts for track in fleet.tracks] == [("hv01",), ("hv02",)]
    assert fleet.total() == 90
    fleet.close()


def test_two_hosts_with_one_hostname_are_told_apart(tmp_path: Path) -> None:
    first = record(tmp_path / "a.vmtop.gz", host_frames("clone", 20))
    second = record(tmp_path / "b.vmtop.gz", host_frames("clone", 20, boot_s=5000.0))
    session = open_recording([first, second])
    frame = session.frame(session.last())
    assert frame is not None
    assert list(frame.hosts) == ["clone", "clone@2"]
    assert {identity.host for identity in frame.workloads} == {"clone", "clone@2"}
    session.close()


def test_two_recordings_of_one_host_at_once_are_not_taken_for_two_hosts(tmp_path: Path) -> None:
    frames = host_frames("hv01", 40)
    other_run = [replace(frame, run="ab" * 8) for frame in frames[10:30]]
    session = open_recording([record(tmp_path / "a.vmtop.gz", frames), record(tmp_path / "b.vmtop.gz", other_run)])
    assert isinstance(session, Session)
    session.close()


def test_a_host_that_is_no_longer_recorded_is_stale_and_then_gone(tmp_path: Path) -> None:
    long = record(tmp_path / "a.vmtop.gz", host_frames("hv01", 120))
    short = record(tmp_path / "b.vmtop.gz", host_frames("hv02", 30, start_s=10))
    session = open_recording([long, short])
    frames = [frame for _, frame in session.frames()]
    states = [
        next(state for state in frame.sources if state.name == "hv02" and not state.host).availability
        for frame in frames
    ]
    assert states[:10] == [Availability.WAITING] * 10
    assert states[10:43] == [Availability.OK] * 33  # three intervals are no gap
    assert states[43:] == [Availability.STALE] * 77
    counts = [sum(identity.host == "hv02" for identity in frame.workloads) for frame in frames]
    assert counts[9] == 0
    assert counts[10] == counts[99] == 5
    assert counts[100] == 0
    assert frames[119].hosts["hv02"].workload is None
    assert all(set(frame.hosts) == {"hv01", "hv02"} for frame in frames)
    session.close()


def test_time_without_any_recording_has_no_frame_and_no_rate_across_runs(tmp_path: Path) -> None:
    paths = [
        record(tmp_path / "a.vmtop.gz", host_frames("hv01", 10)),
        record(tmp_path / "b.vmtop.gz", host_frames("hv02", 10)),
        record(tmp_path / "c.vmtop.gz", host_frames("hv01", 10, start_s=1000)),
    ]
    session = open_recording(paths)
    shown = moments(session)
    assert [moment.frame.wall - WALL for moment in shown] == [*range(1, 11), *range(1001, 1011)]
    assert session.pauses() == [(WALL + 10, WALL + 1001)]
    after = [reading for identity, reading in shown[10].readings.items() if identity.host == "hv01"]
    assert after
    assert all(reading.value("cpu_percent") is None for reading in after)
    session.close()


def test_every_event_is_in_one_frame_whatever_the_phase_of_the_clocks(tmp_path: Path) -> None:
    def noted(hostname: str, shift_s: float) -> list[Frame]:
        frames = host_frames(hostname, 130, boot_s=3 * shift_s + 1)
        return [
            replace(
                frame,
                wall=frame.wall + shift_s + 0.011 * number,  # slower than the slots, so that some slots have none
                events=(Event(frame.wall, frame.host.id, "note", f"{hostname} {number}"),),
            )
            for number, frame in enumerate(frames)
        ]

    paths = [
        record(tmp_path / f"{name}.vmtop.gz", noted(name, shift_s))
        for name, shift_s in (("hv01", 0.0), ("hv02", 0.31), ("hv03", 0.9996))
    ]
    session = open_recording(paths)
    details = [event.detail for _, frame in session.frames() for event in frame.events]
    expected = {f"{name} {number}" for name in ("hv01", "hv02", "hv03") for number in range(130)}
    assert len(details) == len(expected)
    assert set(details) == expected
    session.close()


def test_a_clock_that_is_set_while_recording_makes_no_wrong_rate(tmp_path: Path) -> None:
    frames = host_frames("hv01", 100)
    set_forward = [replace(frame, wall=frame.wall + (20 if number >= 50 else 0)) for number, frame in enumerate(frames)]
    session = open_recording(
        [record(tmp_path / "a.vmtop.gz", set_forward), record(tmp_path / "b.vmtop.gz", host_frames("hv02", 120))]
    )
    true_values = {
        reading.value("cpu_percent") for moment in own_moments(frames) for reading in moment.readings.values()
    }
    for moment in moments(session):
        for identity, reading in moment.readings.items():
            if identity.host == "hv01" and reading.workload.kind != "host":
                assert reading.value("cpu_percent") in true_values
    session.close()


def test_playing_leaping_and_stepping_back_show_the_same(tmp_path: Path) -> None:
    session = two_hosts(tmp_path, 200)
    playback = Playback(session)
    played = {}
    for number in range(200):
        playback.go(number)
        assert playback.moment is not None
        played[number] = {key: reading.value("cpu_percent") for key, reading in playback.moment.readings.items()}
    for number in (150, 3, 120, 119, 199):
        playback.go(number)
        assert playback.moment is not None
        values = {key: reading.value("cpu_percent") for key, reading in playback.moment.readings.items()}
        assert values == played[number]
    assert playback.number_at(WALL + 61.5) == 60
    session.close()


def test_a_fleet_that_is_being_written_grows(tmp_path: Path) -> None:
    first, second = host_frames("hv01", 80), host_frames("hv02", 80, boot_s=500)
    paths = [tmp_path / "a.vmtop.gz", tmp_path / "b.vmtop.gz"]
    writers = [Writer(FileStorage(new_file(path))) for path in paths]
    for frame, other in zip(first[:40], second[:38], strict=False):
        writers[0].write(frame)
        writers[1].write(other)
    session = open_recording(paths)
    assert session.total() == 38
    playback = Playback(session)
    playback.go(37)
    for frame, other in zip(first[38:], second[38:], strict=True):
        writers[0].write(frame)
        writers[1].write(other)
    for writer in writers:
        writer.close()
    assert playback.refresh()
    assert playback.total == 80
    playback.go(79)
    assert playback.moment is not None
    assert playback.moment.frame.wall == WALL + 80
    session.close()


@pytest.mark.parametrize("is_first", [True, False])
def test_a_file_without_a_readable_frame_does_not_hide_the_others(tmp_path: Path, is_first: bool) -> None:
    whole = [record(tmp_path / f"{name}.vmtop.gz", host_frames(name, 10)) for name in ("hv01", "hv02")]
    damaged = record(tmp_path / "c.vmtop.gz", host_frames("hv03", 10))
    data = bytearray(damaged.read_bytes())
    data[80:] = bytes(len(data) - 80)
    damaged.write_bytes(data)
    session = open_recording([damaged, *whole] if is_first else [*whole, damaged])
    frame = session.frame(session.last())
    assert frame is not None
    assert list(frame.hosts) == ["hv01", "hv02"]
    session.close()


def test_a_recording_of_several_hosts_replays_as_lived(tmp_path: Path) -> None:
    lived = two_hosts(tmp_path, 130)
    frames = [frame for _, frame in lived.frames()]
    recorded = Session([record(tmp_path / "fleet.vmtop.gz", frames)])
    assert [frame for _, frame in recorded.frames()] == frames
    part = tmp_path / "part.vmtop.gz"
    with part.open("wb") as file:
        list(cut(recorded, frames[20].wall, frames[90].wall, file.fileno()))
    copied = Session([part])
    assert [frame for _, frame in copied.frames()] == frames[20:91]
    copied.close()
    playback = Playback(recorded)
    for number, moment in enumerate(moments(lived)):
        playback.go(number)
        assert playback.moment is not None
        assert playback.moment.ledger == moment.ledger
        assert playback.moment.hosts.keys() == moment.hosts.keys()
        for name, host in moment.hosts.items():
            assert playback.moment.hosts[name].ledger == host.ledger
    recorded.close()
    lived.close()


@pytest.mark.parametrize("wall_ms", [0, -1, 2**62, -(2**62), 4_102_444_800_000])
@pytest.mark.parametrize("place", [12, 20])
def test_a_damaged_header_of_one_file_costs_neither_time_nor_the_other_hosts(
    tmp_path: Path, wall_ms: int, place: int
) -> None:
    whole = record(tmp_path / "a.vmtop.gz", host_frames("hv01", 70))
    damaged = record(tmp_path / "b.vmtop.gz", host_frames("hv02", 130, boot_s=300))
    data = bytearray(damaged.read_bytes())
    at = data.find(PREFIX, 100) + len(PREFIX) + place
    data[at : at + 8] = struct.pack("<q", wall_ms)
    damaged.write_bytes(data)
    session = open_recording([whole, damaged])
    assert session.total() < 1000
    frames = [frame for _, frame in session.frames()]
    own = {frame.hosts["hv01"].run for frame in frames if frame.hosts["hv01"].workload is not None}
    assert len(own) == 1
    assert sum(any(identity.host == "hv01" for identity in frame.workloads) for frame in frames) >= 70
    session.close()
