"""The user's folders: where the XDG Base Directory Specification has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tui.configuration.config import config_file
from tui.settings.paths import config_folder, state_folder

FOLDERS = [(state_folder, "XDG_STATE_HOME", ".local/state"), (config_folder, "XDG_CONFIG_HOME", ".config")]


@pytest.mark.parametrize(("folder", "variable", "below_home"), FOLDERS)
class TestEachFolder:
    def test_is_where_its_variable_points(
        self, folder: Callable[[], Path], variable: str, below_home: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, "/some/where")
        assert folder() == Path("/some/where/vmtop")

    @pytest.mark.parametrize("value", ["", None])
    def test_is_below_the_home_without_a_variable(
        self, folder: Callable[[], Path], variable: str, below_home: str, value: str | None,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.delenv(variable, raising=False)
        if value is not None:
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("HOME", "/home/someone")
        assert folder() == Path("/home/someone", below_home, "vmtop")

    def test_is_below_the_root_for_a_user_without_a_home(
        self, folder: Callable[[], Path], variable: str, below_home: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HOME", variable):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
        assert folder() == Path("/", below_home, "vmtop")

    def test_is_not_made_by_asking_for_it(
        self,
        folder: Callable[[], Path],
        variable: str,
        below_home: str,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setenv(variable, str(tmp_path))
        assert not folder().exists()


def test_the_configuration_is_a_file_in_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/etc/mine")
    assert config_file() == Path("/etc/mine/vmtop/config.toml")
