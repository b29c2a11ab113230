"""Moving through a session: any place shows what was lived there, however one came to it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from collectors.analysis.history import CAPACITY
from collectors.analysis.rates import Deriver, Moment
from collectors.analysis.startup_times import StartupWatch
from collectors.analysis.tracker import MomentTracker
from collectors.model.metrics import CHARTED, METRICS
from collectors.model.workloads import Event, Frame, Sample
from collectors.session import frame_blocks
from collectors.session.contents import Part
from collectors.session.decode import Decoder
from collectors.session.format import Block, Gap
from collectors.session.frame_blocks import UnmadeFrame
from collectors.session.frame_sequence import Position
from collectors.session.playback import Playback
from collectors.session.reader import Session
from tests.helpers.demo_fleet import Fleet
from tests.unit.collectors.session.test_session_file import fleet_frames, write

COUNT = 420


def values(moment: Moment | None) -> dict[str, list[float | None]]:
    """Every metric of every workload, and the ledger's: all that a screen can show."""
    assert moment is not None
    readings = {reading.workload.name: reading for reading in (moment.host, *moment.readings.values())}
    told: dict[str, list[float | None]] = {
        name: [reading.value(key) for key in METRICS] for name, reading in readings.items()
    }
    told["ledger"] = [*(moment.ledger.cpu_cores or ()), *(moment.ledger.memory_bytes or ())]
    return told


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return fleet_frames(COUNT, 8)


@pytest.fixture(scope="module")
def lived(frames: list[Frame]) -> list[dict[str, list[float | None]]]:
    """What was shown at each frame when it was lived."""
    deriver = Deriver()
    return [values(deriver.feed(frame)) for frame in frames]


@pytest.fixture
def playback(frames: list[Frame], tmp_path: Path) -> Iterator[Playback]:
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    yield Playback(session)
    session.close()


def test_played_from_its_first_frame_it_shows_what_was_lived(
    playback: Playback, lived: list[dict[str, list[float | None]]]
) -> None:
    for number in range(COUNT):
        playback.go(number)
        assert values(playback.moment) == lived[number]


def test_any_leap_shows_what_was_lived_there(playback: Playback, lived: list[dict[str, list[float | None]]]) -> None:
    chance = random.Random(5)  # noqa: S311  # repeatable, not secret
    for _ in range(60):
        number = chance.randrange(1, COUNT)
        playback.go(number)
        assert playback.number == number
        assert values(playback.moment) == lived[number]
        if chance.random() < 0.5:
            while playback.deepen():
                pass


def test_the_past_after_a_leap_is_the_past_that_was_lived(playback: Playback, frames: list[Frame]) -> None:
    track = MomentTracker()
    for frame in frames[:391]:
        track.feed(frame)
    playback.go(390)
    assert playback.is_shallow
    while playback.deepen():
        pass
    for identity in frames[390].workloads:
        for key in CHARTED:
            lived = track.history.recent(identity, key, CAPACITY - 1)
            assert playback.history.recent(identity, key, CAPACITY - 1) == pytest.approx(lived, nan_ok=True)


def test_a_step_back_ends_the_charts_there(playback: Playback, frames: list[Frame]) -> None:
    playback.go(200)
    identity = frames[200].host.id
    while playback.deepen():
        pass
    before = playback.history.recent(identity, "cpu_percent", 60)
    playback.go(190)
    assert playback.history.recent(identity, "cpu_percent", 50) == before[:50]
    playback.go(200)
    assert playback.history.recent(identity, "cpu_percent", 60) == before


