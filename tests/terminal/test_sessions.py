"""Sessions in a real terminal: record, snapshot, back in time, replay, and an end at any moment."""

from __future__ import annotations

import gzip
import os
import signal
import zlib
from pathlib import Path

import pytest

from collectors.session.reader import Session
from tests.helpers.pty_terminal import Start, Terminal
from tests.unit.collectors.session.test_session_file import read

PACE = 0.4
"""Seconds after a key: the next one must find the screen it is for."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder of one's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def frames_of(path: Path) -> int:
    """Count the frames of a file; 0 if there is none, or a frame is being written."""
    try:
        return gzip.decompress(path.read_bytes()).count(b'{"k":"frame"')
    except (OSError, EOFError, zlib.error):
        return 0


def key(terminal: Terminal, keys: str) -> None:
    terminal.press(keys)
    terminal.read(PACE)


def is_whole(path: Path) -> bool:
    session = Session([path])
    try:
        return not any(session.part(index).problem for index in range(len(session.members)))
    finally:
        session.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143)])
def test_a_signal_while_recording_leaves_a_whole_file_and_no_spool(
    start: Start, number: signal.Signals, code: int, tmp_path: Path
) -> None:
    path = tmp_path / "rec.vmtop.gz"
    terminal = start("demo", "--workloads", "10", "--record", str(path), "--interval", "0.2")
    terminal.wait_for(lambda: frames_of(path) > 5 and "REC" in terminal.text(), 20, "frames in the file")
    assert list((tmp_path / "state" / "vmtop" / "spool").iterdir())
    os.kill(terminal.pid, number)
    assert terminal.wait_exit() == code
    assert is_whole(path)
    assert len(read(path)) > 5
    assert not list((tmp_path / "state" / "vmtop" / "spool").iterdir())


def test_a_file_in_the_way_is_told_before_the_screen_starts(start: Start, tmp_path: Path) -> None:
    (tmp_path / "rec.vmtop.gz").write_text("precious")
    terminal = start("demo", "--record", "rec.vmtop.gz")
    assert terminal.wait_exit() == 1
    terminal.read(0.2)
    assert "rec.vmtop.gz already exists" in terminal.text()
    assert b"\x1b[?1049h" not in terminal.received
    assert not list((tmp_path / "state" / "vmtop" / "spool").iterdir())


@pytest.mark.slow
def test_snapshot_back_in_time_and_replay_by_hand(start: Start, tmp_path: Path) -> None:
    terminal = start("demo", "--workloads", "20", "--interval", "0.2")
    terminal.wait_for(lambda: "db-primary" in terminal.text(), 20, "the fleet")
    terminal.read(3)
    key(terminal, "T")
    terminal.wait_for(lambda: "PAST" in terminal.text(), 20, "the past")
    key(terminal, "\x1b[H")
    terminal.wait_for(lambda: " 1 of " in terminal.text(), 20, "the first frame")
    key(terminal, "\x1b[C")
    terminal.wait_for(lambda: " 2 of " in terminal.text(), 20, "the second frame")
    key(terminal, "\x1b[F")
    terminal.wait_for(lambda: "DEMO" in terminal.text(), 20, "now again")
    key(terminal, "S")
    terminal.wait_for(lambda: "Save the session so far" in terminal.text(), 20, "the question")
    key(terminal, "\x15")
    key(terminal, "kept.vmtop.gz")
    key(terminal, "\r")
    terminal.wait_for(lambda: "vmtop replay kept.vmtop.gz" in terminal.text(), 20, "the notification")
    key(terminal, "q")
    assert terminal.wait_exit() == 0
    count = len(read(tmp_path / "kept.vmtop.gz"))
    assert count > 10
    again = start("replay", "kept.vmtop.gz", "--at", "end")
    again.wait_for(lambda: f"{count} of {count}" in again.text(), 20, "the last frame")
    key(again, "T")
    again.wait_for(lambda: f"{count - 1} of {count}" in again.text(), 20, "the one before")
    key(again, "b")
    key(again, "start")
    key(again, "\r")
    again.wait_for(lambda: f" 1 of {count}" in again.text(), 20, "the first frame")
    key(again, " ")
    again.wait_for(lambda: f" {count} of {count}" in again.text(), 60, "the end, by playing")
    key(again, "x")
    assert "of" in again.text(), "nothing happens: there is no menu of actions in a replay"
    assert "Cancel" not in again.text()
    key(again, "q")
    assert again.wait_exit() == 0


def test_a_damaged_or_foreign_file_is_one_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "foreign.gz").write_bytes(b"hello")
    terminal = start("replay", "foreign.gz")
    assert terminal.wait_exit() == 1
    terminal.read(0.2)
    assert "foreign.gz is not a vmtop session" in terminal.text()
    assert "Traceback" not in terminal.text()
