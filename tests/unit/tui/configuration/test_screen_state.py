"""What the screen remembers: kept for its owner alone, and never believed when it cannot be."""

from __future__ import annotations

import logging
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.deep_toml import DEEP_TOML
from tui.configuration.screen_state import ScreenState, load, save, state_file
from tui.configuration.settings_table import REMEMBERED

LAYOUT = {
    "screen.sort": "memory_host_bytes",
    "screen.reverse": True,
    "screen.columns": ("name", "cpu_percent", "spark:cpu_percent", "uptime"),
    "screen.interval": 2.5,
    "screen.tree": True,
    "screen.scale": "limit",
    "screen.only": "vm",
}


def test_what_was_saved_comes_back_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "vmtop" / "screen.toml"
    save(ScreenState(dict(LAYOUT), {"left": 2}), path)
    assert load(path) == ScreenState(LAYOUT, {"left": 2})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["screen.toml"]


def test_defaults_are_not_written_so_that_later_defaults_apply(tmp_path: Path) -> None:
    path = tmp_path / "screen.toml"
    save(ScreenState({setting.name: setting.default for setting in REMEMBERED}), path)
    assert path.read_text().splitlines()[1:] == ["[screen]"]


def test_it_is_written_in_the_words_of_the_configuration(tmp_path: Path) -> None:
    save(ScreenState(dict(LAYOUT)), tmp_path / "screen.toml")
    text = (tmp_path / "screen.toml").read_text()
    assert 'sort = "mem"' in text
    assert 'columns = ["name", "cpu", "history:cpu", "uptime"]' in text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('[screen]\nsort = "nothing"\ntree = true\n', {"screen.tree": True}),
        ('[screen]\ncolumns = ["name", "no-such"]\nreverse = 1\nonly = "vm"\n', {"screen.only": "vm"}),
        ("[screen]\ninterval = 0.0001\n", {}),
        ("[screen]\nread_only = false\nallow_protected = ['x']\n", {}),
        ("screen = 3\nhints = [1]\n", {}),
        ("[hints]\nleft = 'x'\nright = true\n", {}),
        ("[screen\n", {}),
        ("\0", {}),
        ("#" * 70_000, {}),
        ("a=" + "[" * 50_000, {}),
    ],
)
def test_a_hostile_file_is_ignored_as_far_as_it_is_wrong(
    tmp_path: Path, text: str, values: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "screen.toml"
    path.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert load(path) == ScreenState(values)
    assert all("\n" not in record.getMessage() for record in caplog.records)


@given(st.binary(max_size=300))
def test_whatever_is_in_it_the_screen_starts(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("state") / "screen.toml"
    path.write_bytes(data)
    assert set(load(path).values) <= {setting.name for setting in REMEMBERED}


def test_a_pipe_and_a_device_in_its_place_block_no_one(tmp_path: Path) -> None:
    pipe, device = tmp_path / "pipe", tmp_path / "device"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    assert load(pipe) == load(device) == load(tmp_path) == ScreenState()


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "screen.toml"
    victim.write_text("precious")
    path.symlink_to(victim)
    save(ScreenState(), path)
    assert victim.read_text() == "precious"
    assert not path.is_symlink()


def test_it_is_in_the_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_file() == tmp_path / "vmtop" / "screen.toml"


def test_no_reader_ever_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "screen.toml"
    states = [ScreenState(dict(LAYOUT), {"left": number}) for number in range(4)]
    is_over = threading.Event()

    def write(state: ScreenState) -> None:
        while not is_over.is_set():
            save(state, path)

    writers = [threading.Thread(target=write, args=(state,)) for state in states]
    save(states[0], path)
    for writer in writers:
        writer.start()
    try:
        seen = [load(path) for _ in range(200)]
    finally:
        is_over.set()
        for writer in writers:
            writer.join()
    assert all(state in states for state in seen)
    assert [entry.name for entry in tmp_path.iterdir()] == ["screen.toml"]


@pytest.mark.parametrize("text", DEEP_TOML.values(), ids=DEEP_TOML)
def test_a_deep_one_is_left_out_and_the_log_says_so(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "screen.toml").write_text(text)
    assert load(tmp_path / "screen.toml") == ScreenState()
    assert "nested" in caplog.text
