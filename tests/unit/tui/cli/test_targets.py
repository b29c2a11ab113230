"""Nothing is done, and nothing is called absent, while someone who could know the name has not answered."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest

from collectors.actions.silent_sources import Asked, silent
from collectors.engines.base import Engine
from collectors.engines.registry import ENGINES
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown
from collectors.model.workloads import Availability, SourceState, Workload
from collectors.sampling import worker as worker_module
from collectors.sampling.source import SourceReading, SourceSpec
from tests.unit.collectors.actions.test_actions import container, domain, service
from tests.unit.collectors.sampling.test_worker import FakeSource, Step, fail
from tui.cli import sampling, targets
from tui.cli.exit_codes import NO_ANSWER, NO_SUCH, NOT_ALLOWED
from tui.cli.sampling import Wait
from tui.cli.targets import Chosen, choose

ID = f"{1:064x}"
KINDS = ("host", "cgroup", "docker", "libvirt", "systemd")


def has(*workloads: Workload) -> Step:
    return lambda: SourceReading({one.id: one for one in workloads}, {})


def late(step: Step) -> Step:
    """Run into a time-out at first."""
    steps = [fail(NotInTime("docker did not answer within 30 s")), step]
    return lambda: (steps.pop(0) if len(steps) > 1 else step)()


def never() -> SourceReading:
    """Run into a time-out always."""
    raise NotInTime("docker did not answer within 30 s")


Choose = Callable[..., Chosen]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Choose names where some sources answer as a test says, and the others with nothing."""
    monkeypatch.setattr(worker_module, "HUNG_AFTER_S", 0.0)
    monkeypatch.setattr(targets, "_RETURN_S", 5.0)

    def run(*names: str, **steps: Step) -> Chosen:
        def make(kind: str) -> FakeSource:
            source = FakeSource(steps.get(kind, has()))
            source.holds_tick = kind in ("host", "cgroup")
            source.is_authority = kind in ("docker", "libvirt")
            return source

        monkeypatch.setattr(sampling, "load_source", lambda kind: lambda **_: make(kind))
        kinds = dict.fromkeys((*KINDS, *steps))
        specs = [SourceSpec(kind, {"url": "unix:///tmp/hung.sock"} if kind == "docker" else {}) for kind in kinds]
        return choose(names, specs, Wait(10, itertools.count().__next__))  # its seconds are frames

    return run


def test_one_that_is_slow_to_answer_is_waited_for(asked: Choose) -> None:
    assert asked("web", docker=late(has(container("web")))).workloads == [container("web")]


def test_what_was_not_found_while_one_is_silent_is_not_called_absent(
    asked: Choose, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked("web", docker=never).code == NO_ANSWER
    said = capsys.readouterr().err
    assert "vmtop: web: docker at unix:///tmp/hung.sock has not answered for 10 s and could know that name" in said
    assert "nothing was done" in said
    assert "use vm:web, service:web or a full id to skip it), or wait longer with --wait 40" in said
    assert "no such workload" not in said


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine.specs({})], ids=lambda engine: engine.name)
@pytest.mark.parametrize("step", [never, fail(SourceDown("it broke"))], ids=["late", "down"])
def test_whichever_engine_does_not_answer_the_name_is_not_called_absent(
    asked: Choose, capsys: pytest.CaptureFixture[str], engine: Engine, step: Step
) -> None:
    kind = min(engine.kinds)
    assert asked(f"{kind}:web", **{engine.name: step}).code == NO_ANSWER
    assert "no such workload" not in capsys.readouterr().err
    others = {"vm", "container"} - engine.kinds
    assert all(asked(f"{other}:web", **{engine.name: step}).code == NO_SUCH for other in others)


def test_what_was_found_while_one_is_silent_may_be_someone_else(asked: Choose) -> None:
    chosen = asked("web", docker=never, libvirt=has(domain("web")))
    assert (chosen.code, chosen.workloads) == (NO_ANSWER, [])


