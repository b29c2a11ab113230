"""Lines of a container's log, from the bytes that the engine sends."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.docker.log_frames import Piece, lines_of, pieces_of

PART = 16 * 1024
STAMP = b"2026-11-28T03:57:56.611539617Z "


class Raw(io.BytesIO):
    """The body of an answer that arrives in pieces of a given size."""

    def __init__(self, data: bytes, piece: int = 1 << 16) -> None:
        super().__init__(data)
        self._piece = piece

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(min(self._piece, size or 0))


def parts(line: bytes, size: int = PART) -> Iterator[bytes]:
    """Cut a line as Docker does: each part has the stamp of the first, the last one a newline."""
    pieces = [line[start : start + size] for start in range(0, len(line), size)] or [b""]
    for number, piece in enumerate(pieces, 1):
        yield STAMP + piece + (b"\n" if number == len(pieces) else b"")


def framed(line: bytes, size: int = PART) -> bytes:
    return b"".join(struct.pack(">BxxxL", 1, len(part)) + part for part in parts(line, size))


@pytest.mark.parametrize("is_podman", [False, True], ids=["Docker", "Podman"])
@pytest.mark.parametrize("size", [10, PART - 1, PART, PART + 1, 2 * PART, 40_000, 60_000])
def test_the_parts_of_a_long_line_are_joined_without_their_stamps(size: int, is_podman: bool) -> None:
    line = b"a" * (size - 3) + b"END"
    both = framed(line, PART // 2 if is_podman else PART) + framed(b"next")
    terminal = b"".join([*parts(line, 4095 if is_podman else PART), *parts(b"next")])
    for raw, is_tty in ((Raw(both), False), (Raw(terminal), True), (Raw(terminal, 1000), True)):
        assert [found.text for found in lines_of(pieces_of(raw, is_tty), is_podman)] == [line.decode(), "next"]


def test_parts_of_both_streams_may_take_turns() -> None:
    out, errors = list(parts(b"o" * 40_000)), list(parts(b"e" * 40_000))
    turns = [
        Piece(stream, part, True)
        for pair in zip(out, errors, strict=True)
        for stream, part in zip((1, 2), pair, strict=True)
    ]
    assert [(line.is_error, line.text) for line in lines_of(iter(turns))] == [
        (False, "o" * 40_000),
        (True, "e" * 40_000),
    ]


def test_podman_stamps_the_parts_of_a_line_with_different_seconds_and_may_write_short_ones() -> None:
    frames = (b"2026-11-28T16:03:37Z 10% ", b"2026-11-28T16:03:38Z 50% ", b"2026-11-28T16:03:38Z 100%\n")
    (line,) = lines_of((Piece(1, frame, True) for frame in frames), is_podman=True)
    assert (line.at, line.text) == (1_795_881_817.0, "10% 50% 100%")


def test_a_line_whose_last_part_has_no_newline_ends_before_the_next_stamp() -> None:
    later = STAMP.replace(b"57:56", b"57:57")
    frames = [*parts(b"x" * 40_000), later + b"after\n", later + b"more\n"]
    frames[2] = frames[2].removesuffix(b"\n")
    lines = lines_of(Piece(1, frame, True) for frame in frames)
    assert [line.text for line in lines] == ["x" * 40_000, "after", "more"]


def test_a_stamp_that_the_program_wrote_itself_stays() -> None:
    line = b"x" * 100 + STAMP + b"y"
    assert [found.text for found in lines_of(iter([Piece(1, STAMP + line + b"\n", True)]))] == [line.decode()]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12))
def test_a_colour_is_dropped_wherever_the_chunks_are_cut(sizes: list[int]) -> None:
    stream = STAMP + b"\x1b[1;32mgreen\x1b[0m and \x1b[38;5;208mmore\x1b[0m\n"
    chunks, start = [], 0
    for size in [*sizes, len(stream)]:
        chunks.append(Piece(1, stream[start : start + size], start == 0))
        start += size
    assert [line.text for line in lines_of(iter(chunks))] == ["green and more"]


def test_a_line_without_end_is_given_once_and_bounded() -> None:
    endless = (Piece(1, STAMP + b"x" * PART, True) for _ in range(1000))
    (line,) = lines_of(endless)
    assert len(line.text) <= 1 << 16
