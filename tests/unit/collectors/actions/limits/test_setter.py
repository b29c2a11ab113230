"""Setting limits and taking them back, and what becomes of it when something goes wrong in between."""

from __future__ import annotations

import threading

import pytest

from collectors.model.actions import Observed, Result
from collectors.model.errors import AccessDenied, NotInTime, SourceDown, SourceError, WorkloadGone
from collectors.model.limit_changes.outcomes import Applied
from collectors.model.limits import Amount, LimitKey, Way
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.fake_limits import WEB, FakeLimits, Scene

MIB = 1 << 20
CHANGES: dict[LimitKey, Amount | None] = {LimitKey.MEMORY: 256 * MIB, LimitKey.CPU: 2.0}


def apply(scene: Scene, changes: dict[LimitKey, Amount | None] = CHANGES) -> Applied:
    return scene.setter.apply(scene.setter.plan(scene.workload, changes))


def results(applied: Applied) -> list[Result]:
    return [outcome.result for outcome in applied.outcomes]


def test_limits_are_set_read_back_logged_and_told_with_both_values() -> None:
    scene = Scene()
    applied = apply(scene)
    assert applied.result is Result.DONE
    assert scene.limits.values == {LimitKey.MEMORY: 256 * MIB, LimitKey.CPU: 2.0, LimitKey.PIDS: 100}
    first, second = scene.log.recent(9)
    assert first.verb == "set memory=256MiB (was 512MiB)"
    assert first.sentence == "web: memory is 256MiB, was 512MiB"
    assert (first.command, first.result, first.who) == (f"fake memory {256 * MIB}", "done", "tester")
    assert second.verb == "set cpu=2 (was none)"
    assert [event.detail for event in scene.events] == [
        "set memory=256MiB (was 512MiB) by tester: done",
        "set cpu=2 (was none) by tester: done",
    ]


def test_an_undo_puts_back_what_was_and_is_done_once() -> None:
    scene = Scene()
    applied = apply(scene)
    undone = scene.setter.undo(applied)
    assert results(undone) == [Result.DONE, Result.DONE]
    assert scene.limits.values == {LimitKey.MEMORY: 512 * MIB, LimitKey.CPU: None, LimitKey.PIDS: 100}
    assert scene.log.recent(1)[0].verb == "undo memory=512MiB (was 256MiB)"
    sent = list(scene.limits.sent)
    again, of_undo = scene.setter.undo(applied), scene.setter.undo(undone)
    assert {*results(again), *results(of_undo)} == {Result.REFUSED}
    assert scene.limits.sent == sent
    assert "undone already" in again.outcomes[0].sentence
    assert "this is an undo" in of_undo.outcomes[0].sentence


def test_an_undo_leaves_alone_what_somebody_else_has_set_since() -> None:
    scene = Scene()
    applied = apply(scene)
    scene.limits.values[LimitKey.MEMORY] = 999 * MIB
    undone = scene.setter.undo(applied)
    assert results(undone) == [Result.DONE, Result.CHANGED]
    assert scene.limits.values == {LimitKey.MEMORY: 999 * MIB, LimitKey.CPU: None, LimitKey.PIDS: 100}


@pytest.mark.parametrize("error", [SourceDown("it broke"), SourceError("it stammers"), NotInTime("it hangs")])
def test_what_was_accepted_and_cannot_be_read_back_is_unknown_and_can_be_undone(error: SourceError) -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB})

    def fail_afterwards() -> None:
        if scene.limits.sent:
            raise error

    scene.limits.on_read = fail_afterwards
    applied = scene.setter.apply(plan)
    assert results(applied) == [Result.UNKNOWN]
    assert f"was set, and the outcome is unknown: {error.reason}" in applied.outcomes[0].sentence
    assert applied.can_be_undone
    scene.limits.on_read = lambda: None
    assert results(scene.setter.undo(applied)) == [Result.DONE]
    assert scene.limits.values[LimitKey.MEMORY] == 512 * MIB


def test_a_value_that_is_not_reported_afterwards_is_unknown() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB})
    scene.limits.on_send = scene.limits.unreadable.add
    assert results(scene.setter.apply(plan)) == [Result.UNKNOWN]


