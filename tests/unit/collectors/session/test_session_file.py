"""The session file: any frames come back, any cut leaves a prefix, any flipped byte is told, nothing is lost."""

from __future__ import annotations

import errno
import gzip
import json
import os
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.model.workloads import (
    Availability,
    Event,
    Frame,
    Kind,
    Sample,
    SourceState,
    State,
    Workload,
    WorkloadId,
)
from collectors.safety.sanitize import sanitize
from collectors.session.decode import Decoder, LineError
from collectors.session.encode import Encoder, sealed
from collectors.session.format import (
    CLOSING,
    CLOSING_OFFSET,
    HEADER_SIZE,
    LAST_BLOCK,
    MEMBER_FRAMES,
    TRAILER,
    SessionError,
)
from collectors.session.reader import Place, Session
from collectors.session.recorder import Keeping
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


@st.composite
def _samples(draw: st.DrawFn) -> Sample:
    some = draw(st.sets(st.sampled_from(sorted(_fields)), max_size=4))
    values = {name: draw(_fields[name]) for name in sorted(some)}
    return Sample(draw(st.sampled_from(("cgroup", "libvirt"))), draw(st.integers(0, 2**61)), draw(_text), **values)  # type: ignore[arg-type]  # by field


@st.composite
def _workloads(draw: st.DrawFn, kind: Kind | None = None) -> Workload:
    return Workload(
        WorkloadId(draw(_text), draw(_text)),
        kind or draw(st.sampled_from(Kind)),
        draw(_text),
        draw(st.sampled_from(State)),
        image=draw(st.none() | _text),
        parent=draw(st.none() | st.builds(WorkloadId, _text, _text)),
        started_at=draw(st.none() | _walls),
        exit_code=draw(st.none() | st.integers(-300, 300)),
        labels=tuple(draw(st.dictionaries(st.sampled_from(("team", "tier")), st.just("blue"))).items()),
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
        sources=(SourceState(draw(_text), draw(st.sampled_from(Availability)), draw(_text)),),
        events=tuple(draw(st.lists(st.builds(Event, _walls, st.sampled_from(known), _text, _text, _text), max_size=2))),
        cpus=draw(st.integers(1, 4096)),
        memory_bytes=draw(_numbers),
        facts=draw(st.dictionaries(_text, _text, max_size=2)),
        run=draw(st.sampled_from((RUN, "f" * 16))),
        interval_s=draw(st.floats(0.2, 60)),
    )


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


# --- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Frame]]:
    """Three members of two frames of two workloads."""
    frames = fleet_frames(6, 2)
    path = tmp_path_factory.mktemp("small") / "a.vmtop.gz"
    writer = Writer(FileStorage(new_file(path)))
    for number, frame in enumerate(frames):
        if number in (2, 4):
            writer.end_member()
        writer.write(frame)
    writer.close()
    return path.read_bytes(), frames


def _is_within(part: list[Frame], whole: list[Frame]) -> bool:
    """Whether all of a part is in the whole, in order."""
    rest: Iterator[Frame] = iter(whole)
    return all(any(one == other for other in rest) for one in part)


def test_cut_anywhere_a_file_gives_the_frames_before_the_cut(small: tuple[bytes, list[Frame]], tmp_path: Path) -> None:
    data, frames = small
    path = tmp_path / "cut.vmtop.gz"
    last = 0
    for size in range(1, len(data)):
        path.write_bytes(data[:size])
        try:
            got = read(path)
        except SessionError:
            got = []
        assert got == frames[: len(got)], f"cut at {size}"
        assert len(got) >= last, f"cut at {size}: a longer file gives no fewer frames"
        last = len(got)
    assert last == len(frames)


def test_a_writer_killed_anywhere_in_a_write_loses_only_the_frame_in_flight(tmp_path: Path) -> None:
    frames = fleet_frames(5, 2)
    files = [write(tmp_path / f"{count}.vmtop.gz", frames[:count], is_closed=False) for count in (4, 5)]
    before, after = (path.read_bytes() for path in files)
    start = len(before) - len(LAST_BLOCK) - TRAILER.size
    path = tmp_path / "torn.vmtop.gz"
    for written in range(start, len(after)):
        path.write_bytes(after[:written] + before[written:])
        assert read(path)[:4] == frames[:4], f"torn at {written - start}"
        assert {*problems(path)} <= {"it was cut short", "its data is damaged", "its check sum is wrong"}


