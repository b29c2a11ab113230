"""`vmtop record`: however it ends, the file is complete."""

from __future__ import annotations

import gzip
import signal
import subprocess
import time
from pathlib import Path

import pytest

from collectors.alerts.rule import Level
from collectors.alerts.told import Told, told
from collectors.session.reader import Session
from tests.helpers.lab.process import wait_until
from tests.terminal.test_sessions import frames_of
from tests.unit.collectors.session.test_session_file import read
from tests.unit.tui.cli.test_main import FLEET_COMMAND, run


def recording(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*FLEET_COMMAND, "record", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def has_frames(path: Path, count: int = 3) -> bool:
    return frames_of(path) >= count


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_however_a_recording_ends_the_file_is_whole(number: signal.Signals, code: int, tmp_path: Path) -> None:
    path = tmp_path / "a.vmtop.gz"
    process = recording(str(path), "--interval", "0.2")
    wait_until(lambda: has_frames(path), 20, "three frames")
    process.send_signal(number)
    _, words = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in words
    gzip.decompress(path.read_bytes())
    session = Session([path])
    assert not any(session.part(index).problem for index in range(len(session.members)))
    assert session.members[-1].member.is_closed == (number != signal.SIGKILL)
    session.close()


def test_killed_at_any_moment_no_frame_that_was_there_is_lost(tmp_path: Path) -> None:
    for turn in range(5):
        path = tmp_path / f"{turn}.vmtop.gz"
        process = recording(str(path), "--interval", "0.2")
        wait_until(lambda path=path: has_frames(path), 20, "three frames")  # type: ignore[misc]
        time.sleep(0.037 * turn)
        before = frames_of(path)
        process.kill()
        process.communicate(timeout=60)
        assert len(read(path)) >= before
        gzip.decompress(path.read_bytes())


def test_a_recording_ends_when_its_time_is_up_and_into_a_pipe(tmp_path: Path) -> None:
    process = recording("-", "--interval", "0.2", "--duration", "1s")
    data, words = process.communicate(timeout=30)
    assert process.returncode == 0
    (tmp_path / "a.vmtop.gz").write_bytes(data)
    assert 1 <= len(read(tmp_path / "a.vmtop.gz")) <= 9
    assert b"standard output" in words


def test_a_pipe_that_closes_ends_the_recording(tmp_path: Path) -> None:
    process = recording("-", "--interval", "0.2")
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(20) == 1
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("taken.gz",), "taken.gz already exists: choose another name, or --force"),
        (("none/a.gz",), "No such file or directory"),
        (("link.gz",), "symbolic link"),
        (("link.gz", "--force"), "symbolic link"),
        (("a.gz", "--keep", "3"), "--keep needs"),
        (("a.gz", "--rotate-size", "lots"), "not a size"),
        (("a.gz", "--duration", "soon"), "invalid duration"),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.gz").write_text("precious")
    Path("link.gz").symlink_to("taken.gz")
    told = run("record", *arguments)
    assert told.exit_code in (1, 2)
    assert words in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert Path("taken.gz").read_text() == "precious"


def test_for_another_host_it_obeys_its_input_and_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "config.toml").write_text('[record]\nrotate_size = "1M"\nkeep = 3\nduration = "1s"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    process = subprocess.Popen(
        [*FLEET_COMMAND, "record", "-", "--control", "--interval", "0.2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    data = process.stdout.read1(1 << 20)  # type: ignore[attr-defined]
    process.stdin.write(b"interval 0.4\nreboot now\n")
    process.stdin.flush()
    time.sleep(2)
    assert process.poll() is None
    rest, words = process.communicate(timeout=60)
    assert (process.returncode, words) == (0, b"")
    (tmp_path / "a.vmtop.gz").write_bytes(data + rest)
    assert read(tmp_path / "a.vmtop.gz")[-1].interval_s == 0.4


def test_commands_are_for_standard_output_only(tmp_path: Path) -> None:
    done = run("record", str(tmp_path / "a.vmtop.gz"), "--control")
    assert done.exit_code == 2
    assert "--control is for '-'" in done.stderr


def test_alerts_are_events_of_the_recording_by_the_rules_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "config" / "vmtop"
    folder.mkdir(parents=True)
    off = '[[alerts]]\nname = "unhealthy"\non = false\n'
    (folder / "config.toml").write_text(
        f'{off}[[alerts]]\nname = "seen"\nwhen = "name~^nginx"\nlevel = "info"\ntext = "it is there"\n'
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "a.vmtop.gz"
    process = recording(str(path), "--interval", "0.2")
    wait_until(lambda: bool(alerts_in(path)), 30, "the alert")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    (alert,) = alerts_in(path)
    assert (alert.rule, alert.level, alert.sentence, alert.ended_wall) == ("seen", Level.INFO, "it is there", None)
    assert alert.name.startswith("nginx")


def alerts_in(path: Path) -> list[Told]:
    return told(event for frame in read(path) for event in frame.events) if has_frames(path, 1) else []
