"""What an action brings about beside what its verb says: who is hit with it, and what is lost for good."""

from __future__ import annotations

import pytest

from collectors.actions.confirmation import besides, consequence
from collectors.actions.nested_workloads import below
from collectors.engines.docker.actions import observed
from collectors.engines.libvirt.domains import ends_on_reboot
from collectors.model.actions import AfterTimeout, Note, Observed, Request, Verb
from collectors.model.workloads import State, Workload
from tests.unit.collectors.actions.test_actions import container, domain, service

ENDING = {Verb.STOP, Verb.KILL}


def said(verb: Verb, workload: Workload, *notes: Note, after: AfterTimeout = AfterTimeout.FORCE) -> str:
    seen = Observed(workload.name, workload.state, notes=frozenset(notes))
    return " ".join(besides(Request(verb, workload, after=after, seen=seen)))


@pytest.mark.parametrize("verb", list(Verb))
def test_who_has_nothing_beside_has_no_more_sentences(verb: Verb) -> None:
    for workload in (container(), domain(), service()):
        assert said(verb, workload) == ""
        assert besides(Request(verb, workload)) == ()


@pytest.mark.parametrize("verb", list(Verb))
def test_a_transient_domain_is_gone_for_good_once_it_is_off(verb: Verb) -> None:
    assert ("definition is lost" in said(verb, domain(), Note.TRANSIENT)) is (verb in ENDING)


def test_a_domain_that_a_reboot_ends_is_off_after_it() -> None:
    words = said(Verb.RESTART, domain(), Note.OFF_AFTER_REBOOT)
    assert "A reboot turns it off" in words
    assert "definition is lost" not in words
    assert "definition is lost" in said(Verb.RESTART, domain(), Note.OFF_AFTER_REBOOT, Note.TRANSIENT)
    assert said(Verb.STOP, domain(), Note.OFF_AFTER_REBOOT) == ""


def test_a_saved_domain_is_not_said_to_boot() -> None:
    seen = Observed("db", State.STOPPED, notes=frozenset({Note.SAVED}))
    assert "restored" in consequence(Request(Verb.START, domain(), seen=seen))
    assert "boots" not in consequence(Request(Verb.START, domain(), seen=seen))
    assert "boots" in consequence(Request(Verb.START, domain(), seen=Observed("db", State.STOPPED)))


@pytest.mark.parametrize("verb", list(Verb))
def test_a_container_that_is_removed_at_its_end_is_said_to_be(verb: Verb) -> None:
    assert ("removes it" in said(verb, container(), Note.REMOVED_AT_END)) is (verb in ENDING)
    left = said(verb, container(), Note.REMOVED_AT_END, after=AfterTimeout.LEAVE)
    assert ("removes it" in left) is (verb in {*ENDING, Verb.RESTART})


def test_a_transient_unit_is_forgotten_once_it_has_stopped() -> None:
    assert "forgets the unit" in said(Verb.STOP, service(), Note.TRANSIENT)
    assert said(Verb.RESTART, service(), Note.TRANSIENT) == ""


def test_units_that_stop_with_it_are_named_a_few_and_the_rest_counted() -> None:
    seen = Observed("ssh.service", State.RUNNING, dependents=tuple(f"d{number}.service" for number in range(6)))
    words = " ".join(besides(Request(Verb.STOP, service(), seen=seen)))
    assert words == "systemd will stop with it: d0.service, d1.service, d2.service, d3.service and 2 more."
    assert "restart (or stop) with it: d0" in besides(Request(Verb.RESTART, service(), seen=seen))[0]
    assert besides(Request(Verb.START, service(), seen=seen)) == ()


INNER = container("inner", number=2, cgroup="/system.slice/ssh.service/x/docker-2.scope")
FLEET = (
    container("plain", number=1, cgroup="/docker/1"),
    INNER,
    container("at-rest", State.STOPPED, number=3, cgroup="/system.slice/ssh.service/y"),
    container("alike", number=4, cgroup="/system.slice/ssh.service2/x"),
    container("elsewhere", number=5, cgroup="/system.slice/ssh.service/z", endpoint="far:1"),
    service(),
)


def test_who_runs_inside_is_found_by_the_control_groups() -> None:
    assert below(service(), FLEET) == (INNER,)
    assert below(container("plain", number=1, cgroup="/docker/1"), FLEET) == ()
    assert below(container("root", number=8, cgroup="/"), FLEET) == ()
    assert below(container("unknown", number=8), FLEET) == ()
    assert below(container("elsewhere", number=8, cgroup="/system.slice/ssh.service", endpoint="far:1"), FLEET) == ()


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (Verb.STOP, "This also ends what runs inside it: container inner."),
        (Verb.KILL, "This also ends what runs inside it: container inner."),
        (Verb.RESTART, "This also ends what runs inside it: container inner."),
        (Verb.PAUSE, "This also pauses what runs inside it: container inner."),
        (Verb.START, ""),
        (Verb.RESUME, ""),
        (Verb.REMOVE, ""),
    ],
)
def test_who_runs_inside_is_hit_with_it(verb: Verb, words: str) -> None:
    assert " ".join(besides(Request(verb, container("outer"), nested=(INNER,)))) == words


def test_of_many_inside_a_few_are_named() -> None:
    inner = tuple(container(f"c{number}", number=number) for number in range(7))
    words = "This also ends what runs inside it: container c0, container c1, container c2, container c3 and 3 more."
    assert besides(Request(Verb.STOP, service(), nested=inner)) == (words,)


def test_what_an_inspection_tells_is_noted_and_what_it_does_not_is_not() -> None:
    assert observed({"Name": "/a", "HostConfig": {"AutoRemove": True}}).notes == {Note.REMOVED_AT_END}
    assert observed({"Name": "/a", "HostConfig": {"AutoRemove": "yes"}}).notes == frozenset()
    assert observed({"Name": "/a"}).notes == frozenset()


@pytest.mark.parametrize(
    ("xml", "ends"),
    [
        ("<domain><on_reboot>destroy</on_reboot></domain>", True),
        ("<domain><on_reboot>restart</on_reboot></domain>", False),
        ("<domain/>", False),
        ("broken", False),
    ],
)
def test_a_definition_tells_whether_a_reboot_ends_the_domain(xml: str, ends: bool) -> None:
    assert ends_on_reboot(xml) is ends
