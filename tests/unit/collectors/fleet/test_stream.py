"""A session as it arrives: whole whatever the pieces, and bounded whatever is sent."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.fleet.stream import MOST_PASSED_OVER, Stream, StreamError
from collectors.model.workloads import Frame
from collectors.session.encode import sealed
from collectors.session.format import FORMAT, PREFIX, VERSION
from collectors.session.writer import Writer
from tests.helpers.demo_fleet import Fleet
from tests.helpers.hostile_sessions import FILES, frame, line, member, opening
from tests.helpers.stand_in_ssh import KeptStorage


def sent(count: int = 130) -> tuple[bytes, list[Frame]]:
    """Return what `vmtop record -` sends of some frames, in three members, and the frames."""
    fleet, kept = Fleet(6), KeptStorage()
    writer = Writer(kept)
    frames = [fleet.frame() for _ in range(count)]
    for one in frames:
        writer.write(one)
    writer.close()
    return kept.data, frames


DATA, FRAMES = sent()


def frames_of(pieces: list[bytes]) -> list[Frame]:
    stream = Stream()
    return [one for piece in pieces for one in stream.feed(piece)]


def frames_before_an_error(pieces: Iterable[bytes]) -> Iterator[Frame]:
    stream = Stream()
    with suppress(StreamError):
        for piece in pieces:
            yield from stream.feed(piece)


@settings(max_examples=30)
@given(st.lists(st.integers(0, len(DATA)), max_size=12))
def test_frames_are_whole_whatever_the_pieces(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(DATA)]
    pieces = [DATA[start:end] for start, end in pairwise(places)]
    walls = [one.wall for one in frames_of(pieces)]
    assert walls == [one.wall for one in FRAMES]


def test_frames_come_byte_by_byte_as_they_were_recorded() -> None:
    data, frames = sent(3)
    assert [one.samples for one in frames_of([bytes([byte]) for byte in data])] == [one.samples for one in frames]


def test_a_login_banner_is_passed_over_and_kept_for_the_sentence() -> None:
    stream = Stream()
    assert len([*stream.feed(b"Welcome to hv01\nLast login: never\n" + DATA)]) == len(FRAMES)
    assert stream.passed_over.startswith(b"Welcome to hv01")
    assert stream.program.startswith("vmtop")


@pytest.mark.parametrize("rubbish", [b"\0" * 4096, b"yes\n" * 1024, PREFIX[:-1] * 200])
def test_rubbish_without_end_is_no_session(rubbish: bytes) -> None:
    pieces = [rubbish] * (MOST_PASSED_OVER // len(rubbish) + 2)
    with pytest.raises(StreamError, match="not a session"):
        frames_of(pieces)


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_a_changed_byte_never_makes_a_frame_that_was_not_sent(place: int, change: int) -> None:
    damaged = DATA[:place] + bytes([DATA[place] ^ change]) + DATA[place + 1 :]
    assert {one.wall for one in frames_before_an_error([damaged])} <= {one.wall for one in FRAMES}


@given(st.binary(max_size=400))
def test_any_bytes_after_a_header_end_in_frames_or_a_sentence(data: bytes) -> None:
    assert not [*frames_before_an_error([PREFIX + bytes(44) + data])]


def test_a_newer_format_is_told_apart_from_damage() -> None:
    meta = sealed(b'{"k":"meta","format":"%s","version":%d,"run":"0","sequence":0}' % (FORMAT.encode(), VERSION + 1))
    with pytest.raises(StreamError) as caught:
        [*Stream().feed(member(iter([meta]), 1))]
    assert caught.value.is_newer
    with pytest.raises(StreamError) as caught:
        [*Stream().feed(member(iter([line(k="meta", format="other", version=1, run="0", sequence=0) + b"x"]), 1))]


def test_a_member_with_a_wrong_check_sum_is_an_error() -> None:
    whole = member(iter([opening(), frame(0)]), 1)
    with pytest.raises(StreamError, match="check sum"):
        [*Stream().feed(whole[:-8] + bytes(8))]


def test_text_that_inflates_without_end_is_cut_off() -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(deflate.compress(b"\n" * (1 << 20)) for _ in range(64)) + deflate.flush()
    with pytest.raises(StreamError):
        [*Stream().feed(PREFIX + bytes(44) + bomb)]


@pytest.mark.slow
def test_what_means_harm_takes_bounded_memory() -> None:
    data = FILES["unknown_lines"]()
    tracemalloc.start()
    for _ in frames_before_an_error(data[start : start + 65536] for start in range(0, len(data), 65536)):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150_000_000
