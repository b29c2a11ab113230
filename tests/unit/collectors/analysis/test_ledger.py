"""The ledger over generated trees of workloads: it splits what the host measured, and hides no contradiction."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.ledger import Shares, ledger
from collectors.analysis.rates import Pair, Reading
from collectors.model.workloads import Kind, Sample, WorkloadId
from tests.helpers.strategies import HOST, busy, reading, workload

_KINDS = (Kind.VM, Kind.CONTAINER, Kind.SERVICE)
_MIB = 1 << 20


class Node(NamedTuple):
    """A workload of a generated tree."""

    kind: Kind
    parent: int
    """Place of the enclosing workload among those before it; a negative one: it is a top-level workload."""
    charged: int
    inactive: int
    hugetlb: int
    """MiB of its own, without those of the workloads inside it."""


_NODES = st.builds(
    Node,
    st.sampled_from(_KINDS),
    st.integers(-3, 7),
    st.integers(1, 4000),  # a group of nothing but page cache pays for it, by Docker's formula
    st.integers(0, 4000),
    st.integers(0, 4000),
)
trees = st.lists(_NODES, max_size=8)


def _rows(nodes: list[Node]) -> dict[WorkloadId, Reading]:
    """Make the readings of a tree; as in cgroups, a workload's counters include those of the workloads inside it."""
    totals = [[node.charged + node.inactive, node.inactive, node.hugetlb] for node in nodes]
    parents = [node.parent if 0 <= node.parent < place else None for place, node in enumerate(nodes)]
    for place in reversed(range(len(nodes))):
        parent = parents[place]
        if parent is not None:
            totals[parent] = [outer + inner for outer, inner in zip(totals[parent], totals[place], strict=True)]
    rows = {}
    for place, (node, total, parent) in enumerate(zip(nodes, totals, parents, strict=True)):
        enclosing = None if parent is None else WorkloadId("docker", str(parent))
        described = workload(str(place), node.kind, parent=enclosing)
        charged, inactive, hugetlb = (value * _MIB for value in total)
        rows[described.id] = reading(
            described,
            memory_charged_bytes=charged,
            memory_inactive_file_bytes=inactive,
            memory_hugetlb_bytes=hugetlb,
        )
    return rows


def _split(rows: dict[WorkloadId, Reading], host_mib: int) -> Shares:
    host = reading(workload(HOST.id, Kind.HOST), memory_charged_bytes=host_mib * _MIB)
    shares = ledger(host, rows, 4, 64 << 30).memory_bytes
    assert shares is not None
    return shares


@given(trees, st.integers(0, 4000), st.integers(0, 4000))
def test_what_workloads_of_a_tree_hold_is_split_by_kind_and_hugepages_that_nobody_uses_are_in_the_rest(
    nodes: list[Node], kernel: int, unused_hugepages: int
) -> None:
    held = {kind: sum(one.charged + one.hugetlb for one in nodes if one.kind is kind) for kind in _KINDS}
    shares = _split(_rows(nodes), sum(held.values()) + kernel + unused_hugepages)
    assert shares[:3] == tuple(held[kind] * _MIB for kind in _KINDS)
    assert shares.rest == (kernel + unused_hugepages) * _MIB


@given(trees, st.integers(0, 40_000))
def test_parts_that_exceed_the_host_leave_a_rest_below_zero(nodes: list[Node], host_mib: int) -> None:
    shares = _split(_rows(nodes), host_mib)
    parts = sum(part for part in shares[:3] if part is not None)
    assert shares.host == host_mib * _MIB, "the host is what was measured of it, whatever the parts say"
    assert parts + shares.rest == shares.host
    assert (parts > shares.host) == (shares.rest < 0)


def test_hugepages_that_only_the_machine_knows_are_not_taken_out_of_the_service_around_it() -> None:
    """The hugetlb controller is not enabled: only QEMU's process tells of them."""
    unit = workload("unit", Kind.SERVICE)
    machine = workload("vm", Kind.VM, parent=unit.id)
    rows = {
        unit.id: reading(unit, memory_charged_bytes=100 * _MIB),
        machine.id: reading(machine, memory_charged_bytes=40 * _MIB, memory_hugetlb_bytes=500 * _MIB),
    }
    assert _split(rows, 1000)[:4] == (540 * _MIB, 0, 60 * _MIB, 400 * _MIB)


def test_cpu_of_workloads_above_the_hosts_is_shown_as_a_rest_below_zero() -> None:
    """Two clocks: the cgroups' time is exact, the host's is counted in ticks."""
    rows = {(row := busy(workload(name), percent)).workload.id: row for name, percent in (("a", 50.0), ("b", 37.8))}
    cpu = ledger(busy(workload(HOST.id, Kind.HOST), 85.3), rows, 2, 0).cpu_cores
    assert cpu is not None
    assert cpu.container == pytest.approx(0.878)
    assert cpu.host == pytest.approx(0.853)
    assert cpu.rest == pytest.approx(-0.025)


@given(growth=st.integers(0, 1 << 40), cpus=st.integers(1, 256))
def test_the_cpu_of_the_host_never_exceeds_its_cores_and_the_ledger_adds_up(growth: int, cpus: int) -> None:
    samples = Pair(Sample("host", 1, cpu_total_ns=0), Sample("host", 1 + 10**9, cpu_total_ns=growth))
    host = Reading(workload(HOST.id, Kind.HOST), (samples,), host_cpus=cpus)
    value = host.value("cpu_percent")
    assert value is not None
    assert 0 <= value <= cpus * 100
    cpu = ledger(host, {}, cpus, 0).cpu_cores
    assert cpu is not None
    assert cpu.rest == cpu.host <= cpu.capacity
