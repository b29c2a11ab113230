"""Which call of Docker's or libvirt's a verb becomes, and by which connection. Without any daemon."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from collectors.engines.docker import actions as docker_module
from collectors.engines.docker.actions import DockerActions
from collectors.engines.libvirt import guest_agent
from collectors.engines.libvirt.actions import LibvirtActions
from collectors.engines.libvirt.domains import safe_xml
from collectors.engines.libvirt.facts import LibvirtFacts
from collectors.model.actions import ActionTimedOut, AfterTimeout, Request, Verb
from collectors.model.errors import SourceError
from collectors.model.facts import Fact
from collectors.model.workloads import State, Workload
from tests.unit.collectors.actions.test_actions import container, domain

CT, VM = container(), domain()


class FakeEngines:
    """A way to engines that answer at once and note what they were asked; it stands in for the access to an engine.

    Args:
        states: What inspections find, one after the other; the last one stays.
    """

    def __init__(self, *states: str) -> None:
        self.states = list(states) or ["running"]
        self.calls: list[tuple[object, ...]] = []
        self.writable: list[bool] = []
        self.domain = FakeDomain(self.calls)

    def daemon(self, _workload: Workload) -> FakeEngines:
        return self

    @contextmanager
    def client(self, _timeout_s: float) -> Iterator[FakeEngines]:
        yield self

    @contextmanager
    def connection(self, writable: bool = False) -> Iterator[FakeEngines]:
        self.writable.append(writable)
        yield self

    def inspect_container(self, _identity: str) -> dict[str, Any]:
        status = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"Name": "/web", "State": {"Status": status}, "Config": {"StopSignal": "SIGQUIT"}}

    def lookupByUUIDString(self, uuid: str) -> FakeDomain:
        assert uuid == VM.id.id
        return self.domain

    def __getattr__(self, call: str) -> Any:
        """Note any other call of Docker's client."""
        return lambda identity, **more: self.calls.append((call, *more.values()))


class FakeDomain:
    """The part of a virDomain that is asked."""

    def __init__(self, calls: list[tuple[object, ...]]) -> None:
        self._calls = calls
        self.number = 7

    def state(self) -> tuple[int, int]:
        return (1, 1)

    def ID(self) -> int:
        return self.number

    def name(self) -> str:
        return VM.name

    def isPersistent(self) -> int:
        return 1

    def hasManagedSaveImage(self, _flags: int) -> int:
        return 0

    def XMLDesc(self, _flags: int) -> str:
        return "<domain/>"

    def interfaceAddresses(self, _source: int) -> dict[str, Any]:
        return {"vnet0": {"addrs": [{"addr": "192.0.2.7"}], "hwaddr": "52:54:00:00:00:01"}, "vnet1": {"addrs": None}}

    def __getattr__(self, call: str) -> Any:
        """Note any other call."""
        return lambda: self._calls.append((call,))


def docker(engines: Any) -> DockerActions:
    return DockerActions(engines)


def libvirt(engines: Any) -> LibvirtActions:
    pytest.importorskip("libvirt")
    return LibvirtActions(engines)


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        (Verb.START, ("start",)),
        (Verb.STOP, ("stop", 7)),
        (Verb.RESTART, ("restart", 7)),
        (Verb.PAUSE, ("pause",)),
        (Verb.RESUME, ("unpause",)),
        (Verb.KILL, ("kill",)),
        (Verb.REMOVE, ("remove_container",)),
    ],
)
def test_a_verb_for_a_container_is_one_call(verb: Verb, call: tuple[object, ...]) -> None:
    engines = FakeEngines()
    docker(engines).perform(Request(verb, CT, 7))
    assert engines.calls == [call]


@pytest.mark.parametrize(("verb", "call"), [(Verb.STOP, ("kill",)), (Verb.RESTART, ("restart", 0))])
def test_forcing_a_container_is_one_call(verb: Verb, call: tuple[object, ...]) -> None:
    engines = FakeEngines()
    docker(engines).force(Request(verb, CT))
    assert engines.calls == [call]


@pytest.mark.parametrize("ended", ["exited", "dead"])
@pytest.mark.parametrize(("verb", "then"), [(Verb.STOP, []), (Verb.RESTART, [("start",)])])
def test_a_container_that_is_not_to_be_forced_is_asked_by_its_own_signal_and_waited_for(
    ended: str, verb: Verb, then: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_module, "_POLL_S", 0.001)
    engines = FakeEngines("running", "running", "running", ended)
    docker(engines).perform(Request(verb, CT, 5, AfterTimeout.LEAVE))
    assert engines.calls == [("kill", "SIGQUIT"), *then]
    assert engines.states == [ended]


def test_a_container_that_does_not_follow_is_left_and_not_started_anew() -> None:
    engines = FakeEngines("running")
    with pytest.raises(ActionTimedOut):
        docker(engines).perform(Request(Verb.RESTART, CT, 0, AfterTimeout.LEAVE))
    assert engines.calls == [("kill", "SIGQUIT")]


def test_a_domain_is_looked_at_read_only() -> None:
    engines = FakeEngines()
    seen = libvirt(engines).observe(VM)
    assert (seen.name, seen.state, seen.start) == (VM.name, State.RUNNING, "7")
    assert seen.addresses == {"192.0.2.7"}
    engines.domain.number = -1
    ended = libvirt(engines).observe(VM)
    assert (ended.start, ended.addresses) == ("", frozenset()), "the ARP table may still have the last run's"
    assert engines.writable == [False, False]
    assert engines.calls == []


@pytest.mark.parametrize(
    ("verb", "call"),
    [
        (Verb.START, "create"),
        (Verb.STOP, "shutdown"),
        (Verb.PAUSE, "suspend"),
        (Verb.RESUME, "resume"),
        (Verb.KILL, "destroy"),
    ],
)
def test_a_verb_for_a_domain_is_one_call_of_a_connection_that_may_write(verb: Verb, call: str) -> None:
    engines = FakeEngines()
    libvirt(engines).perform(Request(verb, VM))
    assert engines.calls == [(call,)]
    assert engines.writable == [True]


@pytest.mark.parametrize(("verb", "call"), [(Verb.STOP, "destroy"), (Verb.RESTART, "reset")])
def test_forcing_a_domain_is_one_call_of_a_connection_that_may_write(verb: Verb, call: str) -> None:
    engines = FakeEngines()
    libvirt(engines).force(Request(verb, VM))
    assert engines.calls == [(call,)]
    assert engines.writable == [True]


def test_a_domain_is_never_undefined() -> None:
    engines = FakeEngines()
    with pytest.raises(SourceError, match="does not undefine"):
        libvirt(engines).perform(Request(Verb.REMOVE, VM))
    assert engines.calls == []


AGENT = "<domain><devices><channel><target name='org.qemu.guest_agent.0' state='{}'/></channel></devices></domain>"


@pytest.mark.parametrize(
    ("state", "may_write", "asked"), [("connected", True, 1), ("connected", False, 0), ("disconnected", True, 0)]
)
def test_a_guest_agent_is_asked_only_where_it_listens_and_actions_are_not_locked(
    state: str, may_write: bool, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions: list[str] = []

    def ask(_reach: object, uuid: str) -> Fact:
        questions.append(uuid)
        return Fact("Debian", "its guest agent")

    monkeypatch.setattr(guest_agent, "ask_system", ask)
    engines: Any = FakeEngines()
    told = LibvirtFacts(engines, may_write)._ask_agent(VM, safe_xml(AGENT.format(state)))
    assert questions == [VM.id.id] * asked
    assert (told is not None and "while actions are locked" in told.how) is (not may_write)
