"""The built-in rules: each holds for what it is about and not for what looks like it."""

from __future__ import annotations

import pytest

from collectors.alerts.built_in import built_in_rules, condition_text, until_text
from collectors.alerts.condition import Holding
from collectors.alerts.rule import Level, Rule
from collectors.alerts.standing import QUIET_S
from collectors.alerts.watch import AlertWatch
from collectors.model.workloads import PAUSING_FAULTS, Kind, State, Workload
from docs import alert_page
from tests.helpers.alert_frames import Host
from tests.helpers.checkout import DOCS
from tests.helpers.strategies import reading, workload


def rule(name: str) -> Rule:
    return next(one for one in built_in_rules() if one.name == name)


def holds(name: str, described: Workload) -> bool | None:
    condition = rule(name).condition
    assert isinstance(condition, Holding)
    return condition.query.verdict(reading(described))


@pytest.mark.parametrize("reason", sorted(PAUSING_FAULTS))
def test_a_machine_is_at_fault_for_every_reason_that_counts_as_one(reason: str) -> None:
    described = workload("vm", Kind.VM, "qemu", state=State.PAUSED, state_reason=reason)
    assert described.is_faulted
    assert holds("machine at fault", described)


@pytest.mark.parametrize("reason", [None, "paused by a user", "saving", "migrating", "starting up", "snapshot"])
def test_a_machine_that_is_paused_on_purpose_is_not_at_fault(reason: str | None) -> None:
    assert not holds("machine at fault", workload("vm", Kind.VM, "qemu", state=State.PAUSED, state_reason=reason))


def test_a_health_check_of_one_that_is_stopped_says_nothing() -> None:
    assert holds("unhealthy", workload(health="unhealthy", state=State.RUNNING))
    assert not holds("unhealthy", workload(health="unhealthy", state=State.STOPPED))
    assert not holds("unhealthy", workload(health="starting", state=State.RUNNING))


@pytest.mark.parametrize(
    ("name", "metric", "above", "between", "below"),
    [
        ("memory limit", "memory_unreclaimable_bytes", 96, 93, 80),
        ("balloon silent", "memory_report_age_s", 200, 90, 2),
    ],
)
def test_one_ends_below_its_own_threshold_only(
    name: str, metric: str, above: float, between: float, below: float
) -> None:
    host, watch = Host(), AlertWatch([rule(name)])
    identity = host.add("it", kind=Kind.VM if name == "balloon silent" else Kind.CONTAINER)
    host.measure(identity, memory_limit_bytes=100, **{metric: above})
    begun = [alert for _ in range(40) for alert in watch.feed(host.moment())]
    assert [alert.rule.name for alert in begun] == [name]
    host.measure(identity, **{metric: between})
    assert [alert for _ in range(60) for alert in watch.feed(host.moment())] == []
    host.measure(identity, **{metric: below})
    assert [alert for _ in range(int(QUIET_S) + 2) for alert in watch.feed(host.moment())] == begun


@pytest.mark.parametrize(
    ("available", "pools", "limit"),
    [
        (0.04, 0.0, "limit 96%"),
        (0.3, 0.0, ""),  # page cache that is read again and again is taken, and can be had
        (0.02, 0.9, ""),  # of the tenth beside the pools, a fifth is left
        (0.004, 0.9, "limit 96%"),
    ],
)
def test_a_host_has_what_can_be_made_available_beside_its_hugepages(available: float, pools: float, limit: str) -> None:
    host, watch, memory = Host(), AlertWatch([rule("host memory")]), 8 << 30
    host.host_fields = {
        "memory_charged_bytes": int(0.99 * memory),
        "memory_available_bytes": int(available * memory),
    }
    host.facts = {"hugepages_total": str(int(pools * memory))} if pools else {}
    alerts = [alert for _ in range(40) for alert in watch.feed(host.moment())]
    assert [(alert.detail, alert.rule.level) for alert in alerts] == ([(limit, Level.CRITICAL)] if limit else [])