def test_any_flipped_byte_is_told_and_gives_no_frame_that_was_not_written(
    small: tuple[bytes, list[Frame]], tmp_path: Path
) -> None:
    data, frames = small
    path = tmp_path / "flipped.vmtop.gz"
    chance = random.Random(3)  # noqa: S311  # repeatable, not secret
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        session = Session([path])
        got = [frame for _, frame in session.frames()]
        told = [session.part(index).problem for index in range(len(session.members))]
        assert session.damage or any(told), f"byte {place} is damaged and nothing is told"
        assert _is_within(got, frames), f"byte {place}"
        assert len(got) >= 4, f"byte {place}: the two other members are whole"
        session.close()


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mangled_file_does_more_harm_than_a_sentence(
    small: tuple[bytes, list[Frame]], tmp_path: Path, data: st.DataObject
) -> None:
    whole, frames = small
    start = data.draw(st.integers(0, len(whole) - 1))
    length = data.draw(st.integers(0, 400))
    instead = data.draw(st.binary(max_size=400))
    path = tmp_path / "mangled.vmtop.gz"
    path.write_bytes(whole[:start] + instead + whole[start + length :])
    try:
        got = read(path)
    except SessionError:
        got = []
    assert _is_within(got, frames)


def _line(**keys: object) -> bytes:
    return sealed(msgspec.json.encode(keys)).rstrip(b"\n")


def _prepared() -> Decoder:
    decoder = Decoder()
    for line in Encoder(RUN, 0, "test").lines(fleet_frames(1, 2)[0]).splitlines():
        decoder.take(line)
    return decoder


FRAME = {"k": "frame", "wall": 1e9, "at_ns": 1, "boot_ns": 1, "interval_s": 1, "workloads": [], "sources": []}
BLOCK = {"source": "x", "rank": 0, "rows": [0], "at_ns": 1, "offset_ns": [0], "epoch": [""], "columns": {}}


@pytest.mark.parametrize(
    "line",
    [
        _line(**FRAME, samples=[{**BLOCK, "rows": [99]}]),
        _line(**FRAME, samples=[{**BLOCK, "columns": {"pids": [1, 2]}}]),
        _line(**FRAME, samples=[{**BLOCK, "columns": {"pids": [-1]}}]),
        _line(**FRAME, samples=[{**BLOCK, "columns": {"pids": [2**63]}}]),
        _line(**FRAME, samples=[{**BLOCK, "columns": {"pids": [1e300]}}]),
        _line(**FRAME, samples=[{**BLOCK, "columns": {"pids": ["1"]}}]),
        _line(**FRAME, samples=[{**BLOCK, "columns": 7}]),
        _line(**FRAME, samples=[{**BLOCK, "rows": [0, 0], "offset_ns": [0, 0], "epoch": ["", ""]}]),
        _line(**FRAME, samples=[BLOCK] * 300),
        _line(**{**FRAME, "workloads": [77]}, samples=[]),
        _line(**{**FRAME, "wall": 1e18}, samples=[]),
        _line(k="host", workload={}, cpus=1, memory_bytes=1),
        _line(k="gap", since=1, until=2, frames="many", why=""),
        sealed(b'{"k":"frame","wall":' + b"[" * 100_000 + b"]" * 100_000 + b"}").rstrip(b"\n"),
        sealed(b'{"k":"frame","wall":NaN}').rstrip(b"\n"),
        sealed(b'{"k":"frame","wall":1e999}').rstrip(b"\n"),
        sealed(b'{"k":"frame","wall":' + b"9" * 5000 + b"}").rstrip(b"\n"),
        sealed(b'{"\xff":1}').rstrip(b"\n"),
        b'{"k":"frame"}',
        b"",
        b"null",
    ],
)
def test_a_line_that_breaks_the_contract_is_refused(line: bytes) -> None:
    with pytest.raises(LineError):
        _prepared().take(line)


