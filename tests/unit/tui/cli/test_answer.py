"""`vmtop answer`, as another vmtop talks to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SERVICE = {
    "id": ["systemd", "/system.slice/lab-none.service", ""],
    "kind": "service",
    "name": "lab-none.service",
    "state": "running",
}


def talk(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    code = "import sys; from tui.cli.main import main; sys.argv[0] = 'vmtop'; main()"
    words = [sys.executable, "-c", code, "answer", "--host", "local"]
    return subprocess.run(
        words, input="".join(f"{line}\n" for line in lines), capture_output=True, text=True, env=environ, timeout=60
    )


def answers(done: subprocess.CompletedProcess[str]) -> dict[int, Any]:
    greeting, *rest = map(json.loads, done.stdout.splitlines())
    assert greeting["schema"] == "vmtop.answer/1"
    return {answer["n"]: answer for answer in rest}


def test_each_question_has_an_answer_or_the_reason_for_none(tmp_path: Path) -> None:
    done = talk(
        tmp_path,
        json.dumps({"n": 1, "ask": "details", "workload": SERVICE}),
        json.dumps({"n": 2, "ask": "of a later version", "workload": SERVICE}),
        json.dumps({"n": 3, "ask": "details"}),
        json.dumps({"n": 4, "ask": "log before", "workload": SERVICE, "count": 5}),
    )
    assert done.returncode == 0, done.stderr
    given = answers(done)
    assert "does not know this question" in given[2]["problem"]["reason"]
    assert set(given) >= {2}
    for answer in given.values():
        assert ("value" in answer) != ("problem" in answer)


@pytest.mark.parametrize("line", ["rubbish", "[1]", '{"ask": "details"}'])
def test_what_is_no_question_ends_it_with_a_sentence(tmp_path: Path, line: str) -> None:
    done = talk(tmp_path, line)
    assert done.returncode == 1
    assert done.stderr == "vmtop: what arrived is no question of vmtop\n"


def test_what_sets_limits_is_answered_although_the_questions_have_ended(tmp_path: Path) -> None:
    asked = {"ask": "limits set", "workload": SERVICE, "plan": 7}
    done = talk(tmp_path, json.dumps({"n": 1, **asked}), json.dumps({"n": 2, **asked, "ask": "limits undo"}))
    reasons = {number: answer["problem"]["reason"] for number, answer in answers(done).items()}
    assert reasons == {
        1: "the vmtop there no longer knows what was planned",
        2: "the vmtop there no longer knows what it was before",
    }
