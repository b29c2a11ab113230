"""Completion: the script is found by the shell it is for, and values are completed without asking any engine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem, ShellComplete
from click.testing import CliRunner

from tui.cli.completion.scripts import SHELLS, CompletionError, detect_shell, own_place
from tui.cli.main import main


def completed(words: list[str], incomplete: str) -> list[CompletionItem]:
    return ShellComplete(main, {}, "vmtop", "_VMTOP_COMPLETE").get_completions(words, incomplete)


def values(words: list[str], incomplete: str) -> list[str]:
    return [item.value for item in completed(words, incomplete)]


def process(proc: Path, pid: object, name: str, parent: int) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S {parent} 1 1 0 -1")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc in which this process is 40, the child of 30."""
    monkeypatch.setattr(os, "getpid", lambda: 40)
    process(tmp_path, 40, "vmtop", 30)
    return tmp_path


def test_the_shell_is_the_nearest_one_above_whatever_is_between(proc: Path) -> None:
    process(proc, 30, "vmtop", 20)
    process(proc, 20, "-zsh", 10)
    process(proc, 10, "bash", 1)
    assert detect_shell(proc, {"SHELL": "/bin/fish"}) == "zsh"


def test_a_program_cannot_pretend_by_its_name_to_have_another_parent(proc: Path) -> None:
    process(proc, 30, "a) S 10 (b", 20)
    process(proc, 20, "fish", 1)
    process(proc, 10, "bash", 1)
    assert detect_shell(proc, {}) == "fish"


def test_without_one_it_is_the_login_shell(proc: Path) -> None:
    process(proc, 30, "python3", 1)
    assert detect_shell(proc, {"SHELL": "/usr/bin/fish"}) == "fish"


def test_an_unknown_shell_is_one_sentence_that_says_what_to_type(proc: Path) -> None:
    with pytest.raises(CompletionError, match="vmtop completion bash, zsh or fish"):
        detect_shell(proc, {"SHELL": "/bin/dash"})


def test_places_follow_the_variables_of_each_shell() -> None:
    home = {"HOME": "/home/me"}
    assert own_place("bash", home) == Path("/home/me/.local/share/bash-completion/completions/vmtop")
    assert own_place("bash", {**home, "BASH_COMPLETION_USER_DIR": "/a:/b"}) == Path("/a/completions/vmtop")
    assert own_place("zsh", home) == Path("/home/me/.zfunc/_vmtop")
    assert own_place("fish", {**home, "XDG_CONFIG_HOME": "/c"}) == Path("/c/fish/completions/vmtop.fish")
    with pytest.raises(CompletionError, match="HOME"):
        own_place("bash", {})


@pytest.mark.parametrize("shell", SHELLS)
def test_it_is_installed_again_over_itself_and_over_nothing_else(
    shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASH_COMPLETION_USER_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for _ in range(2):
        done = CliRunner().invoke(main, ["completion", shell, "--install"], prog_name="vmtop")
        assert done.exit_code == 0, done.stderr
    (path,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert path == own_place(shell, {"HOME": str(tmp_path)})
    assert str(path) in done.stderr
    assert "_VMTOP_COMPLETE" in path.read_text()
    path.write_text("mine")
    done = CliRunner().invoke(main, ["completion", shell, "--install"], prog_name="vmtop")
    assert done.exit_code == 1
    assert "is not vmtop's" in done.stderr
    assert path.read_text() == "mine"


def test_metrics_and_fields_are_completed() -> None:
    assert {"cpu", "cpuwait"} <= set(values(["export", "--metric"], "cpu"))
    assert "kind=" in values(["list", "--filter"], "ki")
    assert "kind=vm cpu>" in values(["check"], "kind=vm cp")


def test_session_files_and_folders_are_completed_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("night.vmtop.gz", "notes.txt", ".hidden.vmtop.gz", "new\nline.vmtop.gz"):
        (tmp_path / name).touch()
    (tmp_path / "nested").mkdir()
    assert values(["replay"], "n") == ["nested/", "night.vmtop.gz"]
    assert values(["compare", "--session"], f"{tmp_path}/ni") == [f"{tmp_path}/night.vmtop.gz"]
    assert values(["info"], ".h") == [".hidden.vmtop.gz"]


def test_where_there_is_no_session_file_the_shell_completes_as_it_does(tmp_path: Path) -> None:
    (item,) = completed(["info"], f"{tmp_path}/")
    assert item.type == "file"
    assert completed(["info"], f"{tmp_path}/absent/x") == []