def test_page_cache_that_fills_a_limit_is_not_memory_at_its_limit() -> None:
    host, watch = Host(), AlertWatch([rule("memory limit")])
    read = host.add("it", kind=Kind.CONTAINER)
    host.measure(read, memory_limit_bytes=100, memory_charged_bytes=100, memory_unreclaimable_bytes=8)
    assert [alert for _ in range(40) for alert in watch.feed(host.moment())] == []


def test_the_memory_of_a_machine_is_judged_by_what_its_guest_reports() -> None:
    host, watch = Host(), AlertWatch([rule("memory limit")])
    machine = host.add("it", kind=Kind.VM)
    of_qemu = {"memory_unreclaimable_bytes": 1100, "memory_charged_bytes": 1100, "memory_limit_bytes": 1000}
    host.measure(machine, **of_qemu, vcpus=1, memory_available_bytes=980, memory_usable_bytes=500)
    assert [alert for _ in range(40) for alert in watch.feed(host.moment())] == []
    host.measure(machine, memory_usable_bytes=10)
    (alert,) = [alert for _ in range(40) for alert in watch.feed(host.moment())]
    assert alert.detail == "unreclaimable 97% of limit"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("cpu_stall_total_ns", "its tasks wait for a CPU"),
        ("memory_stall_full_total_ns", "its tasks wait for memory"),
        ("io_stall_full_total_ns", "all of its tasks wait for I/O at once"),
    ],
)
def test_pressure_begins_after_its_time_and_names_what_is_waited_for(field: str, words: str) -> None:
    host, watch = Host(), AlertWatch(built_in_rules())
    identity, stalled_ns, begun = host.add(), 0, []
    for _ in range(140):
        stalled_ns += 800_000_000
        host.measure(identity, **{field: stalled_ns})
        if "_full" in field:  # whatever all wait for, some do, and that is no second alarm
            host.measure(identity, **{field.replace("_full", ""): stalled_ns})
        begun += watch.feed(host.moment())
    (alert,) = begun
    assert alert.sentence.startswith(f"{words} (")


def test_one_task_that_waits_for_a_disk_while_others_go_on_is_no_pressure() -> None:
    host, watch = Host(), AlertWatch(built_in_rules())
    identity, waited_ns = host.add(), 0
    for _ in range(200):
        waited_ns += 950_000_000
        host.measure(identity, io_stall_total_ns=waited_ns, io_stall_full_total_ns=7)
        assert watch.feed(host.moment()) == []


@pytest.mark.parametrize(("some", "full"), [(0.3, 0.01), (0.15, 0.12), (0.3, None)])
def test_memory_that_some_wait_for_long_or_all_for_a_shorter_time_is_one_alert_and_ends(
    some: float, full: float | None
) -> None:
    host, watch = Host(), AlertWatch([rule("memory pressure")])
    identity, told = host.add(), []
    for second in range(100):
        waited = {"memory_stall_total_ns": int(some * second * 1e9)}
        host.measure(identity, **waited | ({"memory_stall_full_total_ns": int(full * second * 1e9)} if full else {}))
        told += watch.feed(host.moment())
    (alert,) = told
    for _ in range(int(QUIET_S) + 2):
        told += watch.feed(host.moment())
    assert told == [alert, alert]
    assert alert.end == "over"


def test_the_page_has_every_rule_as_it_is() -> None:
    page = (DOCS / "alerts.md").read_text()
    assert alert_page.with_rules(page) == page, "make docs-generate brings it up to date"
    assert all(f"\n| {one.name} | " in page for one in built_in_rules())


def test_the_texts_of_the_documentation_are_those_that_are_parsed() -> None:
    for one in built_in_rules():
        assert condition_text(one.name)
        assert bool(until_text(one.name)) == (one.until is not None)
