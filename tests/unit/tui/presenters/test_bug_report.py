"""`vmtop doctor --report`: it has all that a report of a fault needs, and neither a secret nor a name."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.collectors.safety.test_redact import CANARY
from tui.cli import main, sources

NAME = "db-primary"
"""A workload of the demo fleet."""


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Plant secrets and names wherever a report reads; give the folder for reports."""
    monkeypatch.setattr(sources, "specs", lambda *_: sources.demo(20, 7))
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"tcp://me:{CANARY}@far:2376")
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", f"qemu+ssh://me:{CANARY}@far/system?password={CANARY}")
    monkeypatch.setenv("API_TOKEN", CANARY)
    monkeypatch.setenv("SSH_CONNECTION", "198.51.100.7 50000 198.51.100.8 22")
    monkeypatch.setenv("TERM", "evil\x1b]52;c;x\x07term")
    folder = tmp_path / "vmtop"
    folder.mkdir()
    (folder / "config.toml").write_text(f'read_only = false\n[actions]\nallow_protected = ["container:{NAME}"]\n')
    (folder / "vmtop.log").write_text(
        f"docker said {{'Authorization': 'Bearer {CANARY}'}}\nrestart {NAME} --token {CANARY}\nthe end of it\x1b[2J\n"
    )
    return tmp_path


def report(*arguments: str) -> Result:
    return CliRunner().invoke(main.main, ["doctor", "--report", *arguments], prog_name="vmtop")


def test_it_has_what_a_report_of_a_fault_needs() -> None:
    done = report()
    assert done.exit_code == 0, done.output
    for part in (
        *("vmtop  ", "python", "textual", "ok       demo", "## kernel", "Linux version", "## cgroup mounts"),
        *("DOCKER_HOST=tcp://***@far:2376", "SSH_CONNECTION=(set)", "(1 names)", "read_only = false"),
        *("  vm by ", "vmtop.log", "the end of it"),
    ):
        assert part in done.stdout


@pytest.mark.parametrize("arguments", [[], ["--with-names"]])
def test_no_secret_and_nothing_that_steers_a_terminal_is_in_it(arguments: list[str]) -> None:
    text = report(*arguments).stdout
    assert CANARY not in text
    assert "198.51.100" not in text
    assert {character for character in text if not character.isprintable()} == {"\n"}
    assert "evil" in text


def test_workloads_are_counted_and_named_only_when_asked_for() -> None:
    assert NAME not in report().stdout
    assert "restart (a workload)" in report().stdout
    named = report("--with-names").stdout
    assert f"vm {NAME}" in named
    assert f"restart {NAME}" in named
    assert f"container:{NAME}" in named


def test_a_file_is_its_owners_alone_and_nothing_is_overwritten(surroundings: Path) -> None:
    target = surroundings / "report.txt"
    done = report(str(target))
    assert (done.exit_code, done.stdout) == (0, "")
    assert "read it before you pass it on" in done.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "## kernel" in target.read_text()
    target.write_text("precious")
    again = report(str(target))
    assert (again.exit_code, again.stderr.count("\n"), target.read_text()) == (1, 1, "precious")
    assert report(str(target), "--force").exit_code == 0
    assert "## kernel" in target.read_text()


def test_a_link_in_the_files_place_is_not_followed(surroundings: Path) -> None:
    victim = surroundings / "victim"
    victim.write_text("precious")
    (surroundings / "report.txt").symlink_to(victim)
    assert report(str(surroundings / "report.txt"), "--force").exit_code == 1
    assert victim.read_text() == "precious"


def test_a_broken_configuration_is_told_in_its_place(surroundings: Path) -> None:
    (surroundings / "vmtop" / "config.toml").write_text("read_only = maybe")
    done = report()
    assert done.exit_code == 0
    assert "is not TOML" in done.stdout


@pytest.mark.parametrize("option", ["--with-names", "--force"])
def test_what_goes_with_a_report_is_refused_without_one(option: str) -> None:
    done = CliRunner().invoke(main.main, ["doctor", option])
    assert done.exit_code == 2
    assert "need --report" in done.stderr
