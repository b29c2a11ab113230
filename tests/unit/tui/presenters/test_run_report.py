"""What is printed of a command, whatever it is called and whatever was measured."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.running.budget import Limit, judge
from collectors.running.quantities import QUANTITIES, Measured, missing
from collectors.running.runner import FollowedUse, RunResult
from tests.helpers.junit import cases
from tui.presenters.pipelines.junit import junit
from tui.presenters.pipelines.verdict import Outcome
from tui.presenters.reports.run_report import document, lines, value_text, verdicts

USAGE = {"seconds": Measured(1.5, "clock"), "mem": Measured(2 << 30, "memory.peak"), "pids": missing("no pids.peak")}


def result(**fields: object) -> RunResult:
    return RunResult(**{"exit_code": 0, "usage": USAGE, "way": "a group: /x", "is_group": True, **fields})  # type: ignore[arg-type]


def test_each_value_says_how_it_was_measured_and_what_is_missing_says_why() -> None:
    text = lines(["make", "-j4"], result())
    assert text[0] == "vmtop: make -j4 ended with exit code 0"
    assert [line.split() for line in text[1:4]] == [
        ["duration", "1.50s", "clock"],
        ["peak", "memory", "2.0G", "memory.peak"],
        ["peak", "tasks", "-", "no", "pids.peak"],
    ]
    assert text[4] == "  measured in a group: /x"


@pytest.mark.parametrize(
    ("rest", "killed", "words"),
    [
        (1, False, "vmtop: 1 process still runs in it"),
        (2, False, "vmtop: 2 processes still run in it"),
        (1, True, "vmtop: 1 process was ended"),
        (2, True, "vmtop: 2 processes were ended"),
    ],
)
def test_what_is_left_is_said(rest: int, killed: bool, words: str) -> None:
    assert words in lines(["x"], result(rest=rest, killed=killed))


def test_a_secret_of_the_command_line_is_nowhere() -> None:
    words = ["psql", "--password=hunter2", "--token", "hunter2"]
    shown = "\n".join(lines(words, result())) + json.dumps(document(words, result(), ()))
    assert "hunter2" not in shown


def test_a_signal_is_named_with_the_exit_code() -> None:
    assert lines(["x"], result(exit_code=137))[0] == "vmtop: x was ended by signal 9 (exit code 137)"


def test_a_followed_workload_says_until_and_since_when_it_was_measured() -> None:
    workload = Workload(WorkloadId("docker", "id", "hv01"), Kind.CONTAINER, "web", State.RUNNING)
    text = lines(["x"], result(workloads=[FollowedUse(workload, USAGE, is_new=False, is_running=True)]))
    assert (
        "vmtop: container hv01/web still runs: measured until the command ended, ran before: measured from the "
        "command's start on" in text
    )


def test_a_lower_bound_is_said_in_the_verdict_too() -> None:
    judged = judge([Limit("mem", 1 << 30, "mem=1G")], {"mem": Measured(2 << 30, "sampled", is_lower_bound=True)})
    (one,) = verdicts("make", judged, 1.5)
    assert one.outcome is Outcome.FAILED
    assert one.check == "mem <= 1G"
    assert one.sentence == "peak memory at least 2.0G is more than 1G (sampled)"


measured = st.builds(Measured, st.none() | st.floats(0, 1e18), st.text(max_size=20), st.booleans())


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=3), st.dictionaries(st.sampled_from(list(QUANTITIES)), measured)
)
def test_no_command_steers_a_terminal_or_breaks_a_document(words: list[str], usage: dict[str, Measured]) -> None:
    limits = [Limit(key, 10.0, f"{key}=10") for key in usage]
    found = verdicts("x", judge(limits, usage), 1.0)
    printed = lines(words, result(usage={}))
    assert len(printed) == 2
    assert all(line.isprintable() for line in printed)
    json.loads(json.dumps(document(words, result(usage=usage), found), allow_nan=False))
    assert len(cases(junit("vmtop run", found, "2026-11-29T08:57:40"))) == len(limits)


@given(st.sampled_from(list(QUANTITIES.values())), st.floats(0, 1e18))
def test_a_value_is_never_empty_and_only_a_missing_one_is_a_dash(quantity: object, value: float) -> None:
    assert value_text(value, quantity) not in ("", "-")  # type: ignore[arg-type]
    assert value_text(None, quantity) == "-"  # type: ignore[arg-type]