def test_frames_are_read_in_proportion_to_the_way(playback: Playback, monkeypatch: pytest.MonkeyPatch) -> None:
    fed: list[Frame] = []
    feed = Deriver.feed

    def counted(deriver: Deriver, frame: Frame) -> Moment:
        fed.append(frame)
        return feed(deriver, frame)

    monkeypatch.setattr(Deriver, "feed", counted)
    playback.go(300)
    assert len(fed) <= 31
    fed.clear()
    playback.go(301)
    assert len(fed) == 1
    fed.clear()
    playback.go(340)
    assert len(fed) == 39, "what lies between is fed, so that the charts have it"
    fed.clear()
    playback.go(340 + 65)
    assert len(fed) <= 31, "farther ahead the charts come later"
    fed.clear()
    playback.go(404)
    assert len(fed) == 1, "the charts have it: of the frames before it nothing but their counters is needed"


def test_a_member_is_decoded_as_far_as_its_frames_are_asked_for(
    frames: list[Frame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bytes] = []
    check = Decoder.check

    def counted(decoder: Decoder, line: bytes) -> UnmadeFrame | Gap | None:
        taken.append(line)
        return check(decoder, line)

    session = Session([write(tmp_path / "a.vmtop.gz", frames[:60])])
    monkeypatch.setattr(Decoder, "check", counted)
    assert session.frame(Position(0, 9)) == frames[9]
    assert sum(line.startswith(b'{"k":"frame"') for line in taken) == 10
    assert session.frame(Position(0, 3)) == frames[3]
    assert sum(line.startswith(b'{"k":"frame"') for line in taken) == 10
    assert session.part(0).frames == frames[:60]
    assert sum(line.startswith(b'{"k":"frame"') for line in taken) == 60
    session.close()


def test_a_time_is_found_without_a_sample_and_a_frame_makes_only_its_own(
    frames: list[Frame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Block] = []
    make = frame_blocks._rows

    def counted(block: Block) -> Iterable[Sample]:
        made.append(block)
        return make(block)

    session = Session([write(tmp_path / "a.vmtop.gz", frames[:120])])
    monkeypatch.setattr(frame_blocks, "_rows", counted)
    assert session.at(frames[75].wall) == Position(1, 15)
    assert session.walls(0) == [frame.wall for frame in frames[:60]]
    assert made == []
    assert session.frame(Position(1, 15)) == frames[75]
    assert len(made) == 1
    assert session.frame(Position(1, 15)) == frames[75]
    assert len(made) == 1
    session.close()


def test_a_damaged_member_is_passed_by(frames: list[Frame], tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", frames[:180])
    session = Session([path])
    second = session.members[1].member
    session.close()
    data = bytearray(path.read_bytes())
    data[second.offset + 200 : second.offset + 260] = bytes(60)
    path.write_bytes(data)
    playback = Playback(Session([path]))
    playback.go(0)
    playback.go(90)
    assert playback.moment is not None
    assert playback.moment.frame == frames[120], "forward, the next frame that is whole"
    assert 1 in playback.session.problems
    playback.go(70)
    assert playback.moment.frame == frames[59], "backward, the one before"
    playback.session.close()


def test_events_are_found_without_reading_members_that_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [msgspec.structs.replace(frame, events=()) for frame in fleet_frames(300, 2)]
    identity = next(iter(frames[0].workloads))
    for number, what in ((70, "die"), (75, "start"), (290, "oom")):
        event = Event(frames[number].wall, identity, what, "", "web")
        frames[number] = msgspec.structs.replace(frames[number], events=(event,))
    playback = Playback(Session([write(tmp_path / "a.vmtop.gz", frames)]))
    read: list[int] = []
    part = Session.part

    def counted(session: Session, index: int) -> Part:
        read.append(index)
        return part(session, index)

    monkeypatch.setattr(Session, "part", counted)
    while playback.events.advance():
        pass
    assert [event.what for event in playback.events.of(identity, 9e9)] == ["die", "start", "oom"]
    assert [event.what for event in playback.events.of(identity, frames[74].wall)] == ["die"]
    assert sorted(set(read)) == [1, 2, 4], "the members with events, and the ones after them for start-ups"
    playback.session.close()


def test_start_ups_are_those_that_were_witnessed(tmp_path: Path) -> None:
    frames = fleet_frames(240, 40)
    deriver, watch = Deriver(), StartupWatch()
    for frame in frames:
        watch.feed(deriver.feed(frame))
    playback = Playback(Session([write(tmp_path / "a.vmtop.gz", frames)]))
    while playback.events.advance():
        pass
    assert watch.all(), "something started in four minutes of forty workloads"
    for identity, startup in watch.all().items():
        assert playback.events.start_of(identity, 9e9) == startup
        assert playback.events.start_of(identity, startup.began - 1) != startup
    playback.session.close()


def test_a_leap_finds_the_rates_of_a_source_that_has_hung_for_long(tmp_path: Path) -> None:
    frames = fleet_frames(200, 3)
    identity = next(iter(frames[0].workloads))
    for number, frame in enumerate(frames):
        held = frames[number // 50 * 50].samples[identity]
        frames[number] = msgspec.structs.replace(frame, samples={**frame.samples, identity: held})
    deriver = Deriver()
    lived = [values(deriver.feed(frame)) for frame in frames]
    playback = Playback(Session([write(tmp_path / "a.vmtop.gz", frames)]))
    for number in (199, 3, 140, 99, 51, 180):
        playback.go(number)
        assert values(playback.moment) == lived[number]
    playback.session.close()


def test_two_runs_have_no_rate_between_them(tmp_path: Path) -> None:
    first, second = Fleet(4), Fleet(4)
    second.wall += 100
    one = [first.frame() for _ in range(5)]
    other = [msgspec.structs.replace(second.frame(), run="0" * 15 + "7") for _ in range(5)]
    paths = [write(tmp_path / "1.vmtop.gz", one), write(tmp_path / "2.vmtop.gz", other)]
    playback = Playback(Session(paths))
    playback.go(5)
    assert playback.moment is not None
    assert playback.moment.host.value("cpu_percent") is None
    playback.go(6)
    assert playback.moment.host.value("cpu_percent") is not None
    assert playback.session.pauses() == [(one[-1].wall, other[0].wall)]
    playback.session.close()


def test_frames_from_before_an_engine_answered_have_the_names_that_are_known_later(tmp_path: Path) -> None:
    """One workload ends before the session does, and one is never named."""
    taken = fleet_frames(90, 6)
    short, nameless, *_ = identities = list(taken[0].workloads)

    def at(number: int, frame: Frame) -> Frame:
        workloads = {
            identity: msgspec.structs.replace(workload, name="0123456789ab", name_is_known=False, image=None)
            if number < 20 or identity == nameless
            else workload
            for identity, workload in frame.workloads.items()
            if identity != short or number < 70
        }
        return msgspec.structs.replace(frame, workloads=workloads)

    session = Session([write(tmp_path / "a.vmtop.gz", [at(number, frame) for number, frame in enumerate(taken)])])
    playback = Playback(session)
    for number in (0, 5, 19, 20, 3):
        playback.go(number)
        assert playback.moment is not None
        for identity in identities:
            shown, then = playback.moment.readings[identity].workload, taken[number].workloads[identity]
            assert (shown.name, shown.name_is_known) == (
                ("0123456789ab", False) if identity == nameless else (then.name, True)
            )
            assert identity == nameless or shown.image == then.image
            assert shown.state == then.state
    assert next(iter(session.frames()))[1].workloads[short].name == "0123456789ab", "what is recorded stays"
    session.close()


def test_a_pause_leaves_a_gap_in_the_past() -> None:
    fleet, track = Fleet(2), MomentTracker()
    for step in (1, 1, 1, 10, 1):
        track.feed(fleet.frame(step))
    past = track.history.recent(track.moment.host.workload.id, "cpu_percent", 14)  # type: ignore[union-attr]
    assert [value == value for value in past] == [False] + [True] * 2 + [False] * 9 + [True] * 2
