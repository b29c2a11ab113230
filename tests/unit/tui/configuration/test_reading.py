"""The configuration file: its defaults, its mistakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from collectors.model.workloads import Kind
from tests.helpers.deep_toml import DEEP_TOML
from tui.cli.main import main
from tui.configuration.config import Config, ConfigError, config_file
from tui.configuration.reading import read
from tui.settings.paths import state_folder


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert read(tmp_path / "none.toml").config() == Config()


def test_all_keys_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        'read_only = true\n[actions]\nallow_protected = ["vm:db"]\n[actions.timeout_s]\nvm = 120\ncontainer = 2.5\n'
    )
    config = read(path).config()
    assert config.read_only
    assert config.actions.allow_protected == ("vm:db",)
    assert [config.actions.timeout_s.of(kind) for kind in (Kind.VM, Kind.CONTAINER, Kind.SERVICE)] == [120, 2.5, 90]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("read_only = 'yes'", "read_only"),
        ("readonly = true", "readonly"),
        ("[actions]\nallow_protected = 'x'", "allow_protected"),
        ("[actions.timeout_s]\nvm = -1", "vm"),
        ("a = [", "not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        read(path).config()
    assert str(path) in str(caught.value)


def test_a_folder_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path).config()


@given(st.binary(max_size=200))
def test_whatever_is_in_the_file_there_is_no_traceback(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_bytes(data)
    try:
        read(path).config()
    except ConfigError:
        return


def test_a_mistake_ends_the_command_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "config.toml").write_text("readonly = true")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["stop", "x", "--yes"], standalone_mode=True)
    assert done.exit_code == 1
    assert "config.toml line 1: 'readonly' is unknown; did you mean 'read_only'?" in done.output


def test_a_locked_configuration_refuses_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "config.toml").write_text("read_only = true")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["kill", "x", "--yes"], standalone_mode=True)
    assert done.exit_code == 5
    assert "read_only = true" in done.output


def test_a_user_whom_nobody_knows_has_no_files_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert read().config() == Config()
    assert (config_file(), state_folder()) == (Path("/.config/vmtop/config.toml"), Path("/.local/state/vmtop"))


def test_a_pipe_or_a_device_in_its_place_blocks_no_one_and_is_not_read(tmp_path: Path) -> None:
    pipe, device = tmp_path / "pipe.toml", tmp_path / "device.toml"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device, tmp_path):
        with pytest.raises(ConfigError, match="is not a regular file"):
            read(path).config()


def test_a_very_long_or_deep_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for text, words in (
        ("#" * 70_000, "longer than 64 KiB"),
        ("a=" + "[" * 60_000, "nested deeper"),
        ("a=" + "9" * 6000, "TOML"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=words):
            read(path).config()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's files are made by root only")
def test_root_takes_no_configuration_that_another_user_could_change(tmp_path: Path) -> None:
    """As with `sudo -E`, where the folder is the other user's."""
    folder = tmp_path / "vmtop"
    folder.mkdir()
    path = folder / "config.toml"
    path.write_text('[actions]\nallow_protected = ["service:ssh.service"]\n')
    assert read(path).config().actions.allow_protected
    for place in (path, folder, tmp_path):
        os.chown(place, 65534, 65534)
        with pytest.raises(ConfigError, match=f"cannot be read: {place} belongs to another user"):
            read(path).config()
        os.chown(place, 0, 0)
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="can be written to by anyone"):
        read(path).config()


@pytest.mark.parametrize("text", DEEP_TOML.values(), ids=DEEP_TOML)
def test_a_deep_one_is_one_sentence_with_file_and_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"{path} .* nested deeper than 16 levels \(at line 2\)"):
        read(path)
