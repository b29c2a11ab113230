"""Jobs of CI systems as `docs/ci.md` has them, and their shell steps run as their runners do."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.helpers.checkout import ROOT
from tests.helpers.patience import EXTERNAL_S

PAGE = ROOT / "docs" / "ci.md"
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """A step that has been run."""

    name: str
    exit_code: int
    output: str


def blocks(language: str = "") -> list[str]:
    """Return the blocks of the page in a language."""
    return [text for found, text in _BLOCK.findall(PAGE.read_text()) if found == language]


def job(file: str) -> dict[str, Any]:
    """Return the file of a CI system that the page shows; its first line has the name."""
    (text,) = (text for text in blocks("yaml") if text.startswith(f"# {file}\n"))
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def run_github(
    steps: list[dict[str, Any]], folder: Path, environment: Mapping[str, str], is_met: Mapping[str, Callable[[], bool]]
) -> list[Step]:
    """Run the shell steps of a job as GitHub's runner does: one shell each, and none but `always()` after a failure.

    Args:
        steps: The steps; those that use an action are left out.
        folder: The workspace.
        environment: Variables of the job.
        is_met: What the conditions of the steps stand for; any other fails.

    Raises:
        KeyError: The page has a condition that nobody thought of.
    """
    done: list[Step] = []
    for step in steps:
        condition = step.get("if")
        if "run" not in step or (condition is not None and not is_met[condition]()):
            continue
        done.append(_bash(step["name"], step["run"], folder, environment))
        if done[-1].exit_code:
            break
    return done


def run_gitlab(described: dict[str, Any], folder: Path, environment: Mapping[str, str]) -> list[Step]:
    """Run a job as GitLab's runner does: the commands before and those of the job in one shell, the rest in another."""
    commands = "\n".join([*described["before_script"], *described["script"]])
    return [
        _bash("script", commands, folder, environment),
        _bash("after_script", "\n".join(described["after_script"]), folder, environment),
    ]


def _bash(name: str, script: str, folder: Path, environment: Mapping[str, str]) -> Step:
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    done = subprocess.run(
        argv,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=EXTERNAL_S,
    )
    return Step(name, done.returncode, done.stdout)
