"""%LIM and OVERHEAD of virtual machines: what the guest uses of its memory, and what the hypervisor holds besides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Pair, Reading
from collectors.model.workloads import Kind, Sample
from tests.helpers.strategies import workload

MIB = 1 << 20
SHARE, OVERHEAD = "memory_of_limit_percent", "memory_overhead_bytes"


def machine(*, kind: Kind = Kind.VM, charged: int | None = None, **fields: int) -> Reading:
    """Make a reading of a VM from libvirt's sample, and from its cgroup where something is charged."""
    samples = [Sample("libvirt", 1, vcpus=1, **fields)]  # type: ignore[arg-type]  # fields are the test's
    if charged is not None:
        samples.insert(0, Sample("cgroup", 1, memory_charged_bytes=charged))
    return Reading(workload("db", kind, "qemu"), tuple(Pair(None, sample) for sample in samples))


def test_share_of_the_limit_is_what_the_guest_uses_of_what_it_has() -> None:
    reading = machine(
        charged=201 * MIB,
        memory_limit_bytes=160 * MIB,
        memory_available_bytes=150 * MIB,
        memory_usable_bytes=70 * MIB,
        memory_rss_bytes=200 * MIB,
    )
    assert reading.value(SHARE) == 50.0
    assert reading.value("memory_host_bytes") == 201 * MIB
    assert reading.value(OVERHEAD) == 40 * MIB


def test_without_a_report_of_the_guest_the_share_is_absent() -> None:
    reading = machine(charged=201 * MIB, memory_limit_bytes=160 * MIB, memory_rss_bytes=200 * MIB)
    assert reading.value(SHARE) is None
    assert reading.value("memory_inside_bytes") is None


def test_a_lower_limit_of_the_group_does_not_stand_for_the_balloon() -> None:
    reading = machine(memory_limit_bytes=160 * MIB, memory_available_bytes=150 * MIB, memory_usable_bytes=70 * MIB)
    group = Pair(None, Sample("cgroup-slow", 1, memory_limit_bytes=100 * MIB))
    both = Reading(reading.workload, (group, *reading.pairs))
    assert both.value(SHARE) == 50.0
    assert both.value("memory_limit_bytes") == 100 * MIB


def test_overhead_of_a_guest_on_hugepages_is_all_that_is_resident() -> None:
    on_hugepages = machine(memory_limit_bytes=160 * MIB, memory_hugetlb_bytes=160 * MIB, memory_rss_bytes=30 * MIB)
    assert on_hugepages.value(OVERHEAD) == 30 * MIB
    half = machine(memory_limit_bytes=160 * MIB, memory_hugetlb_bytes=80 * MIB, memory_rss_bytes=100 * MIB)
    assert half.value(OVERHEAD) == 20 * MIB
    ballooned = machine(memory_limit_bytes=100 * MIB, memory_hugetlb_bytes=160 * MIB, memory_rss_bytes=30 * MIB)
    assert ballooned.value(OVERHEAD) == 30 * MIB


def test_overhead_never_exceeds_the_memory_of_the_same_row() -> None:
    small = machine(charged=18 * MIB, memory_limit_bytes=4 * MIB, memory_rss_bytes=39 * MIB)
    assert small.value("memory_host_bytes") == 18 * MIB
    assert small.value(OVERHEAD) == 14 * MIB, "the shared libraries of the process are charged to others"


def test_overhead_is_absent_while_the_guest_has_not_touched_its_memory() -> None:
    assert machine(memory_limit_bytes=160 * MIB, memory_rss_bytes=100 * MIB).value(OVERHEAD) is None


def test_a_container_has_no_overhead_of_this_kind_and_its_old_share() -> None:
    fields = {"memory_charged_bytes": 60 * MIB, "memory_limit_bytes": 120 * MIB, "memory_rss_bytes": 60 * MIB}
    box = Reading(workload("web"), (Pair(None, Sample("cgroup", 1, **fields)),))  # type: ignore[arg-type]
    assert box.value(SHARE) == 50.0
    assert box.value(OVERHEAD) is None


SIZES = st.none() | st.integers(0, 1 << 40)


@given(charged=SIZES, limit=SIZES, available=SIZES, usable=SIZES, rss=SIZES, huge=SIZES)
def test_never_below_zero_and_never_more_than_resident(
    charged: int | None,
    limit: int | None,
    available: int | None,
    usable: int | None,
    rss: int | None,
    huge: int | None,
) -> None:
    given_fields = {
        "memory_limit_bytes": limit,
        "memory_available_bytes": available,
        "memory_usable_bytes": usable,
        "memory_rss_bytes": rss,
        "memory_hugetlb_bytes": huge,
    }
    known = {name: value for name, value in given_fields.items() if value is not None}
    reading = machine(charged=charged, **known)  # type: ignore[arg-type]  # fields are sizes
    share, overhead = reading.value(SHARE), reading.value(OVERHEAD)
    assert share is None or share >= 0
    held = reading.value("memory_host_bytes")
    assert overhead is None or (rss is not None and held is not None and 0 <= overhead <= min(rss, held))
