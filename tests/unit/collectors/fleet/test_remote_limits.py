"""Limits of another host's workloads: planned, set and taken back there, and what a broken or lying end means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from collectors.actions.limits import elsewhere
from collectors.actions.limits.setter import Setter
from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.fleet.conversation import Conversation
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import Ask
from collectors.fleet.remote_actions import RemoteActions
from collectors.fleet.remote_limits import RemoteLimits
from collectors.model.actions import Observed, Result
from collectors.model.errors import SourceDown, SourceError
from collectors.model.limit_changes.outcomes import Applied
from collectors.model.limit_changes.plans import Plan, Use
from collectors.model.limits import Amount, Limit, LimitKey, Way
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.far_limits import FarEnd

MIB = 1 << 20
WEB = Workload(WorkloadId("docker", "ab" * 32, "hv01"), Kind.CONTAINER, "web", State.RUNNING)
CHANGES: dict[LimitKey, Amount | None] = {LimitKey.MEMORY: 256 * MIB, LimitKey.CPU: 2.0}
AS_BEFORE = {LimitKey.MEMORY: 512 * MIB, LimitKey.CPU: None, LimitKey.PIDS: 100}


class Near:
    """This vmtop, which watches a host with one container."""

    def __init__(self) -> None:
        self.far, self.log = FarEnd(), ActionLog()
        host, talk = HostSpec("hv01", "admin@hv01"), cast(Conversation, self.far)
        actions, limits = RemoteActions(host, talk), RemoteLimits(host, talk)
        self.runner = Runner(lambda _: actions, self.log, "near")
        self.setter = Setter(self.runner, Looker(self.runner, Protection()), lambda _: limits)

    def plan(self, changes: dict[LimitKey, Amount | None] = CHANGES, way: Way = Way()) -> Plan:  # noqa: B008
        return self.setter.plan(WEB, changes, Use(memory_bytes=300 * MIB), way)

    def apply(self, changes: dict[LimitKey, Amount | None] = CHANGES) -> Applied:
        plan = self.plan(changes)
        assert not plan.refusal
        return self.setter.apply(plan)


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch) -> Near:
    monkeypatch.setattr(elsewhere, "_LOOK_S", 0.2)
    monkeypatch.setattr(elsewhere, "_POLL_S", 0.05)
    return Near()


def test_limits_are_read_without_what_is_the_engine_s_own(near: Near) -> None:
    limits = near.setter.read_limits(WEB)
    assert {key: limit.value for key, limit in limits.items()} == AS_BEFORE
    near.far.limits.unreadable = {LimitKey.MEMORY}
    assert not near.setter.read_limits(WEB)[LimitKey.MEMORY].is_measured


def test_a_plan_says_what_would_be_done_there_and_how_by_hand_from_here(near: Near) -> None:
    plan = near.plan()
    memory, cpu = plan.changes
    assert (plan.workload, plan.refusal) == (WEB, "")
    assert memory.words == "memory=256MiB (was 512MiB)"
    assert cpu.words == "cpu=2 (was none)"
    assert memory.commands == (f"ssh admin@hv01 fake memory {256 * MIB}",)
    assert memory.warnings[0].startswith("It uses 300 MiB")
    assert near.far.limits.values == AS_BEFORE


def test_it_is_set_there_and_in_both_logs_with_both_values(near: Near) -> None:
    applied = near.apply()
    assert applied.result is Result.DONE
    assert near.far.limits.values == {LimitKey.MEMORY: 256 * MIB, LimitKey.CPU: 2.0, LimitKey.PIDS: 100}
    first, second = applied.outcomes
    assert first.sentence == "hv01: web: memory is 256MiB, was 512MiB"
    assert (second.old, second.after) == (None, Limit(LimitKey.CPU, 2.0))
    assert [(entry.host, entry.verb) for entry in near.log.recent(9)] == [
        ("hv01", "set memory=256MiB (was 512MiB)"),
        ("hv01", "set cpu=2 (was none)"),
    ]
    assert [(entry.host, entry.who) for entry in near.far.log.recent(9)] == [("", "far")] * 2


def test_it_is_taken_back_there_once(near: Near) -> None:
    applied = near.apply()
    undone = near.setter.undo(applied)
    assert undone.result is Result.DONE
    assert near.far.limits.values == AS_BEFORE
    assert near.log.recent(1)[0].verb == "undo memory=512MiB (was 256MiB)"
    assert "undone already" in near.setter.undo(applied).outcomes[0].sentence


def test_what_its_host_objects_to_is_not_done(near: Near) -> None:
    near.far.limits.keeps = "it forgets them"
    assert near.plan(way=Way(is_kept=True)).refusal == "it forgets them"
    near.far.runner.is_locked = True
    plan = near.plan()
    assert plan.refusal == "read_only is set in the configuration there"
    assert near.setter.apply(plan).result is Result.REFUSED
    assert near.far.limits.sent == []


def test_actions_that_are_locked_here_or_were_locked_there_since_set_nothing(near: Near) -> None:
    plan = near.plan()
    near.far.runner.is_locked = True
    applied = near.setter.apply(plan)
    assert applied.result is Result.REFUSED
    assert "read_only is set in the configuration there" in applied.outcomes[0].sentence
    near.far.runner.is_locked, near.runner.is_locked = False, True
    assert "L unlocks them" in near.setter.apply(near.plan()).outcomes[0].sentence
    assert near.far.limits.sent == []


def test_another_run_than_the_one_that_was_planned_for_is_left_alone(near: Near) -> None:
    plan = near.plan()
    (identity,) = near.far.engine.states
    near.far.engine.states[identity] = Observed("web", State.RUNNING, "second")
    first = near.setter.apply(plan).outcomes[0]
    assert (first.result, near.far.limits.sent) == (Result.CHANGED, [])
    near.far.engine.gone.add(identity)
    assert near.plan().refusal == "it is gone"


def test_a_plan_is_done_once_and_not_by_a_vmtop_that_has_forgotten_it(near: Near) -> None:
    plan = near.plan()
    near.far.start()
    applied = near.setter.apply(plan)
    assert (applied.result, near.far.limits.sent) == (Result.FAILED, [])
    assert "no longer knows what was planned" in applied.outcomes[0].sentence
    done = near.apply({LimitKey.PIDS: 7})
    assert "no longer knows" in near.setter.apply(done.plan).outcomes[0].sentence
    near.far.start()
    undone = near.setter.undo(done)
    assert undone.result is Result.FAILED
    assert undone.outcomes[0].remedy == "set the old value, which is in the action log"
    assert near.far.limits.values[LimitKey.PIDS] == 7


def test_where_the_line_breaks_what_is_seen_later_counts(near: Near) -> None:
    near.far.lost[Ask.LIMITS_SET] = SourceDown("the line broke")
    applied = near.apply()
    assert applied.result is Result.DONE
    words = "hv01: web: memory is 256MiB, was 512MiB (confirmed by another look)"
    assert applied.outcomes[0].sentence == words
    assert not applied.can_be_undone


def test_where_nothing_is_seen_it_is_unknown_and_never_not_done(near: Near) -> None:
    plan = near.plan()
    near.far.start()  # so that the question is lost on its way
    near.far.lost[Ask.LIMITS_SET] = SourceDown("the line broke")
    applied = near.setter.apply(plan)
    assert applied.result is Result.UNKNOWN
    first = applied.outcomes[0]
    assert first.sentence == "hv01: web: memory outcome unknown: the line broke; it is 512MiB now"
    assert first.remedy == "set memory=512MiB to have it as it was"
    near.far.lost[Ask.LIMITS] = SourceDown("hv01 is silent")
    silent = near.apply({LimitKey.PIDS: 9})
    assert silent.outcomes[0].sentence == "hv01: web: pids outcome unknown: hv01 is silent"
    assert silent.outcomes[0].after is None


def test_an_undo_whose_line_breaks_is_looked_at_too(near: Near) -> None:
    applied = near.apply()
    near.far.lost[Ask.LIMITS_UNDO] = SourceDown("the line broke")
    undone = near.setter.undo(applied)
    assert undone.result is Result.DONE
    assert undone.outcomes[0].sentence.startswith("hv01: web: cpu is none, was 2 (confirmed by")


def test_a_host_of_an_older_vmtop_answers_with_a_sentence(near: Near, monkeypatch: pytest.MonkeyPatch) -> None:
    def old(*_: Any, **__: Any) -> Any:
        raise SourceError("the vmtop there does not know this question: limits", "update vmtop there")

    monkeypatch.setattr(near.far, "ask", old)
    with pytest.raises(SourceError, match="does not know this question"):
        near.setter.read_limits(WEB)
    plan = near.plan()
    assert (plan.kind, plan.remedy) == (Result.FAILED, "update vmtop there")
    assert near.setter.apply(plan).result is Result.FAILED


LIES: dict[str, tuple[Ask, Callable[[Any], Any]]] = {
    "limits of no kind": (Ask.LIMITS, lambda value: [["speed", 1]]),
    "no list": (Ask.LIMITS, lambda value: {"memory": 1}),
    "a text for a number": (Ask.LIMITS, lambda value: [["memory", "much"]]),
    "below nothing": (Ask.LIMITS, lambda value: [["memory", -1]]),
    "more than can be counted": (Ask.LIMITS, lambda value: [["memory", 1e300]]),
    "CPUs that are none": (Ask.LIMITS, lambda value: [["cpuset", "0-3; rm -rf /"]]),
    "a number of CPUs": (Ask.LIMITS, lambda value: [["cpuset", 3]]),
    "a plan for nothing": (Ask.LIMITS_PLAN, lambda value: [value[0], []]),
    "a plan for other limits": (Ask.LIMITS_PLAN, lambda value: [value[0], value[1][:1] * 2, *value[2:]]),
    "a plan that is done": (Ask.LIMITS_PLAN, lambda value: [*value[:4], "done"]),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_answer_to_the_question_is_one_sentence(near: Near, lie: str) -> None:
    about, change = LIES[lie]
    near.far.alter = lambda ask, value: change(value) if ask is about else value
    if about is Ask.LIMITS:
        with pytest.raises(SourceDown):
            near.setter.read_limits(WEB)
        return
    plan = near.plan()
    assert plan.refusal
    assert near.setter.apply(plan).result is Result.FAILED
    assert near.far.limits.sent == []


@pytest.mark.parametrize("value", [[], "done", [["x"]], {"result": "done"}])
def test_an_outcome_that_is_none_is_looked_at(near: Near, value: Any) -> None:
    near.far.alter = lambda ask, there: value if ask is Ask.LIMITS_SET else there
    applied = near.apply()
    assert applied.result is Result.DONE
    assert applied.outcomes[0].sentence.endswith("(confirmed by another look)")


def test_an_outcome_of_another_limit_is_none(near: Near) -> None:
    near.far.alter = lambda ask, there: [there[0], there[0]] if ask is Ask.LIMITS_SET else there
    assert near.apply().outcomes[1].sentence.endswith("(confirmed by another look)")


def test_what_the_host_says_is_bounded_and_cannot_steer_the_terminal(near: Near) -> None:
    near.far.limits.keeps = "\x1b[2J" + "x" * 100_000
    refusal = near.plan(way=Way(is_kept=True)).refusal
    assert "\x1b" not in refusal
    assert len(refusal) <= 1000


def test_amounts_that_no_limit_can_have_are_refused_there_too(near: Near) -> None:
    plan = near.setter.plan(WEB, {LimitKey.MEMORY: 5, LimitKey.PIDS: 7})
    assert "the least is 1MiB" in plan.refusal
