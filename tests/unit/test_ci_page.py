"""The page on pipelines: vmtop understands every command in its jobs, and its jobs are whole."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import pytest

from tests.helpers.pipelines import blocks, job
from tui.cli.main import main

COMMANDS = {"run", "wait", "record", "check", "compare"}
_ENDS = {"&", "&&", "||", "|", ">", "2>&1", ";", "fi"}


def github() -> list[str]:
    steps = job(".github/workflows/resources.yml")["jobs"]["resources"]["steps"]
    return [step["run"] for step in steps if "run" in step]


def gitlab() -> list[str]:
    described = job(".gitlab-ci.yml")["resources"]
    return [*described["before_script"], *described["script"], *described["after_script"]]


def vmtop_commands(scripts: list[str]) -> list[list[str]]:
    """Return the words after `vmtop` of each command."""
    found = []
    for line in "\n".join(scripts).replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        if "vmtop" in words:
            rest = words[words.index("vmtop") + 1 :]
            found.append(rest[: next((place for place, word in enumerate(rest) if word in _ENDS), len(rest))])
    return found


@pytest.mark.parametrize("scripts", [github(), gitlab()], ids=["github", "gitlab"])
def test_vmtop_takes_every_command_of_a_job(
    scripts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    for name in ("main.vmtop.gz", "pr.vmtop.gz"):
        (tmp_path / name).touch()
    commands = vmtop_commands(scripts)
    assert {words[0] for words in commands} == COMMANDS
    with click.Context(main) as group:
        for words in commands:
            _, command, rest = main.resolve_command(group, list(words))
            assert command is not None
            command.make_context(words[0], rest, parent=group).close()  # fails on what it does not understand


def test_every_junit_file_that_is_written_is_also_shown() -> None:
    steps = job(".github/workflows/resources.yml")["jobs"]["resources"]["steps"]
    written = {words[words.index("--junit") + 1] for words in vmtop_commands(github()) if "--junit" in words}
    assert written == {"run.xml", "wait.xml", "check.xml", "compare.xml"}
    (report,) = (step for step in steps if "junit" in step.get("uses", ""))
    assert (report["if"], report["with"]["report_paths"]) == ("always()", "*.xml")
    assert job(".gitlab-ci.yml")["resources"]["artifacts"]["reports"]["junit"] == "*.xml"


def test_no_per_cent_sign_of_the_cron_line_ends_its_command() -> None:
    (text,) = (text for text in blocks() if "MAILTO" in text)
    assert "%" not in text.replace("\\%", "")
