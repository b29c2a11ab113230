"""What is offered, refused, protected, said and logged; and how the runner comes to an outcome. Without any daemon."""

from __future__ import annotations

import json
import shlex
import threading
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.actions import runner as runner_module
from collectors.actions.confirmation import consequence, equivalent
from collectors.actions.log import ActionLog, Entry
from collectors.actions.rules import is_reached, state_forbids, why_not
from collectors.actions.runner import AT_ONCE, Action, Runner
from collectors.model.actions import ActionTimedOut, AfterTimeout, Observed, Request, Result, Verb
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError
from collectors.model.workloads import Event, Kind, State, Workload, WorkloadId
from tests.helpers.fake_engines import FakeEngine, held_by
from tests.helpers.lab.process import wait_until


def container(name: str = "web", state: State = State.RUNNING, number: int = 0, **facts: object) -> Workload:
    identity = WorkloadId("docker", f"{number:064x}")
    return msgspec.structs.replace(Workload(identity, Kind.CONTAINER, name, state), **facts)


def domain(name: str = "db", state: State = State.RUNNING) -> Workload:
    return Workload(WorkloadId("qemu", "d440edb0-b597-4c69-8eca-036981f3aade"), Kind.VM, name, state)


def service(name: str = "ssh.service", state: State = State.RUNNING) -> Workload:
    return Workload(WorkloadId("systemd", f"/system.slice/{name}"), Kind.SERVICE, name, state)


def possible(workload: Workload) -> set[str]:
    return {verb.value for verb in Verb if not why_not(verb, workload)}


class TestRules:
    @pytest.mark.parametrize(
        ("workload", "verbs"),
        [
            (container(), {"stop", "restart", "pause", "kill"}),
            (container(state=State.PAUSED), {"resume", "kill"}),
            (container(state=State.STOPPED), {"start", "remove"}),
            (container(state=State.UNKNOWN), set()),
            (domain(), {"stop", "restart", "pause", "kill"}),
            (domain(state=State.STOPPED), {"start"}),
            (domain(state=State.PAUSED), {"resume", "kill"}),
            (service(), {"stop", "restart"}),
            (service(state=State.CRASHED), {"start"}),
        ],
    )
    def test_a_state_offers_what_makes_sense_in_it(self, workload: Workload, verbs: set[str]) -> None:
        assert possible(workload) == verbs

    def test_whoever_cannot_be_acted_on_has_the_reason(self) -> None:
        build = Workload(WorkloadId("buildkit", "a" * 64), Kind.CONTAINER, "build", State.RUNNING)
        assert "vmtop can only watch" in why_not(Verb.STOP, build)
        scope = Workload(WorkloadId("systemd", "/init.scope"), Kind.SERVICE, "init.scope", State.RUNNING)
        assert "only services that systemd manages" in why_not(Verb.STOP, scope)
        assert "does not undefine" in why_not(Verb.REMOVE, domain(state=State.STOPPED))

    @pytest.mark.parametrize("verb", [Verb.STOP, Verb.KILL])
    @pytest.mark.parametrize("state", [State.STOPPED, State.CREATED, State.CRASHED])
    def test_a_workload_that_ended_in_any_way_is_stopped_already(self, verb: Verb, state: State) -> None:
        assert is_reached(verb, state)

    @given(st.sampled_from(Verb), st.sampled_from(State))
    def test_what_is_reached_is_not_offered(self, verb: Verb, state: State) -> None:
        if verb is not Verb.RESTART and is_reached(verb, state):
            assert state_forbids(verb, state)


class TestWords:
    @given(st.text(min_size=1), st.sampled_from(Verb), st.sampled_from(AfterTimeout))
    def test_a_name_is_one_word_of_the_command_whatever_is_in_it(
        self, name: str, verb: Verb, after: AfterTimeout
    ) -> None:
        for workload in (container(name), domain(name), service(name)):
            unit = workload.id.id.rpartition("/")[2]
            for line in equivalent(Request(verb, workload, after=after)):
                assert {name, workload.id.id, unit} & set(shlex.split(line, comments=False))

    def test_the_consequence_tells_what_follows_the_time_out(self) -> None:
        request = Request(Verb.STOP, domain(), 60)
        assert "longer than 60 s, it is forced off" in consequence(request)
        assert equivalent(request) == ("virsh shutdown db", "virsh destroy db  # after 60 s")
        left = Request(Verb.STOP, domain(), 60, AfterTimeout.LEAVE)
        assert "left as it is" in consequence(left)
        assert equivalent(left) == ("virsh shutdown db",)


