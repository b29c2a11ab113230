"""`vmtop export --into`: where a session may go, and with which labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.host_recordings import host_frames, record
from tests.unit.tui.cli.test_main import run


@pytest.fixture(name="path")
def a_file(tmp_path: Path) -> str:
    return str(record(tmp_path / "a.vmtop.gz", host_frames("hv01", 5)))


@pytest.mark.parametrize(
    ("into", "words"),
    [
        ("nowhere", "'nowhere' is no URL, no folder (./nowhere makes one), and no server of the configuration"),
        ("http://10.1.2.3:8428", "would be asked over plain HTTP"),
        ("http://user:secret@127.0.0.1:8428", "contains a user or a password"),
        ("ftp://127.0.0.1", "neither http:// nor https://"),
        ("http://127.0.0.1:9", "127.0.0.1:9 cannot be reached: Connection refused; nothing was sent"),
    ],
)
def test_where_a_session_cannot_go_is_one_sentence(path: str, into: str, words: str) -> None:
    result = run("export", path, "--into", into)
    assert result.exit_code in (1, 2)
    assert words in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "label", ["instance=hv01", "id=1", "host=a", "1a=b", "__name__=x", "site", "site=", "a-b=c", "ünder=x"]
)
def test_labels_that_would_mix_series_or_are_none_are_refused(path: str, label: str) -> None:
    result = run("export", path, "--into", "http://127.0.0.1:9", "--label", label)
    assert result.exit_code == 2
    assert "--label" in result.stderr


def test_blocks_need_promtool_and_the_sentence_says_so(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("export", path, "--into", str(tmp_path / "blocks"))
    assert result.exit_code == 1
    assert "promtool, which is not installed here" in result.stderr
    assert not (tmp_path / "blocks").exists()


def test_a_promtool_that_fails_is_quoted_and_leaves_nothing(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    promtool = tmp_path / "bin" / "promtool"
    promtool.write_text("#!/bin/sh\necho 'disk \x1b[31mfull' >&2\nexit 3\n")
    promtool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    result = run("export", path, "--into", str(tmp_path / "blocks"))
    assert result.exit_code == 1
    assert "promtool made no blocks: disk" in result.stderr
    assert "\x1b" not in result.stderr
    assert list((tmp_path / "blocks").iterdir()) == []


@pytest.mark.parametrize("options", [("--metric", "cpu"), ("--format", "csv"), ("-o", "x.csv")])
def test_into_takes_all_metrics_as_they_are(path: str, options: tuple[str, str]) -> None:
    assert run("export", path, "--into", "http://127.0.0.1:9", *options).exit_code == 2
    assert run("export", path, "--label", "a=b").exit_code == 2
