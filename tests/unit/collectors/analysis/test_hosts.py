"""Several hosts in one moment: whether each answers, and one of them alone."""

from __future__ import annotations

import pytest

from collectors.analysis.contacts import GONE_AFTER_S, contacts
from collectors.analysis.hosts import facts_of_host, of_one_host, size_of_host
from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import WorkloadId
from tests.helpers.far_fleet import FarFleet


def fed(fleet: FarFleet, *steps_s: float) -> Moment:
    deriver = Deriver()
    moment = deriver.feed(fleet.frame())
    for step_s in steps_s:
        moment = deriver.feed(fleet.frame(step_s))
    return moment


def test_a_host_that_answers_is_neither_silent_nor_gone() -> None:
    contact = contacts(fed(FarFleet()).frame)["hv01"]
    assert (contact.answers, contact.is_gone, contact.silent_s) == (True, False, None)


@pytest.mark.parametrize(("silent_s", "is_gone"), [(5.0, False), (GONE_AFTER_S - 1, False), (GONE_AFTER_S, True)])
def test_a_silent_host_is_gone_after_a_minute(silent_s: float, is_gone: bool) -> None:
    fleet = FarFleet()
    fleet.frame()
    fleet.silent.add("hv02")
    contact = contacts(fleet.frame(silent_s))["hv02"]
    assert not contact.answers
    assert contact.silent_s == pytest.approx(silent_s)
    assert contact.is_gone is is_gone


def test_a_host_that_never_answered_is_gone_at_once() -> None:
    fleet = FarFleet()
    fleet.silent.add("hv02")
    contact = contacts(fleet.frame())["hv02"]
    assert contact.is_gone
    assert contact.silent_s is None


def test_the_totals_are_the_sums_of_the_hosts_own() -> None:
    moment = fed(FarFleet(("a", "b", "c"), is_local=True), 1, 1)
    own = [host.ledger.cpu_cores for host in moment.hosts.values()]
    assert list(moment.hosts) == ["", "a", "b", "c"]
    assert moment.ledger.cpu_cores is not None
    assert moment.ledger.cpu_cores.host == pytest.approx(sum(shares.host for shares in own if shares is not None))
    assert moment.ledger.cpu_cores.capacity == 4 * 32


def test_a_host_that_is_gone_is_in_no_total() -> None:
    fleet = FarFleet()
    deriver = Deriver()
    deriver.feed(fleet.frame())
    before = deriver.feed(fleet.frame()).ledger.memory_bytes
    fleet.silent.add("hv02")
    stale = deriver.feed(fleet.frame(5)).ledger.memory_bytes
    after = deriver.feed(fleet.frame(GONE_AFTER_S)).ledger.memory_bytes
    assert before is not None
    assert stale is not None
    assert after is not None
    assert stale.capacity == before.capacity
    assert after.capacity == before.capacity / 2


def test_one_host_alone_is_as_if_it_were_the_only_one() -> None:
    moment = fed(FarFleet(is_local=True), 1, 1)
    alone = of_one_host(moment, "hv02")
    assert {identity.host for identity in alone.readings} == {"hv02"}
    assert len(alone.readings) == 10, "the host itself is no workload"
    assert alone.ledger == moment.hosts["hv02"].ledger
    assert alone.host is moment.hosts["hv02"].reading
    assert alone.frame.facts["hostname"] == "hv02"
    assert alone.frame.cpus == 32
    assert {state.name for state in alone.sources} == {"hv02", "demo"}
    assert {state.host for state in alone.sources} == {"", "hv02"}
    assert contacts(alone.frame)["hv02"].answers


def test_this_host_alone_has_neither_the_others_nor_their_sources() -> None:
    alone = of_one_host(fed(FarFleet(is_local=True), 1, 1), "")
    assert {identity.host for identity in alone.readings} == {""}
    assert [state.name for state in alone.sources] == ["demo"]
    assert alone.frame.host.id == WorkloadId("host", "demo")


def test_a_host_that_never_answered_alone_shows_nothing_rather_than_something_else() -> None:
    fleet = FarFleet()
    fleet.silent.add("hv02")
    alone = of_one_host(Deriver().feed(fleet.frame()), "hv02")
    assert (alone.readings, alone.host.pairs, alone.ledger.cpu_cores) == ({}, (), None)


def test_the_size_of_a_host_is_its_own() -> None:
    moment = fed(FarFleet(is_local=True), 1)
    here, there = WorkloadId("docker", "a"), WorkloadId("docker", "a", "hv01")
    assert size_of_host(moment.frame, there) == (32, 32 * 8 << 30)
    assert size_of_host(moment.frame, there._replace(host="unknown")) == (0, 0)
    assert facts_of_host(moment.frame, there)["hostname"] == "hv01"
    assert facts_of_host(moment.frame, here)["hostname"] == "demo"
    assert size_of_host(of_one_host(moment, "hv01").frame, there) == (32, 32 * 8 << 30)
