"""Averages become totals whose rates are the averages again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Pair, Reading, derive
from collectors.engines.vsphere.counters import ACTIVE, CONSUMED, CPU, READY, Average, Meter, Size
from collectors.engines.vsphere.host_ledger import host_tables
from collectors.engines.vsphere.inventory import Found
from collectors.model.workloads import Kind, Sample, State, Workload, WorkloadId

SIZE = Size(2000, 4, 8 << 30, True)
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
VALUES = {CPU: 3000.0, READY: 8000.0, CONSUMED: 4096.0, ACTIVE: 1024.0, "net.received.average": 10.0}


def average(number: int, **changes: float) -> Average:
    """Return the average of a numbered beat of 20 seconds."""
    return Average(START + number * 20 * SECOND, {**VALUES, **changes})


def sample_of(meter: Meter, size: Size = SIZE) -> Sample | None:
    return meter.sample("vsphere", -START, 3600 * SECOND, size)


def reading_of(*samples: Sample | None, kind: Kind = Kind.VM) -> Reading:
    pairs: tuple[Pair, ...] = ()
    for sample in samples:
        assert sample is not None
        pairs = derive(pairs, (sample,))
    return Reading(Workload(WorkloadId("vsphere", "a"), kind, "a", State.RUNNING, endpoint="vc"), pairs)


def test_the_rates_of_two_readings_are_the_first_average() -> None:
    meter = Meter()
    meter.take("run", [average(0)], SIZE)
    reading = reading_of(sample_of(meter), sample_of(meter))
    assert reading.value("cpu_percent") == pytest.approx(150)
    assert reading.value("cpu_steal_percent") == pytest.approx(10)
    assert reading.value("cpu_wait_percent") == pytest.approx(10)
    assert reading.value("net_rx_bytes_per_second") == pytest.approx(10_240)
    assert reading.value("memory_host_bytes") == 4 << 20
    assert reading.value("memory_inside_bytes") == 1 << 20
    assert reading.value("cpu_seconds") is None


def test_each_following_average_is_a_rate_at_its_own_time() -> None:
    meter = Meter()
    meter.take("run", [average(0)], SIZE)
    before = [sample_of(meter), sample_of(meter)]
    meter.take("run", [average(0), average(1, **{CPU: 500.0})], SIZE)
    newest = sample_of(meter)
    assert newest is not None
    assert newest.at_ns == 20 * SECOND
    assert reading_of(*before, newest).value("cpu_percent") == pytest.approx(25)


def test_averages_in_reverse_order_and_known_ones_are_counted_once() -> None:
    meter, other = Meter(), Meter()
    for one, beats in ((meter, ([0], [2, 1, 0], [2, 1])), (other, ([0], [1], [2]))):
        for numbers in beats:
            one.take("run", [average(number) for number in numbers], SIZE)
    assert meter == other


def test_a_gap_a_new_run_and_a_clock_that_was_set_back_begin_new_totals() -> None:
    meter = Meter()
    meter.take("run", [average(0)], SIZE)
    first, before = sample_of(meter), sample_of(meter)
    for run, number in (("run", 9), ("other", 10), ("other", -90)):
        meter.take(run, [average(number)], SIZE)
        later = sample_of(meter)
        assert reading_of(first, before, later).value("cpu_percent") is None
        before = sample_of(meter)
        assert reading_of(later, before).value("cpu_percent") == pytest.approx(150)


def test_what_is_not_measured_is_missing() -> None:
    meter = Meter()
    assert sample_of(meter) is None
    meter.take("run", [], SIZE)
    assert sample_of(meter) is None
    nothing = Size(0, 0, 0, True)
    meter.take("run", [Average(START, {CPU: 100.0})], nothing)
    sample_of(meter, nothing)
    sample = sample_of(meter, nothing)
    assert sample is not None
    known = {name for name in Sample.__struct_fields__ if getattr(sample, name) is not None}
    assert known == {"source", "at_ns", "epoch"}


def test_a_hosts_ready_time_is_not_its_steal() -> None:
    meter, size = Meter(), Size(2000, 4, 8 << 30, False)
    meter.take("run", [average(0)], size)
    reading = reading_of(sample_of(meter, size), sample_of(meter, size), kind=Kind.HOST)
    assert reading.value("cpu_percent") == pytest.approx(150)
    assert reading.value("cpu_steal_percent") is None
    assert reading.value("cpu_wait_percent") is None


@given(
    st.lists(
        st.tuples(
            st.integers(1, 1 << 61), st.dictionaries(st.sampled_from(list(VALUES)), st.floats(0, 1 << 32), max_size=5)
        ),
        max_size=20,
    )
)
def test_no_average_makes_a_total_that_falls_or_that_a_session_cannot_hold(given: list[tuple[int, Any]]) -> None:
    meter = Meter()
    before: Sample | None = None
    for at_ns, values in given:
        meter.take("run", [Average(at_ns, values)], SIZE)
        sample = sample_of(meter)
        assert sample is not None
        if before is not None and before.epoch == sample.epoch and before.cpu_total_ns and sample.cpu_total_ns:
            assert sample.cpu_total_ns >= before.cpu_total_ns
        assert all(
            value < 1 << 63 for name in Sample.__struct_fields__ if isinstance(value := getattr(sample, name), int)
        )
        before = sample


def test_the_ledger_of_a_host_leaves_out_what_it_does_not_report() -> None:
    host = Found(None, {"summary.hardware.cpuMhz": 2000, "summary.hardware.numCpuCores": 4})
    own = [average(0, **{CPU: 6000.0}), average(1, **{CPU: 4000.0})]
    ledger = host_tables(host, [[average(1, **{CPU: 1000.0})], []], own)[1]
    assert [row[1] for row in ledger.rows] == pytest.approx([0.5, 1.5, 2.0, 4])
    assert [row[1] for row in host_tables(host, [], [])[1].rows] == [None, None, None, 4]
