"""The command that runs vmtop as root is one that works."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.safety import permissions


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called vmtop in a folder with a blank, which this process was started as; not in a container."""
    path = tmp_path / "my tools" / "vmtop"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\necho started\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(path)])
    monkeypatch.setattr(permissions, "is_in_container", lambda: False)
    return path


def test_a_program_that_sudo_would_not_find_is_named_by_its_path(program: Path) -> None:
    command = permissions.as_root()
    assert shlex.split(command) == ["sudo", str(program)]
    secured = {**os.environ, "PATH": permissions._SUDO_PATH}  # as sudo does
    words = shlex.split(command)[1:]
    assert subprocess.run(words, env=secured, capture_output=True, text=True, check=True).stdout == "started\n"


def test_its_path_is_whole_also_where_it_was_called_by_a_part_or_found_in_the_path(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(program.parent.parent)
    monkeypatch.setattr(sys, "argv", ["my tools/vmtop"])
    assert shlex.split(permissions.as_root()) == ["sudo", str(program)]
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(sys, "argv", ["vmtop"])
    assert shlex.split(permissions.as_root()) == ["sudo", str(program)]


def test_a_program_that_sudo_finds_is_named_by_its_name(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = program.parent.with_name("bin")
    folder.mkdir()
    (folder / "vmtop").symlink_to(program)
    monkeypatch.setattr(permissions, "_SUDO_PATH", str(folder))
    assert permissions.as_root() == "sudo vmtop"
    (folder / "vmtop").unlink()
    shutil.copy(program, folder / "vmtop")
    assert permissions.as_root() != "sudo vmtop", "another vmtop stands there"
