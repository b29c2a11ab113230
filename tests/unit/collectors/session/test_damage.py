"""Damaged, foreign and hostile session files: what can be read is read, the rest is refused in a sentence."""

from __future__ import annotations

import gzip
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
    Frame,
)
from collectors.session.decode import Decoder, LineError
from collectors.session.encode import Encoder, sealed
from collectors.session.format import (
    CLOSING,
    CLOSING_OFFSET,
    HEADER_SIZE,
    LAST_BLOCK,
    TRAILER,
    SessionError,
)
from collectors.session.reader import Session
from collectors.session.storage import FileStorage, new_file
from collectors.session.writer import Writer
from tests.unit.collectors.session.test_session_file import RUN, fleet_frames, problems, read, write

pytestmark = pytest.mark.slow


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
    meta = gzip.decompress(path.read_bytes()).splitlines()[0].replace(b'"version":1', b'"version":3')
    text = sealed(meta[: meta.rindex(b',"crc":')] + b"}")
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    path.write_bytes(path.read_bytes()[:HEADER_SIZE] + deflate.compress(text) + deflate.flush())
    with pytest.raises(SessionError, match=r"newer vmtop, in version 3 .* reads up to 2: update vmtop"):
        Session([path])


@pytest.mark.parametrize("content", [b"", b"hello", gzip.compress(b'{"k":"meta"}', mtime=0), b"\x1f\x8b" * 100])
def test_a_foreign_file_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.gz"
    path.write_bytes(content)
    with pytest.raises(SessionError, match=r"foreign\.gz (is empty|is not a vmtop session)"):
        Session([path])


def test_a_pipe_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("pipe", "not a regular file"), (".", "not a regular file"), ("none", "No such file")):
        with pytest.raises(SessionError, match=why):
            Session([tmp_path / name])


def test_a_small_file_that_inflates_without_end_is_bounded(tmp_path: Path) -> None:
    header = write(tmp_path / "a.vmtop.gz", fleet_frames(1)).read_bytes()[:HEADER_SIZE]
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(300)) + deflate.flush()
    path = tmp_path / "bomb.vmtop.gz"
    path.write_bytes(header[:CLOSING_OFFSET] + bytes(CLOSING.size) + bomb)
    assert any("more than 16 MiB" in problem for problem in problems(path))
