"""The log: it has what the screen could not say, its owner alone can read it, it never grows past a bound."""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.safety import private_file
from tests.helpers.pty_terminal import Terminal
from tests.unit.collectors.safety.test_redact import CANARY
from tui.cli import main, sources
from tui.settings import log_file

log = logging.getLogger("tests.log")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Log everything into a state folder of the test's own; give the file."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with log_file.taking():
        log_file.keep_all()
        yield tmp_path / "vmtop" / "vmtop.log"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_can_read_it(kept: Path) -> None:
    before = os.umask(0)
    try:
        log.info("the first line")
    finally:
        os.umask(before)
    assert (mode(kept), mode(kept.parent)) == (0o600, 0o700)
    kept.chmod(0o644)
    log.info("the second line")
    assert mode(kept) == 0o600
    assert [line.split("tests.log ")[1] for line in kept.read_text().splitlines()] == [
        "the first line",
        "the second line",
    ]


def test_it_never_grows_past_its_bound(kept: Path) -> None:
    for _ in range(40):
        log.warning("%s", "\n".join(["x" * 999] * 100))
    sizes = [path.stat().st_size for path in kept.parent.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < private_file.LARGEST + 110_000
    assert {mode(path) for path in kept.parent.iterdir()} == {0o600}


def test_a_link_in_its_place_is_not_followed(kept: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    kept.parent.mkdir()
    kept.symlink_to(victim)
    log.error("a line")
    assert victim.read_text() == "precious"
    assert "cannot be written" in log_file.FILE.reference


def test_secrets_are_masked_and_nothing_in_it_steers_a_terminal(kept: Path) -> None:
    log.warning("tcp://me:%s@far refused --password %s TOKEN=%s", *[CANARY] * 3)
    log.warning('{"password": "%s", "Authorization": "Bearer %s"} Cookie: %s', *[CANARY] * 3)
    log.warning("a name \x1b]52;c;x\x07 \x9b2J\nsecond line")
    text = kept.read_text()
    assert CANARY not in text
    assert text.count("***") == 6
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert "second line" in text


def test_an_error_in_a_traceback_stays_readable(kept: Path) -> None:
    try:
        raise ValueError("the tokens are: three")
    except ValueError:
        log.exception("it failed")
    text = kept.read_text()
    assert "Traceback" in text
    assert "ValueError: the tokens are: three" in text


def test_what_a_thread_raises_is_in_it_and_not_on_the_terminal(kept: Path, capfd: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=lambda: 1 / 0, name="doomed")
    thread.start()
    thread.join()
    assert "the thread doomed failed" in kept.read_text()
    assert "ZeroDivisionError" in kept.read_text()
    assert capfd.readouterr().err == ""


@pytest.mark.timeout(60)
def test_a_library_that_floods_standard_error_waits_for_no_one(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_drain", lambda reading: None)
    with log_file.stderr_in_log():
        for _ in range(100):
            with suppress(BlockingIOError):
                os.write(2, b"x" * 65536)


def test_what_libraries_print_while_the_screen_is_up_goes_to_it(tmp_path: Path) -> None:
    fault = (
        "import os\nfrom tui.screens.workloads.live import LiveListScreen\n"
        f"LiveListScreen.action_reverse = lambda self: os.write(2, b'libnoise: warning, password={CANARY}\\n')\n"
        "from tui.cli.main import main\nmain(['demo', '--workloads', '5'])\n"
    )
    terminal = Terminal([sys.executable, "-c", fault], environment={"XDG_STATE_HOME": str(tmp_path)})
    path = tmp_path / "vmtop" / "vmtop.log"
    try:
        terminal.wait_for(lambda: "db-primary" in terminal.text(), 20, "the fleet")
        terminal.press("r")
        terminal.wait_for(path.exists, 10, "the log")
        terminal.press("q")
        assert terminal.wait_exit(10) == 0
    finally:
        terminal.close()
    assert "on standard error: libnoise: warning, password=***" in path.read_text()
    assert b"libnoise" not in terminal.received


def test_a_failure_that_no_one_foresaw_is_a_sentence_and_the_log_has_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(sources, "specs", fail)
    path = tmp_path / "the.log"
    done = CliRunner().invoke(main.main, ["list", "--log", str(path)])
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("vmtop: unexpected error")
    assert f"RuntimeError: no such luck; {path} has more" in done.stderr
    assert "Traceback" in path.read_text()
    assert mode(path) == 0o600


@pytest.mark.parametrize("place", ["missing/the.log", "."])
def test_a_log_that_cannot_be_written_is_refused_at_once(tmp_path: Path, place: str) -> None:
    done = CliRunner().invoke(main.main, ["list", "--log", str(tmp_path / place)])
    assert done.exit_code == 2
    assert f"the log {tmp_path / place} cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_tells_which_sources_were_lost(tmp_path: Path) -> None:
    path = tmp_path / "the.log"
    place = f"unix://{tmp_path}/none.sock"
    done = CliRunner().invoke(main.main, ["list", "--log", str(path)], env={"DOCKER_HOST": place})
    assert done.exit_code == 0
    assert "no Docker socket at" in path.read_text()
