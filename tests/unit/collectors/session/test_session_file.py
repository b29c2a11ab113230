"""The session file: any frames come back, any cut leaves a prefix, any flipped byte is told, nothing is lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.model.workloads import (
    Availability,
    Event,
    Frame,
    HostFacts,
    Kind,
    Sample,
    SourceState,
    State,
    Workload,
    WorkloadId,
)
from collectors.safety.sanitize import sanitize
from collectors.session.decode import Decoder
from collectors.session.encode import Encoder
from collectors.session.format import (
    MEMBER_FRAMES,
)
from collectors.session.reader import Session
from collectors.session.storage import FileStorage, StreamStorage, new_file
from collectors.session.writer import Writer
from tests.helpers.demo_fleet import Fleet

RUN = "0123456789abcdef"


def fleet_frames(count: int, workloads: int = 6) -> list[Frame]:
    fleet = Fleet(workloads)
    return [fleet.frame() for _ in range(count)]


def write(path: Path, frames: list[Frame], is_closed: bool = True) -> Path:
    writer = Writer(FileStorage(new_file(path)))
    for frame in frames:
        writer.write(frame)
    if is_closed:
        writer.close()
    return path


def read(*paths: Path) -> list[Frame]:
    session = Session(paths)
    try:
        return [frame for _, frame in session.frames()]
    finally:
        session.close()


def problems(path: Path) -> list[str]:
    session = Session([path])
    try:
        parts = [session.part(index).problem for index in range(len(session.members))]
        return [problem for problem in parts if problem] + [damage.what for damage in session.damage]
    finally:
        session.close()


# --- any frames ------------------------------------------------------------------------------------------------------

_text = st.text(max_size=12).map(sanitize)
_numbers = st.integers(0, 2**63 - 1)
_walls = st.floats(1.0, 4e9)
_fields: dict[str, st.SearchStrategy[object]] = {
    name: st.floats(0, 1e12) if name in ("cpu_limit_cores", "memory_report_age_s", "load_1m") else _numbers
    for name in Sample.__struct_fields__[3:]
}


_hosts = st.sampled_from(("", "hv01", "hv02"))
_facts = st.dictionaries(_text, _text, max_size=2)
_other_hosts = st.builds(
    HostFacts,
    st.none() | st.builds(WorkloadId, _text, _text, st.just("hv01")),
    st.integers(0, 4096),
    _numbers,
    _facts,
    st.none() | st.floats(-1e6, 1e6),
    _text,
    st.floats(0, 60),
    st.lists(_text, max_size=2).map(tuple),
)


@st.composite
def _samples(draw: st.DrawFn) -> Sample:
    some = draw(st.sets(st.sampled_from(sorted(_fields)), max_size=4))
    values = {name: draw(_fields[name]) for name in sorted(some)}
    return Sample(draw(st.sampled_from(("cgroup", "libvirt"))), draw(st.integers(0, 2**61)), draw(_text), **values)  # type: ignore[arg-type]  # by field


@st.composite
def _workloads(draw: st.DrawFn, kind: Kind | None = None) -> Workload:
    return Workload(
        WorkloadId(draw(_text), draw(_text), host := draw(_hosts)),
        kind or draw(st.sampled_from(Kind)),
        draw(_text),
        draw(st.sampled_from(State)),
        image=draw(st.none() | _text),
        parent=draw(st.none() | st.builds(WorkloadId, _text, _text, st.just(host))),
        started_at=draw(st.none() | _walls),
        exit_code=draw(st.none() | st.integers(-300, 300)),
        labels=tuple(draw(st.dictionaries(st.sampled_from(("team", "tier")), st.just("blue"))).items()),
        is_listed=draw(st.none() | st.booleans()),
        addresses=tuple(draw(st.lists(st.sampled_from(("172.18.0.2", "fd00::2")), max_size=2))),
        restarts=draw(st.none() | st.integers(0, 9)),
    )


@st.composite
def _frames(draw: st.DrawFn) -> Frame:
    host = draw(_workloads(Kind.HOST))
    workloads = {one.id: one for one in draw(st.lists(_workloads(), max_size=4)) if one.id != host.id}
    known = [host.id, *workloads]
    samples = {one: tuple(draw(st.lists(_samples(), min_size=1, max_size=3))) for one in known if draw(st.booleans())}
    return Frame(
        at_ns=draw(_numbers),
        wall=draw(_walls),
        boot_ns=draw(_numbers),
        host=host,
        workloads=workloads,
        samples=samples,
        sources=(SourceState(draw(_text), draw(st.sampled_from(Availability)), draw(_text), host=draw(_hosts)),),
        events=tuple(draw(st.lists(st.builds(Event, _walls, st.sampled_from(known), _text, _text, _text), max_size=2))),
        cpus=draw(st.integers(1, 4096)),
        memory_bytes=draw(_numbers),
        facts=draw(_facts),
        run=draw(st.sampled_from((RUN, "f" * 16))),
        interval_s=draw(st.floats(0.2, 60)),
        hosts={"hv01": draw(_other_hosts)} if draw(st.booleans()) else {},
    )


@pytest.mark.slow
@given(st.lists(_frames(), min_size=1, max_size=6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_frames_come_back_as_they_were(frames: list[Frame]) -> None:
    encoder = Encoder(RUN, 0, "test")
    decoder = Decoder()
    told = [decoder.take(line) for frame in frames for line in encoder.lines(frame).splitlines()]
    back = [one for one in told if isinstance(one, Frame)]
    assert back == [msgspec.structs.replace(frame, run=RUN) for frame in frames]
    assert [list(one.workloads) for one in back] == [list(one.workloads) for one in frames], "and in their order"


def test_a_fleet_comes_back_through_a_file_member_by_member(tmp_path: Path) -> None:
    frames = fleet_frames(2 * MEMBER_FRAMES + 5)
    path = write(tmp_path / "a.vmtop.gz", frames)
    assert read(path) == frames
    session = Session([path])
    assert [one.member.frames for one in session.members] == [60, 60, 5]
    assert [session.part(index).problem for index in range(3)] == ["", "", ""]
    assert sum(one.member.events for one in session.members) == sum(len(frame.events) for frame in frames)
    session.close()


def test_every_member_can_be_read_alone(tmp_path: Path) -> None:
    frames = fleet_frames(70)
    path = write(tmp_path / "a.vmtop.gz", frames)
    session = Session([path])
    second = session.members[1]
    alone = tmp_path / "b.vmtop.gz"
    alone.write_bytes(b"".join(second.file.raw(second.member)))
    session.close()
    assert read(alone) == frames[60:]
    assert problems(alone) == []


def test_two_files_one_after_the_other_are_one(tmp_path: Path) -> None:
    frames = fleet_frames(20)
    first, second = write(tmp_path / "1.vmtop.gz", frames[:9]), write(tmp_path / "2.vmtop.gz", frames[9:])
    both = tmp_path / "both.vmtop.gz"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    assert read(both) == frames
    assert problems(both) == []
    assert read(second, first) == frames, "several files are in the order of their times, not of the arguments"


def test_the_file_is_whole_gzip_after_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.vmtop.gz"
    writer = Writer(FileStorage(new_file(path)))
    for number, frame in enumerate(fleet_frames(65), 1):
        writer.write(frame)
        lines = gzip.decompress(path.read_bytes()).splitlines()
        assert sum(json.loads(line)["k"] == "frame" for line in lines) == number
        assert problems(path) == []


def test_a_stream_gives_a_whole_file_at_its_end(tmp_path: Path) -> None:
    frames = fleet_frames(65)
    with (tmp_path / "a.vmtop.gz").open("wb") as stream:
        writer = Writer(StreamStorage(stream.fileno()))
        for frame in frames:
            writer.write(frame)
        writer.close()
    assert read(tmp_path / "a.vmtop.gz") == frames
    assert problems(tmp_path / "a.vmtop.gz") == [], "also where no length could be filled in"