def test_a_kind_asks_only_those_who_know_it(asked: Choose) -> None:
    assert asked("vm:web", docker=never, systemd=never, libvirt=has(domain("web"))).workloads == [domain("web")]
    assert asked("ct:web", libvirt=never, systemd=never, docker=has(container("web"))).workloads == [container("web")]
    assert asked("svc:ssh", libvirt=never, docker=never, cgroup=has(service())).workloads == [service()]


def test_a_full_id_asks_no_one_else(asked: Choose) -> None:
    chosen = asked(ID, libvirt=never, systemd=never, docker=has(container("web", number=1)))
    assert [one.name for one in chosen.workloads] == ["web"]


def test_a_full_id_that_only_the_kernel_has_seen_waits_for_its_engine(asked: Choose) -> None:
    """Whether it is protected stands in its labels."""
    bare = msgspec.structs.replace(container(ID[:12], number=1), name_is_known=False)
    assert asked(ID, docker=never, cgroup=has(bare)).code == NO_ANSWER


def test_a_full_id_that_was_not_found_waits_for_all(asked: Choose) -> None:
    assert asked(ID, docker=never).code == NO_ANSWER


@pytest.mark.parametrize("failure", [SourceDown("connection refused"), ConnectionError("reset")])
def test_one_that_is_down_has_not_answered_and_says_why(
    asked: Choose, capsys: pytest.CaptureFixture[str], failure: Exception
) -> None:
    assert asked("db", libvirt=fail(failure), docker=has(container("db"))).code == NO_ANSWER
    said = capsys.readouterr().err
    assert str(failure) in said
    assert "for 5 s" in said, "what is down is not waited for as long as what is late"
    assert "--wait" not in said


def test_one_that_has_answered_and_is_late_with_its_second_answer_has_answered(asked: Choose) -> None:
    state = SourceState("docker", Availability.STALE, "", "docker has not responded for 4 s", read_at_ns=1)
    assert silent("web", [], [Asked(SourceSpec("docker"), state)]) == []


def test_one_that_is_not_there_has_answered(asked: Choose) -> None:
    chosen = asked("web", libvirt=fail(SourceAbsent("none here")), docker=has(container("web")))
    assert chosen.workloads == [container("web")]


def test_one_that_may_not_be_read_is_no_reason_to_call_a_name_absent(
    asked: Choose, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = fail(AccessDenied("no permission to use the socket", "join the group"))
    assert asked("web", docker=closed).code == NOT_ALLOWED
    said = capsys.readouterr().err
    assert "docker may not be read: no permission to use the socket" in said
    assert "join the group" in said
    assert "no such workload" not in said
    assert asked("vm:web", docker=closed).code == NO_SUCH
    assert asked("web", docker=closed, libvirt=has(domain("web"))).workloads == [domain("web")]


def test_a_name_of_no_one_is_absent_once_all_have_answered(asked: Choose, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked("web", docker=has(container("web-canary"))).code == NO_SUCH
    assert "web: no such workload; did you mean container:web-canary? Nothing was done." in capsys.readouterr().err


def test_a_service_in_no_list_is_taken_for_a_unit_once_all_have_answered(asked: Choose) -> None:
    assert [one.id.id for one in asked("service:calm").workloads] == ["/system.slice/calm.service"]
    assert asked("calm.service", docker=never).code == NO_ANSWER
    assert asked("service:calm", systemd=never).code == NO_ANSWER
    assert asked("calm").code == NO_SUCH


def test_of_several_names_each_is_told_and_none_is_done(asked: Choose, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = asked("vm:db", "vm:none", "web", docker=never, libvirt=has(domain("db")))
    assert chosen.code == NO_ANSWER
    said = capsys.readouterr().err
    assert "vm:none: no such workload" in said
    assert "web: docker" in said


def test_a_container_may_be_known_to_a_libvirt_that_runs_containers() -> None:
    waiting = SourceState("libvirt", Availability.WAITING)
    for uri, count in (("lxc:///system", 1), ("qemu:///system", 0), (None, 0)):
        assert len(silent("ct:web", [], [Asked(SourceSpec("libvirt", {"uri": uri}), waiting)])) == count
