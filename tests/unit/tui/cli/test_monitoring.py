"""`vmtop monitoring DIR`: all files or none, and none that somebody has changed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui.cli.main import main
from tui.presenters.monitoring.files import monitoring_files


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["monitoring", *map(str, words)])


def test_all_files_are_written_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    done = run(folder)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [str(folder / path) for path in monitoring_files()]
    for path, text in monitoring_files().items():
        assert (folder / path).read_text() == text
        assert stat.S_IMODE((folder / path).stat().st_mode) == 0o644


def test_a_second_run_changes_nothing_and_is_no_error(tmp_path: Path) -> None:
    assert run(tmp_path).exit_code == 0
    assert run(tmp_path).exit_code == 0


def test_what_somebody_has_changed_is_kept_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "vmtop.alerts.yml").write_text("groups: []\n")
    done = run(tmp_path)
    assert done.exit_code == 1
    assert "vmtop.alerts.yml has been changed; --force overwrites" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["vmtop.alerts.yml"]
    assert (tmp_path / "vmtop.alerts.yml").read_text() == "groups: []\n"
    assert run(tmp_path, "--force").exit_code == 0
    assert "VmtopHostDown" in (tmp_path / "vmtop.alerts.yml").read_text()


@pytest.mark.parametrize("target", ["hv01", "hv01:", ":9922", "hv01:0", "hv01:99999", "a b:1", "hv01:9922\n", "a'b:1"])
def test_what_is_no_address_is_refused(tmp_path: Path, target: str) -> None:
    done = run(tmp_path, "--target", target)
    assert done.exit_code == 2
    assert "no HOST:PORT" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", ["hv01:9922", "10.0.0.1:9922", "[::1]:9922", "hv-01.example.org:80"])
def test_addresses_of_all_forms_are_taken(tmp_path: Path, target: str) -> None:
    assert run(tmp_path, "--target", target).exit_code == 0
    assert f'- targets: ["{target}"]' in (tmp_path / "scrape.yml").read_text()


def test_a_folder_that_cannot_be_made_is_one_sentence() -> None:
    done = run("/proc/none")
    assert done.exit_code == 1
    assert done.stderr.startswith("vmtop: cannot write to /proc/none: ")
