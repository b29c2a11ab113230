"""The words of the form of limits: what is refused comes first, and every reason is told once."""

from __future__ import annotations

from collectors.model.limit_changes.plans import Plan, PlannedChange
from collectors.model.limits import Limit, LimitKey, Setting
from collectors.model.workloads import Kind
from tests.helpers.strategies import workload
from tui.presenters.prompts.limit_lines import closed_lines, plan_lines

FINE = PlannedChange(LimitKey.PIDS, Limit(LimitKey.PIDS), 50, Setting({}, 50), commands=("tool pids 50",))
RISKY = PlannedChange(LimitKey.MEMORY, Limit(LimitKey.MEMORY), 9, Setting({}, 9), warnings=("It may be killed.",))
REFUSED = PlannedChange(LimitKey.CPU, Limit(LimitKey.CPU), 99, None, objection="its host has 8 cores")


def test_what_is_refused_is_before_what_is_warned_of_and_that_before_the_rest() -> None:
    lines = plan_lines(Plan(workload(kind=Kind.CONTAINER), None, (FINE, RISKY, REFUSED)))
    words = [text for text, _ in lines]
    assert words[:3] == ["cpu: its host has 8 cores", "memory=9B (was none)", "  It may be killed."]
    assert words[3:5] == ["pids=50 (was none)", "  $ tool pids 50"]
    assert [tone for _, tone in lines[:3]] == ["bad", "title", "warn"]


def test_limits_that_cannot_be_set_share_a_line_with_their_reason() -> None:
    reason = "Docker limits no networks"
    limits = [
        Limit(LimitKey.MEMORY),
        Limit(LimitKey.NET_IN, objection=reason),
        Limit(LimitKey.NET_OUT, objection=reason),
        Limit(LimitKey.VCPUS, objection="it has none"),
    ]
    assert [text for text, _ in closed_lines(limits)] == [f"net_in, net_out: {reason}", "vcpus: it has none"]