def test_what_is_said_of_a_hostile_line_or_file_is_safe_to_show(tmp_path: Path) -> None:
    line = sealed(b'{"k":"\\u001b]0;EVIL\\u0007\\u001b[2J","k":"frame"}').rstrip(b"\n")
    with pytest.raises(LineError) as told:
        _prepared().take(line)
    assert str(told.value).isprintable()
    with pytest.raises(SessionError) as refused:
        Session([tmp_path / "ev\x1b[31mil\x9b"])
    assert str(refused.value).isprintable()


def test_values_that_no_reader_takes_are_left_out_and_not_the_frames_after_them() -> None:
    frames = fleet_frames(3, 2)
    identity = next(iter(frames[1].workloads))
    (sample,) = frames[1].samples[identity]
    mad = msgspec.structs.replace(sample, cpu_total_ns=2**64, pids=-1)
    frames[1] = msgspec.structs.replace(frames[1], samples={**frames[1].samples, identity: (mad,)})
    encoder, decoder = Encoder(RUN, 0, "test"), Decoder()
    back = [decoder.take(line) for frame in frames for line in encoder.lines(frame).splitlines()]
    read_again = [one for one in back if isinstance(one, Frame)]
    assert len(read_again) == 3
    assert read_again[1].samples[identity][0].cpu_total_ns is None
    assert read_again[1].samples[identity][0].pids is None
    assert read_again[2].samples == frames[2].samples


def test_kinds_keys_and_columns_of_a_later_version_are_passed_over() -> None:
    decoder = _prepared()
    assert decoder.take(_line(k="weather", sky="blue")) is None
    block = {**BLOCK, "columns": {"fans_total": [3], "pids": [4]}, "colour": "red"}
    frame = decoder.take(_line(**FRAME, samples=[block], moon="full"))
    assert isinstance(frame, Frame)
    (sample,) = frame.samples[frame.host.id]
    assert sample.pids == 4


def test_a_newer_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(1))
    meta = gzip.decompress(path.read_bytes()).splitlines()[0].replace(b'"version":1', b'"version":2')
    text = sealed(meta[: meta.rindex(b',"crc":')] + b"}")
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    path.write_bytes(path.read_bytes()[:HEADER_SIZE] + deflate.compress(text) + deflate.flush())
    with pytest.raises(SessionError, match=r"newer vmtop, in version 2 .* reads up to 1: update vmtop"):
        Session([path])


@pytest.mark.parametrize("content", [b"", b"hello", gzip.compress(b'{"k":"meta"}', mtime=0), b"\x1f\x8b" * 100])
def test_a_foreign_file_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.gz"
    path.write_bytes(content)
    with pytest.raises(SessionError, match=r"foreign\.gz (is empty|is not a vmtop session)"):
        Session([path])


def test_a_pipe_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("pipe", "no regular file"), (".", "no regular file"), ("none", "No such file")):
        with pytest.raises(SessionError, match=why):
            Session([tmp_path / name])


def test_a_small_file_that_inflates_without_end_is_bounded(tmp_path: Path) -> None:
    header = write(tmp_path / "a.vmtop.gz", fleet_frames(1)).read_bytes()[:HEADER_SIZE]
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(300)) + deflate.flush()
    path = tmp_path / "bomb.vmtop.gz"
    path.write_bytes(header[:CLOSING_OFFSET] + bytes(CLOSING.size) + bomb)
    assert any("more than 64 MiB" in problem for problem in problems(path))


# --- writing under fire ----------------------------------------------------------------------------------------------


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
        keeping = Keeping(writer)
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
        ("taken", False, "exists already: choose another name, or --force"),
        ("link", False, "symbolic link"),
        ("link", True, "symbolic link"),
        ("dangling", True, "symbolic link"),
        ("folder", True, "no regular file"),
        ("pipe", True, "no regular file"),
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


# --- what is in the file ---------------------------------------------------------------------------------------------