@pytest.mark.parametrize("is_done", [True, False])
def test_an_engine_that_is_lost_while_it_is_asked_leaves_the_outcome_unknown(is_done: bool) -> None:
    scene = Scene()

    def break_down(key: LimitKey) -> None:
        if is_done:
            scene.limits.values[key] = 256 * MIB
        raise SourceDown("the connection was lost")

    scene.limits.on_send = break_down
    applied = apply(scene)
    assert results(applied) == [Result.UNKNOWN, Result.REFUSED]
    scene.limits.on_send = lambda _: None
    undone = scene.setter.undo(applied)
    assert results(undone) == [Result.DONE if is_done else Result.ALREADY]
    assert scene.limits.values[LimitKey.MEMORY] == 512 * MIB


def test_one_that_the_engine_refuses_does_not_hide_the_others() -> None:
    scene = Scene()

    def refuse_memory(key: LimitKey) -> None:
        if key is LimitKey.MEMORY:
            raise SourceError("the engine refused: too little")

    scene.limits.on_send = refuse_memory
    applied = apply(scene)
    assert results(applied) == [Result.FAILED, Result.DONE]
    assert applied.outcomes[0].sentence == "web: memory not done: the engine refused: too little"
    assert [entry.result for entry in scene.log.recent(9)] == ["failed", "done"]
    assert results(scene.setter.undo(applied)) == [Result.DONE]
    assert scene.limits.values == {LimitKey.MEMORY: 512 * MIB, LimitKey.CPU: None, LimitKey.PIDS: 100}


def test_who_may_not_is_told_so_once_and_nothing_else_is_tried() -> None:
    scene = Scene()

    def deny(_: LimitKey) -> None:
        raise AccessDenied("not allowed", "ask somebody")

    scene.limits.on_send = deny
    applied = apply(scene)
    assert results(applied) == [Result.DENIED, Result.REFUSED]
    assert applied.result is Result.DENIED
    assert not applied.can_be_undone


def test_a_value_that_the_engine_takes_and_does_not_apply_is_a_failure_that_says_both() -> None:
    scene = Scene(limits=FakeLimits(takes=lambda _: 512 * MIB))
    applied = apply(scene, {LimitKey.MEMORY: 256 * MIB})
    assert results(applied) == [Result.FAILED]
    assert "the engine accepted 256MiB, but it is 512MiB, was 512MiB" in applied.outcomes[0].sentence


def test_a_value_that_is_on_its_way_is_not_there_in_time() -> None:
    scene = Scene(limits=FakeLimits(takes=lambda _: 400 * MIB))
    applied = apply(scene, {LimitKey.MEMORY: 256 * MIB})
    assert results(applied) == [Result.TIMED_OUT]
    assert applied.can_be_undone


@pytest.mark.parametrize(
    ("now", "result", "said"),
    [
        (Observed("web", State.RUNNING, "second"), Result.CHANGED, "started or stopped in the meantime"),
        (Observed("web", State.STOPPED, "first"), Result.CHANGED, "it is stopped now"),
        (Observed("other", State.RUNNING, "first"), Result.CHANGED, "it is now called other"),
    ],
)
def test_one_that_is_another_than_the_planned_one_is_left_alone(now: Observed, result: Result, said: str) -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, CHANGES)
    scene.engine.states[WEB.id] = now
    applied = scene.setter.apply(plan)
    assert results(applied) == [result, Result.REFUSED]
    assert said in applied.outcomes[0].sentence
    assert scene.limits.sent == []


def test_one_that_is_gone_is_told_to_be() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, CHANGES)
    scene.engine.gone.add(WEB.id)
    assert results(scene.setter.apply(plan)) == [Result.GONE, Result.REFUSED]


def test_one_that_is_started_again_between_two_limits_gets_no_second_one() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, CHANGES)

    def restart(_: LimitKey) -> None:
        scene.engine.states[WEB.id] = Observed("web", State.RUNNING, "second")

    scene.limits.on_send = restart
    applied = scene.setter.apply(plan)
    assert results(applied) == [Result.UNKNOWN, Result.REFUSED]
    assert "started or stopped in the meantime" in applied.outcomes[0].sentence


def test_one_whose_limit_has_changed_since_it_was_shown_is_left_alone() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB})
    scene.limits.values[LimitKey.MEMORY] = 300 * MIB
    applied = scene.setter.apply(plan)
    assert results(applied) == [Result.CHANGED]
    assert "it is 300MiB now, and was 512MiB" in applied.outcomes[0].sentence


