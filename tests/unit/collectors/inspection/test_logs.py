"""Logs: windows onto files, onto the engine's log and onto the journal agree with the whole."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.engines import file_log as file_module
from collectors.engines.connections import EngineConnections
from collectors.engines.file_log import FileLog
from collectors.engines.systemd.journal import JournalLog
from collectors.inspection.logs import open_log
from collectors.model.errors import SourceError
from collectors.model.logs import LONGEST, Log, LogLine, clean
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.process import wait_until
from tui.presenters.log_buffer import CAPACITY, CHUNK, FollowQueue, LogBuffer, stamp


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
        ],
    )
    def test_a_line_is_cleaned(self, raw: bytes, shown: str) -> None:
        assert clean(raw) == shown

    @given(st.binary(max_size=300))
    def test_nothing_that_steers_a_terminal_passes(self, raw: bytes) -> None:
        assert not set(clean(raw)) & set("\x1b\x07\x9b\r\n\u202e\u2066")

    def test_a_line_of_a_hundred_kilobytes_is_cut(self) -> None:
        assert len(clean(b"x" * 100_000)) == LONGEST


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
        expected = [clean(line) for line in raw.encode().removesuffix(b"\n").split(b"\n")] if raw else []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_module, "_BLOCK", 256)
            log = FileLog(str(path))
            assert backwards(log, step) == expected
            if expected and raw.endswith("\n"):
                first = log.last(10_000)[0]
                forward, line = [first.text], first
                while newer := log.after(line, step):
                    forward += texts(newer)
                    line = newer[-1]
                assert forward == expected

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
        assert lines[-1].text == "last"
        assert len(lines) >= 2

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
            "\n".join([entry("a", "hello"), entry("b", [104, 105, 27, 91]), entry("c", "bad", "3"), "{torn"]) + "\n"
        )
        lines = JournalLog("ssh.service").last(4)
        assert texts(lines) == ["hello", "hi\N{REPLACEMENT CHARACTER}[", "bad", ""]
        assert [line.is_error for line in lines] == [False, False, True, False]
        assert lines[0].at == 1_700_000_000.0
        assert "--unit=ssh.service --output=json --no-pager --quiet --lines=4" in (journalctl / "words").read_text()

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
        log.close()
        follower.thread.join(30)
        assert not follower.thread.is_alive()
        assert not Path(f"/proc/{pid}").exists()

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