def run(engine: FakeEngine, request: Request, **more: object) -> Action:
    runner = Runner(lambda _: engine, ActionLog(), "tester")
    action = runner.submit(request)
    wait_until(lambda: action.outcome is not None, 20, "the outcome")
    return action


def result(action: Action) -> Result:
    assert action.outcome is not None
    return action.outcome.result


class TestRunner:
    def test_done_means_that_the_engine_shows_it(self) -> None:
        engine = FakeEngine()
        action = run(engine, Request(Verb.STOP, container()))
        assert result(action) is Result.DONE
        assert engine.performed == [(Verb.STOP, container().id)]

    def test_what_is_so_already_is_left_alone(self) -> None:
        engine = FakeEngine()
        assert result(run(engine, Request(Verb.START, container()))) is Result.ALREADY
        assert engine.performed == []

    def test_an_engine_that_claims_success_without_it_is_not_believed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runner_module, "_EFFECT_S", 0.3)
        engine = FakeEngine()
        engine.become = lambda request: None  # type: ignore[method-assign]
        action = run(engine, Request(Verb.PAUSE, container(), 0.2))
        assert result(action) is Result.TIMED_OUT

    def test_what_ends_right_after_its_start_is_no_success(self) -> None:
        engine, looks = FakeEngine(), list[State]()

        def end_at_the_third_look(workload: Workload) -> None:
            looks.append(workload.state)
            if len(looks) == 3:
                engine.states[workload.id] = Observed(workload.name, State.STOPPED, "first+", "exit code 3")

        engine.on_observe = end_at_the_third_look
        action = run(engine, Request(Verb.START, container(state=State.STOPPED)))
        assert result(action) is Result.FAILED
        assert action.outcome is not None
        assert "ended again: exit code 3" in action.outcome.sentence

    @pytest.mark.parametrize(("after", "forced", "outcome"), [
        (AfterTimeout.FORCE, 1, Result.DONE),
        (AfterTimeout.LEAVE, 0, Result.TIMED_OUT),
    ])  # fmt: skip
    def test_a_deaf_workload_is_forced_or_left(self, after: AfterTimeout, forced: int, outcome: Result) -> None:
        engine = FakeEngine()

        def be_deaf(request: Request) -> None:
            raise ActionTimedOut

        engine.on_perform = be_deaf
        assert result(run(engine, Request(Verb.STOP, container(), 0.1, after))) is outcome
        assert len(engine.forced) == forced

    @pytest.mark.parametrize(("failure", "outcome"), [
        (AccessDenied("no", "join the group"), Result.DENIED),
        (SourceAbsent("no socket"), Result.FAILED),
        (SourceError("refused"), Result.FAILED),
    ])  # fmt: skip
    def test_an_engine_that_cannot_be_asked_has_done_nothing(self, failure: SourceError, outcome: Result) -> None:
        engine = FakeEngine()

        def fail(workload: Workload) -> None:
            raise failure

        engine.on_observe = fail
        action = run(engine, Request(Verb.STOP, container()))
        assert result(action) is outcome
        assert action.outcome is not None
        assert failure.reason in action.outcome.sentence
        assert action.outcome.remedy == failure.remedy
        assert engine.performed == []

    def test_an_engine_that_hangs_makes_the_outcome_unknown_not_the_runner_hang(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in (
            ("_GRACE_S", 0.2),
            ("_SETTLE_S", 0.5),
            ("_POLL_LOST_S", 0.05),
            ("_EFFECT_S", 0.2),
            ("ANSWER_S", 0.2),
        ):
            monkeypatch.setattr(runner_module, name, value)
        engine = FakeEngine()
        release = threading.Event()

        def hang(request: Request) -> None:
            engine.on_observe = held_by(release)
            release.wait(20)

        engine.on_perform = hang
        began = time.monotonic()
        action = run(engine, Request(Verb.STOP, container(), 0.1))
        release.set()
        assert result(action) is Result.UNKNOWN
        assert time.monotonic() - began < 10

    def test_an_engine_that_was_lost_is_asked_again_until_it_tells(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runner_module, "_POLL_LOST_S", 0.05)
        engine = FakeEngine()
        looks = iter(range(100))

        def lose(request: Request) -> None:
            engine.become(request)  # it did it, and was lost before it could say so
            engine.on_observe = fail_twice
            raise SourceDown("connection reset")

        def fail_twice(workload: Workload) -> None:
            if next(looks) < 2:
                raise SourceAbsent("no socket")

        engine.on_perform = lose
        phases: list[str] = []
        runner = Runner(lambda _: engine, ActionLog(), "tester")
        runner.on_change(lambda action: phases.append(action.phase))
        action = runner.submit(Request(Verb.STOP, container()))
        wait_until(lambda: action.outcome is not None, 10, "the outcome")
        assert "outcome unknown" in phases
        assert result(action) is Result.DONE
        assert action.outcome is not None
        assert "confirmed after the engine came back" in action.outcome.sentence

    def test_waiting_a_minute_for_a_stop_asks_the_engine_at_most_fifty_times(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Clock:
            now = 0.0
            time = staticmethod(time.time)

            def monotonic(self) -> float:
                return self.now

            def sleep(self, seconds: float) -> None:
                self.now += seconds

        monkeypatch.setattr(runner_module, "time", Clock())
        engine = FakeEngine()
        looks: list[Workload] = []
        engine.on_observe = looks.append
        monkeypatch.setattr(engine, "perform", lambda _: None)
        action = run(engine, Request(Verb.STOP, domain(), 60.0, AfterTimeout.LEAVE))
        assert result(action) is Result.TIMED_OUT
        assert 30 <= len(looks) <= 50, "every look opens a connection"

    def test_one_workload_has_one_action_at_a_time(self) -> None:
        engine = FakeEngine()
        release = threading.Event()
        engine.on_perform = held_by(release)
        runner = Runner(lambda _: engine, ActionLog(), "tester")
        first = runner.submit(Request(Verb.STOP, container()))
        second = runner.submit(Request(Verb.KILL, container()))
        assert result(second) is Result.REFUSED
        release.set()
        wait_until(lambda: first.outcome is not None, 10, "the first outcome")
        assert engine.performed == [(Verb.STOP, container().id)]

    def test_many_actions_are_bounded_and_all_come_to_an_end(self) -> None:
        engine = FakeEngine()
        lock, under_way, most = threading.Lock(), [0], [0]

        def count(request: Request) -> None:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            time.sleep(0.02)
            with lock:
                under_way[0] -= 1

        engine.on_perform = count
        runner = Runner(lambda _: engine, ActionLog(), "tester")
        actions = [runner.submit(Request(Verb.STOP, container(f"c{n}", number=n))) for n in range(60)]
        wait_until(lambda: all(action.outcome is not None for action in actions), 30, "all outcomes")
        assert {result(action) for action in actions} == {Result.DONE}
        assert 2 <= most[0] <= AT_ONCE

    def test_locked_the_runner_itself_asks_no_engine(self) -> None:
        engine = FakeEngine()
        runner = Runner(lambda _: engine, ActionLog(), "tester")
        runner.is_locked = True
        assert result(runner.submit(Request(Verb.STOP, container()))) is Result.REFUSED
        assert engine.performed == []
        assert engine.states == {}

    def test_beginning_and_end_are_events(self) -> None:
        told: list[Event] = []
        engine = FakeEngine()
        runner = Runner(lambda _: engine, ActionLog(), "tester", told.append)
        action = runner.submit(Request(Verb.RESTART, container()))
        wait_until(lambda: action.outcome is not None and len(told) == 2, 10, "two events")
        assert [(event.what, event.detail) for event in told] == [
            ("asked", "restart"),
            ("action", "restart by tester: done"),
        ]

    def test_what_is_under_way_when_vmtop_ends_is_written_down(self) -> None:
        engine = FakeEngine()
        release = threading.Event()
        engine.on_perform = held_by(release)
        log = ActionLog()
        runner = Runner(lambda _: engine, log, "tester")
        runner.submit(Request(Verb.STOP, container()))
        wait_until(lambda: bool(engine.performed), 30, "the request")
        runner.close()
        release.set()
        assert [entry.result for entry in log.recent(10)] == ["unknown"]

    def test_an_action_ends_once_whatever_its_engine_says_later(self) -> None:
        engine, release, looked = FakeEngine(), threading.Event(), threading.Event()
        told: list[Event] = []

        def hang(request: Request) -> None:
            engine.on_observe = lambda _: looked.set()
            release.wait(10)

        engine.on_perform = hang
        log = ActionLog()
        runner = Runner(lambda _: engine, log, "tester", told.append)
        action = runner.submit(Request(Verb.STOP, container()))
        wait_until(lambda: bool(engine.performed), 30, "the request")
        runner.close()
        outcome = action.outcome
        release.set()
        assert looked.wait(10)
        runner._end(action, Result.DONE, "is stopped")
        assert action.outcome is outcome
        assert [entry.result for entry in log.recent(10)] == ["unknown"]
        assert [event.what for event in told] == ["asked", "action"]

    def test_what_was_renamed_between_the_name_and_the_look_is_left_alone(self) -> None:
        """As by `docker rename web web-old; docker rename web-new web`."""
        engine = FakeEngine()
        for seen in (Observed("web-old", State.RUNNING, "first"), None):
            engine.states[container().id] = Observed("web-old", State.RUNNING, "first")
            action = run(engine, Request(Verb.STOP, container("web"), seen=seen))
            assert result(action) is Result.CHANGED
            assert action.outcome is not None
            assert "is now called web-old" in action.outcome.sentence
        assert engine.performed == []

    def test_a_unit_named_by_an_alias_is_refused_by_its_own_name(self) -> None:
        engine = FakeEngine()
        engine.states[service("sshd.service").id] = Observed("ssh.service", State.RUNNING, "first")
        action = run(engine, Request(Verb.STOP, service("sshd.service")))
        assert result(action) is Result.REFUSED
        assert action.outcome is not None
        assert "is an alias of ssh.service" in action.outcome.sentence
        assert engine.performed == []

    def test_a_domain_that_is_seen_otherwise_than_confirmed_is_left_alone(self) -> None:
        engine = FakeEngine()
        engine.states[domain().id] = Observed("db", State.RUNNING, "9")
        request = Request(Verb.STOP, domain(), seen=Observed("db", State.RUNNING, "8"))
        assert result(run(engine, request)) is Result.CHANGED
        assert engine.performed == []


def entry(name: str = "web") -> Entry:
    return Entry(1.0, "me", "stop", "container", name, "docker", "f" * 64, "docker stop web", "done", "ok", 0.5)


class TestLog:
    def test_only_the_owner_can_read_it_and_it_outlives_the_run(self, tmp_path: Path) -> None:
        path = tmp_path / "new" / "actions.log"
        ActionLog(path).write(entry())
        assert path.stat().st_mode & 0o777 == 0o600
        assert ActionLog(path).recent(5) == [entry()]
        assert json.loads(path.read_text())["verb"] == "stop"

    def test_a_link_in_its_place_is_not_followed(self, tmp_path: Path) -> None:
        target = tmp_path / "target"
        target.write_text("precious")
        (tmp_path / "actions.log").symlink_to(target)
        log = ActionLog(tmp_path / "actions.log")
        log.write(entry())
        assert target.read_text() == "precious"
        assert "cannot be written" in log.problem
        assert log.recent(5) == [entry()]

    def test_a_torn_line_does_not_hide_the_others(self, tmp_path: Path) -> None:
        path = tmp_path / "actions.log"
        log = ActionLog(path)
        log.write(entry("one"))
        with path.open("a") as file:
            file.write('{"time": 1, "who"')
            file.write("\n")
        log.write(entry("two"))
        assert [one.name for one in log.recent(5)] == ["one", "two"]

    def test_a_long_file_is_set_aside(self, tmp_path: Path) -> None:
        path = tmp_path / "actions.log"
        path.write_bytes(b"\n" * (1 << 20 | 1))
        ActionLog(path).write(entry())
        assert (tmp_path / "actions.log.1").exists()
        assert path.stat().st_size < 1000
