"""Logs in the CRI's format: parts of lines, starts, rotations, and reading from anywhere."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.kubernetes.cri_lines import Joiner, Part, lines_backwards, parse
from collectors.engines.kubernetes.cri_log import CriLog
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.logs import LogLine


def raw(number: int, stream: str = "stdout", tag: str = "F", text: str | None = None) -> bytes:
    stamp = f"2026-11-28T22:{number // 60:02}:{number % 60:02}.313750399Z"
    return f"{stamp} {stream} {tag} {f'line {number}' if text is None else text}\n".encode()


def lines(first: int, end: int) -> bytes:
    return b"".join(raw(number) for number in range(first, end))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of two starts, the first of which was rotated twice; the second has lines in parts."""
    (tmp_path / "0.log.20261128-220000.gz").write_bytes(gzip.compress(lines(0, 40)))
    (tmp_path / "0.log.20261128-220100").write_bytes(lines(40, 80))
    (tmp_path / "0.log").write_bytes(lines(80, 100))
    parts = [raw(120, tag="P", text="abc"), raw(120, "stderr"), raw(121, tag="P", text="def"), raw(122, text="ghi")]
    (tmp_path / "1.log").write_bytes(lines(100, 120) + b"".join(parts) + raw(123, "stderr", text="end"))
    (tmp_path / "1.log.tmp").write_bytes(b"no log")
    return tmp_path


@pytest.fixture
def log(folder: Path) -> Iterator[CriLog]:
    opened = CriLog(str(folder))
    yield opened
    opened.close()


def texts(found: Sequence[LogLine]) -> list[str]:
    return [line.text for line in found]


EVERYTHING = [*(f"line {number}" for number in range(120)), "line 120", "abcdefghi", "end"]


class TestReading:
    def test_all_starts_and_rotations_are_one_log_oldest_first(self, log: CriLog) -> None:
        assert texts(list(log.written())) == EVERYTHING

    @pytest.mark.parametrize("count", [1, 3, 7, 50])
    def test_going_back_from_the_end_gives_every_line_once(self, log: CriLog, count: int) -> None:
        found = log.last(count)
        while more := log.before(found[0], count):
            assert len(more) <= count
            found = more + found
        assert texts(found) == EVERYTHING

    @pytest.mark.parametrize("count", [1, 3, 7, 50])
    def test_going_on_from_the_beginning_gives_every_line_once(self, log: CriLog, count: int) -> None:
        found = log.first(1)
        while more := log.after(found[-1], count):
            found += more
        assert texts(found) == EVERYTHING

    def test_lines_have_the_time_and_stream_of_the_container(self, log: CriLog) -> None:
        error, joined, end = log.last(3)
        assert (error.is_error, joined.is_error, end.is_error) == (True, False, True)
        assert joined.at == error.at  # the first part of it was written then
        assert joined.at == pytest.approx(1795903320.313750)

    def test_the_lines_until_a_time_are_found_in_any_file(self, log: CriLog) -> None:
        everything = list(log.written())
        for index in (0, 39, 40, 77, 99, 119):
            assert log.until(everything[index].at or 0.0, 1) == [everything[index]]
        assert log.until((everything[0].at or 0.0) - 1, 5) == []


class TestChanges:
    def test_a_rotation_loses_no_line_and_repeats_none(self, folder: Path, log: CriLog) -> None:
        before = log.last(2)
        (folder / "1.log").rename(folder / "1.log.20261128-230000")
        (folder / "1.log").write_bytes(raw(200))
        assert texts(log.after(before[-1], 5)) == ["line 200"]
        assert texts(log.before(log.last(1)[0], 2)) == texts(before)

    def test_lines_of_a_file_that_was_compressed_are_found_by_their_time(self, folder: Path, log: CriLog) -> None:
        inside = next(line for line in log.written() if line.text == "line 60")
        plain = folder / "0.log.20261128-220100"
        (folder / f"{plain.name}.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
        assert texts(log.before(inside, 2)) == ["line 58", "line 59"]

    def test_what_is_written_is_followed_over_rotations_and_starts(self, folder: Path, log: CriLog) -> None:
        follower = log.follow(log.last(1)[0])
        with (folder / "1.log").open("ab") as file:
            file.write(raw(130) + raw(131, tag="P", text="half"))
        assert next(follower).text == "line 130"
        with (folder / "1.log").open("ab") as file:
            file.write(raw(132, text=" and half"))
        assert next(follower).text == "half and half"
        (folder / "1.log").rename(folder / "1.log.20261128-230000")
        (folder / "1.log").write_bytes(raw(140))
        assert next(follower).text == "line 140"
        (folder / "2.log").write_bytes(raw(150))
        assert next(follower).text == "line 150"
        log.close()
        assert list(follower) == []


class TestRefusals:
    def test_a_folder_without_a_log_is_said_to_have_none(self, tmp_path: Path) -> None:
        with pytest.raises(SourceAbsent, match="there is no log in"):
            CriLog(str(tmp_path))
        with pytest.raises(SourceAbsent, match="there is no log in"):
            CriLog(str(tmp_path / "none"))

    def test_a_link_or_a_pipe_in_the_place_of_a_log_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "0.log").symlink_to("/etc/passwd")
        with pytest.raises(SourceError, match=r"0\.log cannot be opened"):
            CriLog(str(tmp_path))
        (tmp_path / "0.log").unlink()
        os.mkfifo(tmp_path / "0.log")
        with pytest.raises(SourceError, match="not a regular file"):
            CriLog(str(tmp_path))

    def test_a_file_that_is_not_what_its_name_says_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "0.log.20261128-220000.gz").write_bytes(b"no gzip")
        with pytest.raises(SourceError, match="cannot be unpacked"):
            CriLog(str(tmp_path))


class TestLines:
    def test_a_line_in_another_format_is_taken_as_it_is(self) -> None:
        for text in (b"", b"plain", b"2026-11-28 stdout F x", b"2026-11-28T22:00:00 stdout F x", b"x stdout F y"):
            assert parse(3, text) == Part(3, None, False, False, text)

    def test_an_empty_line_and_further_tags_are_read(self) -> None:
        stamp = b"2026-11-28T22:00:00.5+02:00"
        assert parse(0, stamp + b" stderr F ")[2:] == (True, False, b"")
        assert parse(0, stamp + b" stdout F")[2:] == (False, False, b"")
        assert parse(0, stamp + b" stdout P:x text")[2:] == (False, True, b"text")

    @given(st.binary(max_size=200))
    def test_any_bytes_are_a_line(self, text: bytes) -> None:
        assert parse(0, text).offset == 0

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=30))
    def test_both_directions_join_the_same_lines(self, shape: list[tuple[bool, int]]) -> None:
        """A line of each stream in some parts, the parts of the streams one after the other."""
        parts: list[Part] = []
        for is_error, more in shape:
            parts += [Part(len(parts), 1.0, is_error, True, b"p%d " % len(parts)) for _ in range(more)]
            parts.append(Part(len(parts), 1.0, is_error, False, b"f%d" % len(parts)))
        parts = [part._replace(offset=index) for index, part in enumerate(parts)]
        joiner = Joiner()
        forwards = [line for part in parts if (line := joiner.add(part)) is not None]
        assert list(lines_backwards(reversed(parts)))[::-1] == forwards