def test_secrets_in_labels_and_descriptions_are_not_written(tmp_path: Path) -> None:
    (frame,) = fleet_frames(1, 2)
    identity, workload = next(iter(frame.workloads.items()))
    secretive = msgspec.structs.replace(
        workload,
        description="reach it at postgres://root:canary@db with --password=canary",
        labels=(("team", "blue"), ("api_key", "canary"), ("url", "http://me:canary@x")),
    )
    frame = msgspec.structs.replace(frame, workloads={**frame.workloads, identity: secretive})
    path = write(tmp_path / "a.vmtop.gz", [frame])
    assert b"canary" not in gzip.decompress(path.read_bytes())
    (back,) = read(path)
    assert dict(back.workloads[identity].labels) == {"team": "blue", "api_key": "***", "url": "http://***@x"}


def test_names_that_are_no_utf8_are_written_readably(tmp_path: Path) -> None:
    (frame,) = fleet_frames(1, 2)
    identity = WorkloadId("systemd", os.fsdecode(b"/bad\xff.slice"))
    odd = Workload(identity, Kind.SERVICE, "bad", cgroup=identity.id)
    frame = msgspec.structs.replace(frame, workloads={**frame.workloads, identity: odd})
    (back,) = read(write(tmp_path / "a.vmtop.gz", [frame]))
    assert [one.id for one in back.workloads][-1] == "/bad\\udcff.slice"


def test_hostile_text_in_a_file_comes_out_inert() -> None:
    decoder = _prepared()
    name = "\x1b]52;c;Zm9v\x07\u202e\x9b"
    decoder.take(
        _line(k="workloads", set=[{"n": 1, "engine": name, "id": name, "kind": name, "name": name, "image": name}])
    )
    source = {"name": name, "availability": name, "reason": name}
    event = {"wall": 1, "engine": name, "id": name, "what": name, "detail": name, "name": name}
    frame = decoder.take(_line(**{**FRAME, "workloads": [1], "sources": [source]}, samples=[], events=[event]))
    assert isinstance(frame, Frame)
    shown = str(msgspec.json.encode(msgspec.to_builtins((list(frame.workloads.values()), frame.sources, frame.events))))
    assert "1b" not in shown.replace("u001b", "1b")
    for bad in ("\x1b", "\x07", "\u202e", "\x9b"):
        assert bad not in "".join(
            [*(workload.name + workload.id.id for workload in frame.workloads.values()), frame.events[0].detail]
        )


# --- finding one's way -----------------------------------------------------------------------------------------------


def test_any_time_is_found_and_steps_cross_members(tmp_path: Path) -> None:
    frames = fleet_frames(150)
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    for number in (0, 1, 59, 60, 61, 119, 120, 149):
        place = session.at(frames[number].wall + 0.5)
        assert session.frame(place) == frames[number]
        assert place == Place(number // 60, number % 60)
        assert session.step(Place(0, 0), number) == place
        assert session.step(place, -number) == session.first()
    assert session.at(0.0) == session.first()
    assert session.at(9e9) == session.last() == Place(2, 29)
    assert session.step(session.last(), 5) == session.last()
    assert session.span() == (frames[0].wall, frames[-1].wall)
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

    assert session.search(session.first(), 1, has_event) == Place(0, 5)
    assert session.search(Place(0, 5), 1, has_event) == Place(2, 10)
    assert session.search(Place(2, 10), 1, has_event) is None
    assert session.search(session.last(), -1, has_event) == Place(2, 10)
    assert session.search(Place(2, 10), -1, has_event) == Place(0, 5)
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
        place = session.last()
        assert place == Place(number // 60, number % 60)
        assert session.frame(place) == frame
    assert not session.refresh()
    writer.close()
    session.close()


def test_a_pause_begins_a_new_member_so_that_the_index_shows_it(tmp_path: Path) -> None:
    fleet = Fleet(2)
    frames = [fleet.frame(), fleet.frame(), fleet.frame(600), fleet.frame()]
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    assert [one.member.frames for one in session.members] == [2, 2]
    session.close()
