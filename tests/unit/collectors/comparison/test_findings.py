"""Findings: every rule speaks in a true case, is silent in a false one, and never gives an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from collectors.comparison.findings import KEYS, READINGS, RULES, Finding, correlation, findings
from collectors.comparison.window_statistics import Past
from collectors.model.facts import Fact
from collectors.model.workloads import Kind, State, Workload, WorkloadId

GIB = float(1 << 30)


def past(
    name: str = "one", kind: Kind = Kind.CONTAINER, ticks: int = READINGS, **values: float | Sequence[float | None]
) -> Past:
    """A running workload with the metrics that rules read, which stand still or go through a list."""
    assert values.keys() <= set(KEYS), "a rule that reads another metric needs it in KEYS"
    columns: dict[str, list[float | None]] = {key: [None] * ticks for key in KEYS}
    for key, value in values.items():
        columns[key] = [value] * ticks if isinstance(value, float) else list(value)
    workload = Workload(WorkloadId("x", name), kind, name, State.RUNNING)
    return Past(workload, [float(tick) for tick in range(ticks)], columns)


def told(one: Past, **facts: float | str) -> dict[WorkloadId, dict[str, Fact]]:
    return {one.workload.id: {key: Fact(value, "test") for key, value in facts.items()}}


def rules(pasts: Sequence[Past], facts: dict[WorkloadId, dict[str, Fact]] | None = None) -> list[str]:
    return [finding.rule for finding in findings(pasts, facts or {})]


def small(inside: float = 0.09 * GIB, kind: Kind = Kind.VM, ticks: int = READINGS) -> Past:
    return past("vm", kind, ticks, memory_host_bytes=GIB, memory_inside_bytes=inside, vcpus=1.0)


def test_a_machine_that_uses_a_tenth_could_be_a_container() -> None:
    one = small()
    assert rules([one], told(one, system="debian 12, its own kernel")) == ["vm-could-be-container"]


@pytest.mark.parametrize(
    ("one", "system"),
    [
        (small(0.11 * GIB), "debian 12"),
        (small(kind=Kind.CONTAINER), "debian 12"),
        (small(ticks=READINGS - 1), "debian 12"),
        (small(), "microsoft win/11"),
        (small(), ""),
    ],
)
def test_a_machine_that_uses_more_or_is_of_another_family_could_not(one: Past, system: str) -> None:
    assert "vm-could-be-container" not in rules([one], told(one, system=system))
    assert "vm-could-be-container" not in rules([one])


def test_a_privileged_container_in_the_hosts_namespaces_isolates_nothing() -> None:
    one = past()
    everything = told(one, is_privileged=1.0, namespaces_shared="mnt pid net ipc uts user")
    assert rules([one], everything) == ["container-isolates-nothing"]
    assert rules([one], told(one, is_privileged=0.0, namespaces_shared="pid net ipc")) == []
    assert rules([one], told(one, is_privileged=1.0, namespaces_shared="user net")) == []
    assert rules([one], told(one, is_privileged=1.0)) == []


@pytest.mark.parametrize(
    ("key", "rule"), [("memory_of_limit_percent", "memory-limit-unused"), ("cpu_of_limit_percent", "cpu-limit-unused")]
)
def test_a_limit_that_is_never_half_used_is_told(key: str, rule: str) -> None:
    def limited(*values: float) -> Past:
        one = past(ticks=len(values))
        one.values[key] = list(values)
        return one

    assert rules([limited(*[49.0] * READINGS)]) == [rule]
    assert rules([limited(*[51.0] * READINGS)]) == []
    assert rules([limited(*[10.0] * (READINGS - 3), 90.0, 90.0, 90.0)]) == [], "the 95th percentile is above half"
    assert rules([limited(*[10.0] * (READINGS - 1))]) == [], "too few readings"


def test_a_quota_that_throttles_is_told() -> None:
    assert rules([past(cpu_throttled_percent=20.0)]) == ["quota-throttles"]
    assert rules([past(cpu_throttled_percent=19.0)]) == []
    assert rules([past(ticks=10, cpu_throttled_percent=20.0)]) == ["quota-throttles"], "ten readings are enough for it"
    assert rules([past(ticks=9, cpu_throttled_percent=20.0)]) == []


def test_a_machine_that_does_not_report_its_memory_is_told() -> None:
    assert rules([past(kind=Kind.VM, vcpus=2.0)]) == ["balloon-silent"]
    assert rules([past(kind=Kind.VM, vcpus=2.0, memory_inside_bytes=GIB)]) == []
    assert rules([past(kind=Kind.VM)]) == [], "libvirt does not tell of it at all"
    assert rules([past(kind=Kind.CONTAINER, vcpus=2.0)]) == []


def test_two_that_wait_at_the_same_times_are_told() -> None:
    course = [5.0, 20.0, 10.0] * (READINGS // 3)
    opposite = [20.0, 5.0, 10.0] * (READINGS // 3)
    one, other = past("one", cpu_wait_percent=course), past("two", cpu_wait_percent=[value * 2 for value in course])
    (finding,) = findings([one, other], {})
    assert finding.rule == "stall-together"
    assert finding.names == ("one", "two")
    assert rules([one, past("two", cpu_wait_percent=opposite)]) == []
    assert rules([one, past("two", cpu_wait_percent=[value / 10 for value in course])]) == [], "it hardly waits"
    assert rules([one, past("two", cpu_wait_percent=10.0)]) == [], "it does not change"


def test_correlation_is_pearsons() -> None:
    assert correlation([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]) == pytest.approx(1.0)
    assert correlation([(1.0, 6.0), (2.0, 4.0), (3.0, 2.0)]) == pytest.approx(-1.0)
    assert correlation([(1.0, 1.0)]) is None
    assert correlation([(1.0, 5.0), (2.0, 5.0)]) is None


def test_what_does_not_run_is_not_judged() -> None:
    one = past(cpu_throttled_percent=90.0)
    stopped = one._replace(workload=Workload(one.workload.id, Kind.CONTAINER, "one", State.PAUSED))
    assert findings([stopped], {}) == []


ORDERS = ("should", "must", "have to", "consider", "please")


@pytest.mark.parametrize(
    "make",
    [
        lambda: findings([small()], told(small(), system="debian")),
        lambda: findings([past(cpu_throttled_percent=50.0)], {}),
        lambda: findings([past(memory_of_limit_percent=1.0)], {}),
        lambda: findings([past(kind=Kind.VM, vcpus=1.0)], {}),
    ],
)
def test_a_finding_is_a_sentence_with_evidence_and_no_order(make: Callable[[], list[Finding]]) -> None:
    (finding,) = make()
    assert not any(word in finding.sentence.lower() for word in ORDERS)
    assert any(character.isdigit() for character in finding.evidence) or "no balloon" in finding.evidence


def test_every_rule_has_a_condition_and_a_source() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.condition and rule.source for rule in RULES)
