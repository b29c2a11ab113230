"""Which engine owns a container: nothing is asked of, or done through, one that does not list it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from collectors.actions.rules import why_not
from collectors.actions.verbs import VERBS
from collectors.engines.docker.access import DockerAccess
from collectors.engines.docker.connection.client import WrongEngine
from collectors.engines.podman.access import PodmanAccess
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec

ID = "a" * 64


def container(engine: str, is_listed: bool | None, cgroup: str = f"/machine.slice/libpod-{ID}.scope") -> Workload:
    return Workload(WorkloadId(engine, ID), Kind.CONTAINER, "web", State.RUNNING, cgroup=cgroup, is_listed=is_listed)


OWNED = [("docker", True), ("docker", None), ("podman", True)]
"""With `None` Docker does not answer, and a request shows why; for Podman its socket was not given."""
NOT_OWNED = [("docker", False), ("podman", False), ("podman", None)]


class Daemon:
    """An engine of this host that has every container, and notes what it is asked."""

    shown = ""

    def __init__(self, engine: str, wanted: str) -> None:
        self.engine = engine
        self.wanted = wanted
        self.asked: list[str] = []

    @contextmanager
    def client(self, _timeout_s: float = 3.0) -> Iterator[Daemon]:
        self.asked.append("client")
        if self.engine != self.wanted:
            raise WrongEngine("another one answers")
        yield self

    def inspect_container(self, identity: str) -> dict[str, Any]:
        self.asked.append(identity)
        return {"Id": identity}


def access_to(wanted: str, *engines: str) -> tuple[DockerAccess, list[Daemon]]:
    kind = PodmanAccess if wanted == "podman" else DockerAccess
    access = kind([SourceSpec(engine) for engine in engines])
    daemons = [Daemon(engine, wanted) for engine in engines]
    access._daemons = daemons  # type: ignore[assignment]  # played
    return access, daemons


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("engine", "is_listed"), NOT_OWNED)
def test_nothing_is_offered_for_a_container_that_no_engine_lists(
    verb: Any, engine: str, is_listed: bool | None
) -> None:
    reason = why_not(verb, container(engine, is_listed))
    assert "can only watch Podman's" in reason if engine == "podman" else "no engine that vmtop asks knows it" in reason


@pytest.mark.parametrize(("engine", "is_listed"), OWNED)
def test_a_container_that_an_engine_lists_can_be_stopped(engine: str, is_listed: bool | None) -> None:
    (stop,) = [verb for verb in VERBS if str(verb) == "stop"]
    assert why_not(stop, container(engine, is_listed)) == ""


@pytest.mark.parametrize(("engine", "is_listed"), NOT_OWNED)
def test_another_engine_is_not_asked_about_it(engine: str, is_listed: bool | None) -> None:
    access, (daemon,) = access_to(engine, "docker")
    workload = container(engine, is_listed)
    for ask in (access.daemon, access.raw_description, access.open_console):
        with pytest.raises(SourceAbsent):
            ask(workload)
    with pytest.raises(SourceError):
        access.open_log(workload).last(1)
    with pytest.raises(SourceAbsent):
        access.actions(workload).observe(workload)
    with access.facts(False) as read, pytest.raises(SourceAbsent):
        read(workload)
    assert daemon.asked == []


@pytest.mark.parametrize(("engine", "place"), [("docker", 1), ("podman", 0)])
def test_of_two_engines_the_one_of_its_kind_has_it_even_if_both_say_so(engine: str, place: int) -> None:
    access, daemons = access_to(engine, "podman", "docker")
    daemon: Any = access.daemon(container(engine, True))
    assert daemon is daemons[place]


def test_a_container_that_only_an_engine_of_another_kind_has_is_gone() -> None:
    access, _ = access_to("podman", "docker", "docker")
    with pytest.raises(WorkloadGone):
        access.daemon(container("podman", True))


@pytest.mark.parametrize(
    ("cgroup", "remedy"),
    [
        (f"/machine.slice/libpod-{ID}.scope", "sudo systemctl enable"),
        (f"/user.slice/user-0.slice/session-1.scope/libpod-payload-{ID}", "sudo systemctl enable"),
        (
            f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope",
            "systemctl --user -M 1000@ enable",
        ),
    ],
)
def test_what_enables_the_socket_that_would_reach_it_is_named(cgroup: str, remedy: str) -> None:
    (stop,) = [verb for verb in VERBS if str(verb) == "stop"]
    assert f"(fix: {remedy} --now podman.socket" in why_not(stop, container("podman", None, cgroup))
