"""What a change of limits would mean, before anything is done."""

from __future__ import annotations

import pytest

from collectors.actions.limits.plan import warnings
from collectors.model.actions import Observed, Result
from collectors.model.errors import AccessDenied, SourceAbsent
from collectors.model.limit_changes.plans import Use
from collectors.model.limits import Lasts, Limit, LimitKey, Way
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.fake_limits import WEB, FakeLimits, Scene

MIB = 1 << 20
VM = Workload(WorkloadId("qemu", "3fa85f64-5717-4562-b3fc-2c963f66afa6"), Kind.VM, "db", State.RUNNING)


def test_each_change_has_the_old_value_the_new_one_and_the_command() -> None:
    plan = Scene().setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB, LimitKey.CPU: 2.0})
    memory, cpu = plan.changes
    assert memory.words == "memory=256MiB (was 512MiB)"
    assert cpu.words == "cpu=2 (was none)"
    assert memory.commands == (f"fake memory {256 * MIB}",)
    assert (memory.lasts, plan.refusal) == (Lasts.RUN, "")
    assert memory.has_effect


def test_a_value_that_is_there_already_has_no_effect() -> None:
    (change,) = Scene().setter.plan(WEB, {LimitKey.PIDS: 100}).changes
    assert not change.has_effect


def test_a_value_that_is_not_measured_is_not_none() -> None:
    scene = Scene(limits=FakeLimits(unreadable={LimitKey.MEMORY}))
    (change,) = scene.setter.plan(WEB, {LimitKey.MEMORY: None}).changes
    assert change.words == "memory=none (was not known)"
    assert change.has_effect


@pytest.mark.parametrize(
    ("key", "amount", "said"),
    [
        (LimitKey.CPU, 13, "13 brings bad luck"),
        (LimitKey.VCPUS, 2, "only a virtual machine has virtual CPUs"),
        (LimitKey.NET_IN, 1 << 20, "docker has no limit net_in"),
    ],
)
def test_what_cannot_be_is_objected_to_before_anything_is_done(key: LimitKey, amount: float, said: str) -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {key: amount, LimitKey.MEMORY: 256 * MIB})
    assert said in plan.refusal
    applied = scene.setter.apply(plan)
    assert {outcome.result for outcome in applied.outcomes} == {Result.REFUSED}
    assert scene.limits.sent == []
    assert not applied.can_be_undone


def test_what_is_not_done_because_of_another_limit_names_that_limit_and_not_its_reason() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB, LimitKey.CPU: 13})
    memory, cpu = (outcome.sentence for outcome in scene.setter.apply(plan).outcomes)
    assert memory == "web: memory not done: cpu cannot be set with it"
    assert cpu == "web: cpu not done: 13 brings bad luck"
    assert [plan.refusal_of(change) for change in plan.changes] == ["cpu cannot be set with it", "13 brings bad luck"]


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        (VM, "it can have 2 at most: more needs a change of its definition and a new start"),
        (WEB, "it can have 2 at most"),
    ],
)
def test_more_than_the_maximum_is_refused_with_what_raises_it(workload: Workload, said: str) -> None:
    class Bounded(FakeLimits):
        def read(self, workload: Workload) -> dict[LimitKey, Limit]:
            return {LimitKey.CPU: Limit(LimitKey.CPU, 1.0, most=2.0)}

    assert Scene(workload, Bounded()).setter.plan(workload, {LimitKey.CPU: 3.0}).refusal == said


def test_an_engine_that_keeps_nothing_refuses_before_it_sets_anything() -> None:
    scene = Scene(limits=FakeLimits(keeps="it forgets: set it without --persist"))
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB}, way=Way(is_kept=True))
    assert plan.refusal == "it forgets: set it without --persist"
    scene.setter.apply(plan)
    assert scene.limits.sent == []
    assert scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB}).refusal == ""


