"""The workflows of CI: what they run is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_runs_is_there(workflow: Path) -> None:
    text = workflow.read_text()
    assert set(re.findall(r"\bmake ([a-z-]+)$", text, re.MULTILINE)) <= TARGETS
    assert [name for name in re.findall(r"(?<!\S)(\.ci/[\w.]+)", text) if not (ROOT / name).is_file()] == []
    extras = {name for names in re.findall(r"-e '\.\[([\w,]+)\]'", text) for name in names.split(",")}
    assert [name for name in extras if f"\n{name} = [" not in (ROOT / "pyproject.toml").read_text()] == []


def test_no_workflow_may_write_unless_it_publishes() -> None:
    for workflow in WORKFLOWS:
        head = workflow.read_text().partition("\njobs:")[0]
        assert "permissions:\n  contents: read" in head, workflow.name
