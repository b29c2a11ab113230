"""Logs: windows onto files, onto the engine's log and onto the journal agree with the whole."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.engines import file_log, line_starts
from collectors.engines.connections import EngineConnections
from collectors.engines.file_log import FileLog
from collectors.engines.line_splitter import LineSplitter
from collectors.engines.systemd.journal import JournalLog
from collectors.inspection.logs import open_log
from collectors.model.errors import SourceError
from collectors.model.logs import AT_ONCE, LONGEST, Log, LogLine, clean, first_lines, last_lines
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.process import wait_until
from tests.helpers.process_identity import start_of, wait_until_reaped
from tui.presenters.logs.buffer import CAPACITY, CHUNK, MOST_CHARACTERS, FollowQueue, LogBuffer
from tui.presenters.logs.line import stamp


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


def backwards(log: Log, step: int) -> list[str]:
    """Read a whole log from its end, a step at a time."""
    lines = log.last(step)
    while older := log.before(lines[0], step) if lines else []:
        lines = older + lines
    return texts(lines)


class Follower:
    """Follows a log on a thread."""

    def __init__(self, log: Log, line: LogLine | None) -> None:
        self.lines: list[str] = []
        self.thread = threading.Thread(target=self._run, args=(log, line), daemon=True)
        self.thread.start()

    def _run(self, log: Log, line: LogLine | None) -> None:
        for one in log.follow(line):
            self.lines.append(one.text)

    def wait(self, text: str) -> None:
        wait_until(lambda: text in self.lines, 15, text)


class TestLines:
    @pytest.mark.parametrize(
        ("raw", "shown"),
        [
            (b"plain\n", "plain"),
            (b"tab\there", "tab    here"),
            (b"10%\r50%\r100%\r\n", "100%"),
            (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
            (b"\x1b[31mred\x1b[0m plain\n", "red plain"),
            (b"\x1b[1;38;5;208mbold\x1b[m \x1b[38:2::1:2:3mtrue\x1b[0m", "bold true"),
            (b"\xc2\x9b32mC1\xc2\x9b0m", "C1"),
            (b"\x1b[01;31m\x1b[Kgrep\x1b[m\x1b[K found", "grep found"),
            (b"\x1b[4mtput\x1b(B\x1b[m", "tput"),
            (b"10%\r\x1b[K\x1b[32m100%\x1b[0m\r\n", "100%"),
            (b"cut \x1b[38;5;2", "cut "),
            (b"\x1b[2Jcleared \x1b[10;1Hmoved", "\ufffd[2Jcleared \ufffd[10;1Hmoved"),
            (b"\x1b]0;title\x07 \x1b[?25l", "\ufffd]0;title\ufffd \ufffd[?25l"),
        ],
    )
    def test_a_line_is_cleaned(self, raw: bytes, shown: str) -> None:
        assert clean(raw)[0] == shown

    @given(st.binary(max_size=300))
    def test_nothing_that_steers_a_terminal_passes(self, raw: bytes) -> None:
        assert not set(clean(raw)[0]) & set("\x1b\x07\x9b\r\n\u202e\u2066")

    def test_a_line_of_a_hundred_kilobytes_is_cut(self) -> None:
        assert clean(b"x" * 100_000)[0] == "x" * (LONGEST - 1) + "…"

    @pytest.mark.parametrize("letter", ["x", "ж", "水"])
    def test_a_line_within_the_bound_is_whole(self, letter: str) -> None:
        line = letter * (LONGEST - 3) + "END"
        assert clean(line.encode())[0] == line

    def test_a_chunk_of_lines_is_bounded_by_lines_and_by_characters(self) -> None:
        short = [LogLine(n, None, False, "x") for n in range(20)]
        assert (first_lines(short, 7), last_lines(short, 7)) == (short[:7], short[-7:])
        long = [LogLine(n, None, False, "x" * (AT_ONCE // 2 + 1)) for n in range(20)]
        assert (first_lines(long, 7), last_lines(long, 7)) == (long[:2], long[-1:])


class TestSplitter:
    @given(st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b""))), st.data())
    def test_lines_are_the_same_however_the_stream_is_cut(self, lines: list[bytes], data: st.DataObject) -> None:
        stream = b"".join(line + b"\n" for line in lines) + b"rest"
        cuts = sorted({0, len(stream), *data.draw(st.lists(st.integers(0, len(stream)), max_size=8))})
        splitter = LineSplitter()
        given_lines = [found for start, end in pairwise(cuts) for found in splitter.feed(stream[start:end])]
        assert [raw for _, raw in given_lines] == lines
        assert all(stream[start : start + len(raw) + 1] == raw + b"\n" for start, raw in given_lines)
        assert (splitter.rest, splitter.offset) == (b"rest", len(stream))

    def test_of_a_line_without_end_the_beginning_is_given_once_and_nothing_is_piled_up(self) -> None:
        splitter = LineSplitter(longest=10)
        assert [found for _ in range(1000) for found in splitter.feed(b"xyz")] == [(0, b"xyzxyzxyzx")]
        assert len(splitter.rest) == 10
        assert list(splitter.feed(b"end\nnext\n")) == [(3004, b"next")]


class TestWindow:
    def lines(self, first: int, count: int) -> list[LogLine]:
        return [LogLine(number, None, False, f"line {number}") for number in range(first, first + count)]

    def test_it_never_holds_more_than_its_capacity(self) -> None:
        window = LogBuffer()
        window.start(self.lines(10_000, CHUNK))
        for start in range(9000, 0, -CHUNK):
            window.prepend(self.lines(start, CHUNK))
            assert len(window.lines) <= CAPACITY
        assert window.has_newer
        assert window.lines[0].text == "line 1000"
        window.append(self.lines(20_000, CAPACITY))
        assert len(window.lines) == CAPACITY
        assert window.lines[-1].text == f"line {20_000 + CAPACITY - 1}"

    def test_long_lines_count_for_more(self) -> None:
        window = LogBuffer()
        window.start(self.lines(0, 10))
        long = [LogLine(number, None, False, "x" * (MOST_CHARACTERS // 4)) for number in range(9)]
        assert window.append(long) == 10 + 5
        assert (window.lines, window.has_older) == (long[5:], True)
        window.prepend(long[:5])
        assert (window.lines, window.has_newer) == (long[:4], True)
        inbox = FollowQueue()
        for line in long:
            inbox.put(line)
        assert texts(inbox.take())[0] == "... 5 lines came too fast to be shown"

    def test_a_flood_keeps_the_newest_and_tells_how_many_were_skipped(self) -> None:
        inbox = FollowQueue(10)
        for line in self.lines(0, 35):
            inbox.put(line)
        taken = inbox.take()
        assert texts(taken) == ["... 25 lines came too fast to be shown", *(f"line {n}" for n in range(25, 35))]
        assert inbox.take() == []

    def test_times_are_local_or_utc(self) -> None:
        assert stamp(0.25, "utc") == "1970-01-01 00:00:00.250Z"
        assert stamp(None, "utc").strip("-") == ""


class TestFile:
    @given(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30), max_size=60),
        st.booleans(),
        st.integers(1, 12),
    )
    @settings(max_examples=80)
    def test_windows_agree_with_the_whole_file(
        self, tmp_path_factory: pytest.TempPathFactory, lines: list[str], has_end: bool, step: int
    ) -> None:
        lines = [line.replace("\x85", "").replace("\u2028", "").replace("\u2029", "") for line in lines]
        raw = "\n".join(lines) + ("\n" if has_end and lines else "")
        path = tmp_path_factory.mktemp("log") / "x.log"
        path.write_text(raw, newline="")
        expected = [clean(line)[0] for line in raw.encode().removesuffix(b"\n").split(b"\n")] if raw else []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_log, "_BLOCK", 256)
            log = FileLog(str(path))
            assert backwards(log, step) == expected
            if expected and raw.endswith("\n"):
                first = log.last(10_000)[0]
                forward, line = [first.text], first
                while newer := log.after(line, step):
                    forward += texts(newer)
                    line = newer[-1]
                assert forward == expected

    def test_a_long_line_is_whole_whichever_way_it_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        long = ["first" + "x" * 40_000 + "END", "second" + "y" * 300_000 + "END", "last"]
        path.write_text("top\n")
        log = FileLog(str(path))
        top = log.last(1)[0]
        follower = Follower(log, top)
        with path.open("a") as file:
            file.write("\n".join(long) + "\n")
        shown = [long[0], long[1][: LONGEST - 1] + "…", "last"]
        follower.wait("last")
        log.close()
        assert follower.lines == shown
        assert texts(log.after(top, 10)) == shown
        assert backwards(log, 1) == backwards(log, 10) == ["top", *shown]

    def test_it_is_followed_through_writing_cutting_and_rotation(self, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        path.write_text("old\n")
        log = FileLog(str(path))
        follower = Follower(log, log.last(1)[-1])
        with path.open("a") as file:
            file.write("one\n")
        follower.wait("one")
        path.write_text("cut\n")
        follower.wait("cut")
        path.rename(tmp_path / "x.log.1")
        path.write_text("rotated\n")
        follower.wait("rotated")
        log.close()
        follower.thread.join(30)
        assert not follower.thread.is_alive()
        assert "old" not in follower.lines

    def test_another_follower_takes_over_from_the_first(self, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        path.write_text("")
        log = FileLog(str(path))
        first = Follower(log, None)
        time.sleep(0.1)
        second = Follower(log, None)
        first.thread.join(30)
        assert not first.thread.is_alive()
        with path.open("a") as file:
            file.write("news\n")
        second.wait("news")
        log.close()
        assert first.lines == []

    def test_a_line_of_megabytes_hides_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        path.write_bytes(b"first\n" + b"x" * 6_000_000 + b"\nlast\n")
        lines = FileLog(str(path)).last(1000)
        assert texts(lines) == ["first", "x" * (LONGEST - 1) + "…", "last"]

    def test_a_line_too_long_to_search_for_its_beginning_is_read_in_pieces(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(line_starts, "_FARTHEST", 200_000)
        path = tmp_path / "x.log"
        path.write_bytes(b"first\n" + b"x" * 1_000_000 + b"\nlast\n")
        log = FileLog(str(path))
        found = backwards(log, 2)
        assert (found[0], found[-1]) == ("first", "last")
        assert set("".join(found[1:-1])) == {"x", "…"}

    def test_positions_of_a_rotated_file_mean_nothing_in_the_next(self, tmp_path: Path) -> None:
        path = tmp_path / "x.log"
        path.write_text("old 1\nold 2\n")
        log = FileLog(str(path))
        old = log.last(1)[-1]
        follower = Follower(log, old)
        path.rename(tmp_path / "x.log.1")
        path.write_text("new\n" * 50)
        follower.wait("new")
        assert log.before(old, 10) == []
        log.close()

    def test_what_is_no_regular_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "target").write_text("secret\n")
        (tmp_path / "link").symlink_to(tmp_path / "target")
        os.mkfifo(tmp_path / "fifo")
        for name in ("link", "fifo", ".", "nosuch"):
            with pytest.raises(SourceError) as caught:
                FileLog(str(tmp_path / name))
            assert str(tmp_path) in caught.value.reason


@pytest.fixture
def journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program called journalctl in front that notes its words and prints what the test wrote."""
    program = tmp_path / "journalctl"
    program.write_text(
        f'#!/bin/sh\necho "$@" >>{tmp_path}/words\ncat {tmp_path}/says\n'
        f'case "$*" in *--follow*) echo $$ >{tmp_path}/pid; exec sleep 100;; esac\n'
        f"cat {tmp_path}/error >&2 2>/dev/null && exit 1\nexit 0\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def entry(cursor: str, message: object, priority: str = "6") -> str:
    return json.dumps({
        "__CURSOR": cursor, "__REALTIME_TIMESTAMP": "1700000000000000", "MESSAGE": message, "PRIORITY": priority
    })  # fmt: skip


class TestJournal:
    """The journal's files need systemd's own reader; a program in its place shows how it is called."""

    def test_entries_become_lines(self, journalctl: Path) -> None:
        (journalctl / "says").write_text(
            "\n".join([entry("a", "hello"), entry("b", [104, 105, 27, 93]), entry("c", "bad", "3"), "{torn"]) + "\n"
        )
        lines = JournalLog("ssh.service").last(4)
        assert texts(lines) == ["hello", "hi\N{REPLACEMENT CHARACTER}]", "bad"]
        assert [line.is_error for line in lines] == [False, False, True]
        assert lines[0].at == 1_700_000_000.0
        assert "--unit=ssh.service --output=json" in (journalctl / "words").read_text()
        assert "--no-pager --quiet --lines=4" in (journalctl / "words").read_text()

    def test_colours_and_long_messages_come_through(self, journalctl: Path) -> None:
        coloured = list(b"\x1b[33mcareful\x1b[0m " + b"x" * 40_000 + b"END")
        (journalctl / "says").write_text(entry("a", coloured) + "\n" + entry("b", "y" * 40_000) + "\n")
        assert texts(JournalLog("ssh.service").last(2)) == ["careful " + "x" * 40_000 + "END", "y" * 40_000]
        assert "--all" in (journalctl / "words").read_text(), "without it a long message is null"

    def test_an_entry_beyond_all_bounds_is_one_line_and_the_next_is_read(self, journalctl: Path) -> None:
        (journalctl / "says").write_text(entry("a", "x" * 5_000_000) + "\n" + entry("b", "next") + "\n")
        lines = JournalLog("ssh.service").last(2)
        assert [line.position for line in lines] == ["a", "b"]
        assert "cannot be shown" in lines[0].text
        assert lines[1].text == "next"

    @pytest.mark.parametrize(
        ("engine", "path", "match"),
        [
            ("systemd", "/system.slice/x.service", "--unit=x.service --output"),
            (
                "systemd-user",
                "/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
                "_SYSTEMD_USER_UNIT=x.service _UID=1000 + USER_UNIT=x.service _UID=1000 --output",
            ),
        ],
    )
    def test_a_users_unit_is_not_taken_for_the_systems_of_that_name(
        self, engine: str, path: str, match: str, journalctl: Path
    ) -> None:
        (journalctl / "says").write_text("")
        workload = Workload(WorkloadId(engine, path), Kind.SERVICE, "x.service", State.RUNNING)
        open_log(workload, EngineConnections([])).last(1)
        assert match in (journalctl / "words").read_text()

    def test_older_lines_are_asked_for_by_the_cursor(self, journalctl: Path) -> None:
        (journalctl / "says").write_text("\n".join([entry("c", "3"), entry("b", "2"), entry("a", "1")]) + "\n")
        older = JournalLog("ssh.service").before(LogLine("c", None, False, "3"), 2)
        assert texts(older) == ["1", "2"]
        assert "--cursor=c --reverse --lines=3" in (journalctl / "words").read_text()

    def test_a_follower_ends_with_its_child(self, journalctl: Path) -> None:
        (journalctl / "says").write_text(entry("a", "now") + "\n")
        log = JournalLog("ssh.service")
        follower = Follower(log, None)
        follower.wait("now")
        told = journalctl / "pid"
        wait_until(lambda: told.exists() and bool(told.read_text()), 20, "the child's id")
        pid = int(told.read_text())
        started = start_of(pid)
        log.close()
        follower.thread.join(30)
        assert not follower.thread.is_alive()
        wait_until_reaped(pid, started)

    def test_closing_leaves_no_child_however_many_followed(self, journalctl: Path) -> None:
        (journalctl / "says").write_text(entry("a", "now") + "\n")
        log = JournalLog("ssh.service")
        followers = []
        for _ in range(3):
            followers.append(Follower(log, None))
            followers[-1].wait("now")
        log.close()
        followers.append(Follower(log, None))  # one that begins just after the end
        for follower in followers:
            follower.thread.join(30)
            assert not follower.thread.is_alive()

    def test_a_refusal_is_a_sentence_with_the_remedy(self, journalctl: Path) -> None:
        (journalctl / "says").write_text("")
        (journalctl / "error").write_text("No journal files were opened due to insufficient permissions.")
        with pytest.raises(SourceError) as caught:
            JournalLog("ssh.service").last(1)
        assert "insufficient permissions" in caught.value.reason
        assert "systemd-journal" in caught.value.remedy

    @pytest.mark.parametrize("unit", ["x", "--follow.service ", "a b.service", "x.service\n", "$(id).service"])
    def test_what_is_no_unit_is_never_passed_on(self, unit: str, journalctl: Path) -> None:
        with pytest.raises(SourceError):
            JournalLog(unit)
        assert not (journalctl / "words").exists()