def test_a_quota_and_the_number_of_virtual_cpus_that_it_depends_on_are_not_set_together() -> None:
    scene = Scene(VM, FakeLimits({LimitKey.CPU: None, LimitKey.VCPUS: 2}))
    plan = scene.setter.plan(VM, {LimitKey.CPU: 1, LimitKey.VCPUS: 4})
    assert "set vcpus first" in plan.refusal
    assert scene.setter.plan(VM, {LimitKey.VCPUS: 4}).refusal == ""


@pytest.mark.parametrize("state", [State.STOPPED, State.CRASHED, State.CREATED])
def test_one_that_does_not_run_is_refused(state: State) -> None:
    scene = Scene()
    scene.engine.states[WEB.id] = Observed("web", state, "first")
    assert scene.setter.plan(WEB, {LimitKey.CPU: 1}).refusal == f"it is {state}: start it first"


def test_one_that_is_called_otherwise_now_is_refused() -> None:
    scene = Scene()
    scene.engine.states[WEB.id] = Observed("web-old", State.RUNNING, "first")
    assert "it is called web-old now" in scene.setter.plan(WEB, {LimitKey.CPU: 1}).refusal


def test_a_protected_one_is_refused_with_the_reason() -> None:
    from msgspec.structs import replace

    labelled = replace(WEB, labels=(("vmtop.protect", "true"),))
    plan = Scene().setter.plan(labelled, {LimitKey.CPU: 1})
    assert "its label vmtop.protect is set" in plan.refusal


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SourceAbsent("vmtop sets no limits of it", "use its own tool"), Result.REFUSED),
        (AccessDenied("not you", "ask"), Result.DENIED),
    ],
)
def test_an_engine_that_cannot_says_why_and_what_to_do(error: SourceAbsent | AccessDenied, kind: Result) -> None:
    scene = Scene()

    def fail() -> None:
        raise error

    scene.limits.on_read = fail
    plan = scene.setter.plan(WEB, {LimitKey.CPU: 1})
    assert (plan.refusal, plan.remedy, plan.kind) == (error.reason, error.remedy, kind)
    (outcome,) = scene.setter.apply(plan).outcomes
    assert (outcome.result, outcome.remedy) == (kind, error.remedy)


@pytest.mark.parametrize(
    ("workload", "key", "new", "use", "said"),
    [
        (WEB, LimitKey.MEMORY, 100 * MIB, Use(200 * MIB), "killed at once"),
        (WEB, LimitKey.MEMORY, 100 * MIB, Use(50 * MIB, 120 * MIB), "120 MiB at most"),
        (VM, LimitKey.MEMORY, 100 * MIB, Use(200 * MIB, over="p95 of 10 min"), "guest will swap"),
        (WEB, LimitKey.CPU, 0.5, Use(cpu_cores=0.8), "slowed down at once"),
        (WEB, LimitKey.CPU, 0.5, Use(cpu_cores=0.2, cpu_most_cores=0.9), "0.90 cores at most"),
        (WEB, LimitKey.PIDS, 5, Use(pids=5), "cannot start any more"),
    ],
)
def test_an_amount_below_what_it_uses_warns(workload: Workload, key: LimitKey, new: float, use: Use, said: str) -> None:
    (sentence,) = warnings(workload, key, new, use)
    assert said in sentence


@pytest.mark.parametrize("use", [Use(), Use(50 * MIB, 60 * MIB, 0.1, 0.2, 3)])
@pytest.mark.parametrize(("key", "new"), [(LimitKey.MEMORY, 100 * MIB), (LimitKey.CPU, 0.5), (LimitKey.PIDS, 5)])
def test_an_amount_above_it_or_a_use_that_is_not_measured_does_not(key: LimitKey, new: float, use: Use) -> None:
    assert warnings(WEB, key, new, use) == ()
    assert warnings(WEB, key, None, use) == ()


def test_a_command_with_a_name_that_steers_a_terminal_is_inert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeLimits, "commands", lambda *_: ("virsh domiftune 'a\x1b[2J\x07'",))
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.PIDS: 5})
    undone = scene.setter.undo(scene.setter.apply(plan))
    for change in (plan.changes[0], undone.outcomes[0].change):
        assert change.commands[0].isprintable()
