"""How an action ends whose workload, or whose engine, went in the middle. Without any daemon."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from collectors.actions import runner as runner_module
from collectors.model.actions import ActionTimedOut, Request, Result, Verb
from collectors.model.errors import SourceDown, WorkloadGone
from collectors.model.workloads import State
from tests.helpers.fake_engines import FakeEngine
from tests.unit.collectors.actions.test_actions import container, result, run


@pytest.fixture(autouse=True)
def _without_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_POLL_S", "_POLL_LOST_S", "_STAY_S"):
        monkeypatch.setattr(runner_module, name, 0.005)


def go_during_the_call(engine: FakeEngine) -> Callable[[Request], None]:
    def perform(_: Request) -> None:
        raise WorkloadGone("it is gone")

    return perform


def go_after_the_call(engine: FakeEngine) -> Callable[[Request], None]:
    engine.become = lambda request: engine.gone.add(request.workload.id)  # type: ignore[method-assign]
    return lambda _: None


@pytest.mark.parametrize("go", [go_during_the_call, go_after_the_call])
@pytest.mark.parametrize(
    ("verb", "state", "outcome"),
    [
        (Verb.STOP, State.RUNNING, Result.DONE),
        (Verb.KILL, State.RUNNING, Result.DONE),
        (Verb.REMOVE, State.STOPPED, Result.DONE),
        (Verb.START, State.STOPPED, Result.GONE),
        (Verb.RESTART, State.RUNNING, Result.GONE),
        (Verb.PAUSE, State.RUNNING, Result.GONE),
        (Verb.RESUME, State.PAUSED, Result.GONE),
    ],
)
def test_who_went_meanwhile_has_ended_and_has_done_nothing_else(
    verb: Verb, state: State, outcome: Result, go: Callable[[FakeEngine], Callable[[Request], None]]
) -> None:
    engine = FakeEngine()
    engine.on_perform = go(engine)
    assert result(run(engine, Request(verb, container(state=state)))) is outcome


def test_who_was_gone_before_is_told_to_be() -> None:
    engine = FakeEngine()
    engine.gone.add(container().id)
    action = run(engine, Request(Verb.STOP, container()))
    assert result(action) is Result.GONE
    assert engine.performed == []


def test_an_engine_that_comes_back_without_having_done_it_has_not_done_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "_EFFECT_S", 0.05)
    engine = FakeEngine()

    def lose(_: Request) -> None:
        raise SourceDown("connection reset")

    engine.on_perform = lose
    action = run(engine, Request(Verb.STOP, container()))
    assert result(action) is Result.FAILED
    assert action.outcome is not None
    assert "the connection to the engine was lost (connection reset)" in action.outcome.sentence


def test_what_was_forced_in_vain_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "_GRACE_S", 0.05)
    engine = FakeEngine()

    def be_deaf(_: Request) -> None:
        raise ActionTimedOut

    engine.on_perform = be_deaf
    engine.become = lambda request: None  # type: ignore[method-assign]
    action = run(engine, Request(Verb.STOP, container(), 0.05))
    assert result(action) is Result.FAILED
    assert engine.forced == [container().id]


def test_an_unforeseen_failure_ends_the_action_too() -> None:
    engine = FakeEngine()

    def break_down(_: Request) -> None:
        raise ZeroDivisionError("division by zero")

    engine.on_perform = break_down
    action = run(engine, Request(Verb.STOP, container()))
    assert result(action) is Result.FAILED
    assert action.outcome is not None
    assert "ZeroDivisionError: division by zero" in action.outcome.sentence