def test_what_is_there_already_is_not_sent_unless_it_is_to_be_kept() -> None:
    scene = Scene()
    assert results(apply(scene, {LimitKey.PIDS: 100})) == [Result.ALREADY]
    assert scene.limits.sent == []
    scene.setter.apply(scene.setter.plan(WEB, {LimitKey.PIDS: 100}, way=Way(is_kept=True)))
    assert scene.limits.sent == [(LimitKey.PIDS, 100)]


def test_nothing_is_set_while_actions_are_locked_and_nothing_is_undone() -> None:
    scene = Scene()
    applied = apply(scene)
    scene.runner.is_locked = True
    sent = list(scene.limits.sent)
    refused, undone = apply(scene, {LimitKey.PIDS: 5}), scene.setter.undo(applied)
    assert {*results(refused), *results(undone)} == {Result.REFUSED}
    assert "actions are locked: L unlocks them" in refused.outcomes[0].sentence
    assert scene.limits.sent == sent
    scene.runner.is_locked = False
    assert scene.setter.undo(applied).result is Result.DONE  # a refused undo was none


def test_two_at_once_do_not_set_the_limits_of_one_workload() -> None:
    scene = Scene()
    first, second = scene.setter.plan(WEB, CHANGES), scene.setter.plan(WEB, CHANGES)
    is_sending, may_go_on = threading.Event(), threading.Event()

    def hold(_: LimitKey) -> None:
        is_sending.set()
        may_go_on.wait(10)

    scene.limits.on_send = hold
    thread = threading.Thread(target=scene.setter.apply, args=(first,))
    thread.start()
    assert is_sending.wait(10)
    refused = scene.setter.apply(second)
    may_go_on.set()
    thread.join(10)
    assert set(results(refused)) == {Result.REFUSED}
    assert "being set already" in refused.outcomes[0].sentence


def test_a_name_that_another_run_has_now_is_not_undone_but_a_container_with_its_full_id_is() -> None:
    lxc = Workload(WorkloadId("lxc", "/var/lib/lxc/web"), Kind.CONTAINER, "web", State.RUNNING)
    for workload, expected in ((lxc, Result.CHANGED), (WEB, Result.DONE)):
        scene = Scene(workload)
        applied = apply(scene, {LimitKey.MEMORY: 256 * MIB})
        scene.engine.states[workload.id] = Observed("web", State.RUNNING, "second")
        assert results(scene.setter.undo(applied)) == [expected]


def test_an_undo_of_what_changed_nothing_is_refused() -> None:
    scene = Scene()
    applied = apply(scene, {LimitKey.PIDS: 100})
    assert results(scene.setter.undo(applied)) == [Result.REFUSED]


def test_an_engine_that_no_longer_has_it_when_it_is_read_back_leaves_it_unknown() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB})

    def vanish() -> None:
        if scene.limits.sent:
            raise WorkloadGone("it is gone")

    scene.limits.on_read = vanish
    assert results(scene.setter.apply(plan)) == [Result.UNKNOWN]


def test_whatever_goes_wrong_while_it_is_read_back_the_old_value_is_kept() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB})

    def stumble() -> None:
        if scene.limits.sent:
            raise KeyError("Memory")

    scene.limits.on_read = stumble
    applied = scene.setter.apply(plan)
    assert results(applied) == [Result.UNKNOWN]
    scene.limits.on_read = lambda: None
    assert results(scene.setter.undo(applied)) == [Result.DONE]


def test_one_whose_swap_has_changed_since_it_was_shown_is_left_alone() -> None:
    scene = Scene()
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB})
    scene.limits.swap = 5
    applied = scene.setter.apply(plan)
    assert results(applied) == [Result.CHANGED]
    assert "such as a period or swap, has changed" in applied.outcomes[0].sentence


def test_an_undo_to_what_is_no_amount_is_done_when_the_engine_has_its_own_value_again() -> None:
    scene = Scene(limits=FakeLimits(unreadable={LimitKey.MEMORY}))
    plan = scene.setter.plan(WEB, {LimitKey.MEMORY: 256 * MIB})
    scene.limits.on_send = scene.limits.unreadable.discard
    applied = scene.setter.apply(plan)
    assert results(applied) == [Result.DONE]
    scene.limits.on_send = scene.limits.unreadable.add
    undone = scene.setter.undo(applied)
    assert results(undone) == [Result.DONE]
    assert undone.outcomes[0].sentence == "web: memory is as it was"
