"""The workflows of CI: what they run is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers.checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def described(workflow: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what starts a workflow, and its jobs by name."""
    document = yaml.safe_load(workflow.read_text())
    return document[True], document["jobs"]  # YAML 1.1 takes `on` for a truth value


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


def test_what_is_pushed_to_main_passes_all_tests_and_those_of_what_is_handed_out() -> None:
    lines: list[str] = []
    for workflow in WORKFLOWS:
        starts, jobs = described(workflow)
        if "main" in starts["push"].get("branches", ()):
            steps = [step for job in jobs.values() if "if" not in job for step in job["steps"]]
            lines += [step["run"] for step in steps if "if" not in step and "run" in step]
    assert {".ci/run", "make dist", "make dist-test"} <= set(lines)


def test_only_a_tag_publishes() -> None:
    for workflow in WORKFLOWS:
        for name, job in described(workflow)[1].items():
            if "write" in job.get("permissions", {}).values() or "gh release" in str(job["steps"]):
                assert job["if"] == "github.ref_type == 'tag'", f"{workflow.name}: {name}"


def test_git_is_there_before_the_checkout_of_what_is_built() -> None:
    """Without it the checkout has no history, and what is built has the time of the day."""
    steps = described(ROOT / ".github" / "workflows" / "release.yml")[1]["artefacts"]["steps"]
    places = [
        next(place for place, step in enumerate(steps) if word in str(step)) for word in (" git make", "checkout@")
    ]
    assert places == sorted(places)
