"""From counters to values: rates are never negative or infinite, and the ledger adds up."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis import rates
from collectors.analysis.ledger import Shares, ledger
from collectors.analysis.rates import Deriver, Pair, Reading, delta, derive
from collectors.model.metrics import METRICS, Unit
from collectors.model.workloads import Frame, Kind, Sample, Workload
from collectors.session.format import COLUMNS, is_counter
from tests.helpers.strategies import HOST, NS, busy, frame, reading, readings, samples, workload

_RATES = [key for key, metric in METRICS.items() if "second" in metric.unit or key.endswith("per_second")]


@given(samples, samples, st.sampled_from([name for name in COLUMNS if is_counter(name)]))
def test_a_rate_is_absent_or_finite_and_not_negative(before: Sample, after: Sample, name: str) -> None:
    rate = Reading(workload(), derive(derive((), (before,)), (after,))).rate(name)
    assert rate is None or (math.isfinite(rate) and rate >= 0)


@given(readings())
def test_every_metric_of_any_reading_is_absent_or_a_number(one: Reading) -> None:
    for key, metric in METRICS.items():
        value = one.value(key)
        assert value is None or isinstance(value, float | int)
        if value is not None and metric.unit in (Unit.BYTES, Unit.BYTES_PER_SECOND, Unit.PER_SECOND):
            assert math.isfinite(value)
            assert value >= 0


def test_growth_over_time_is_the_rate() -> None:
    before = Sample("cgroup", NS, cpu_total_ns=0, disk_read_total_bytes=1000)
    after = Sample("cgroup", 3 * NS, cpu_total_ns=NS, disk_read_total_bytes=5000)
    one = Reading(workload(), (Pair(before, after),))
    assert one.value("cpu_percent") == 50.0
    assert one.value("disk_read_bytes_per_second") == 2000.0


def test_first_sample_has_no_rate() -> None:
    (pair,) = derive((), (Sample("cgroup", NS, cpu_total_ns=5),))
    assert delta(pair, "cpu_total_ns") is None
    assert Reading(workload(), (pair,)).value("cpu_percent") is None


def test_a_counter_that_stood_still_has_a_rate_of_zero() -> None:
    pair = Pair(Sample("cgroup", NS, cpu_total_ns=5), Sample("cgroup", 3 * NS, cpu_total_ns=5))
    assert delta(pair, "cpu_total_ns") == (0, 2 * NS)
    assert Reading(workload(), (pair,)).value("cpu_percent") == 0.0


@given(st.integers(1, 2**63), st.integers(1, 2**63))
def test_counter_reset_gives_no_rate(high: int, fall: int) -> None:
    before, after = Sample("cgroup", NS, cpu_total_ns=high + fall), Sample("cgroup", 2 * NS, cpu_total_ns=high)
    assert Reading(workload(), derive(derive((), (before,)), (after,))).rate("cpu_total_ns") is None


@given(samples, samples)
def test_new_owner_of_the_counters_gives_no_rate(before: Sample, after: Sample) -> None:
    after = msgspec.structs.replace(after, epoch=before.epoch + "-next", source=before.source)
    (pair,) = derive(derive((), (before,)), (after,))
    assert pair == Pair(None, after)


def test_repeated_sample_keeps_its_rate() -> None:
    before, after = Sample("libvirt", NS, cpu_total_ns=0), Sample("libvirt", 2 * NS, cpu_total_ns=NS)
    pairs = derive(derive((), (before,)), (after,))
    assert derive(pairs, (after,)) == pairs


def test_sample_from_the_past_starts_anew() -> None:
    late, early = Sample("cgroup", 2 * NS, cpu_total_ns=5), Sample("cgroup", NS, cpu_total_ns=7)
    assert derive(derive((), (late,)), (early,)) == (Pair(None, early),)


def test_first_source_that_has_a_field_supplies_it() -> None:
    kernel = Pair(None, Sample("cgroup", NS, memory_charged_bytes=10))
    daemon = Pair(None, Sample("docker-stats", NS, memory_charged_bytes=99, pids=3))
    one = Reading(workload(), (kernel, daemon))
    assert one.gauge("memory_charged_bytes") == 10
    assert one.gauge("pids") == 3
    supplier = one.supplier("pids")
    assert supplier is not None
    assert supplier.source == "docker-stats"


def _parts(shares: Shares) -> float:
    return (shares.vm or 0.0) + (shares.container or 0.0) + (shares.service or 0.0) + shares.rest


@given(st.lists(readings(), max_size=6), readings())
def test_ledger_adds_up_for_any_readings(rows: list[Reading], host: Reading) -> None:
    split = ledger(host, {row.workload.id: row for row in rows}, 4, 8 << 30)
    for shares in split:
        if shares is not None:
            largest = max(abs(part) for part in shares if part is not None)
            assert _parts(shares) == pytest.approx(shares.host, abs=1e-9 * max(1.0, largest))
            assert min((part for part in shares[:3] if part is not None), default=0.0) >= 0
            assert all(math.isfinite(part) for part in shares if part is not None)


@given(
    st.lists(st.tuples(st.sampled_from((Kind.VM, Kind.CONTAINER, Kind.SERVICE)), st.floats(0, 90)), max_size=4),
    st.floats(0, 40),
)
def test_ledger_equals_the_host_when_the_workloads_fit_in_it(rows: list[tuple[Kind, float]], rest: float) -> None:
    described = {
        (one := busy(workload(str(index), kind), cpu)).workload.id: one for index, (kind, cpu) in enumerate(rows)
    }
    total = sum(cpu for _, cpu in rows) + rest
    cpu = ledger(busy(workload("host", Kind.HOST), total), described, 4, 8 << 30).cpu_cores
    assert cpu is not None
    assert cpu.host == pytest.approx(total / 100, abs=1e-6)
    assert cpu.rest == pytest.approx(rest / 100, abs=1e-6)


def _nested(inner_kind: Kind) -> Shares:
    outer = workload("node", Kind.CONTAINER)
    inner = workload("inner", inner_kind, parent=outer.id)
    rows = {outer.id: busy(outer, 80.0), inner.id: busy(inner, 30.0)}
    cpu = ledger(busy(workload("host", Kind.HOST), 100.0), rows, 4, 8 << 30).cpu_cores
    assert cpu is not None
    return cpu


def test_a_kind_that_cannot_be_measured_is_unknown_and_in_the_rest() -> None:
    silent, measured = workload("silent", Kind.VM), workload("web")
    rows = {silent.id: reading(silent), measured.id: busy(measured, 30.0)}
    cpu = ledger(busy(workload("host", Kind.HOST), 100.0), rows, 4, 8 << 30).cpu_cores
    assert cpu is not None
    assert cpu.vm is None, "there is one, and nothing tells what it uses"
    assert cpu.service == 0, "there is none"
    assert cpu.host == pytest.approx(1.0)
    assert cpu.rest == pytest.approx(0.7)


def test_nested_workload_is_not_counted_twice() -> None:
    cpu = _nested(Kind.CONTAINER)
    assert cpu.container == pytest.approx(0.8)
    assert cpu.rest == pytest.approx(0.2)


def test_nested_workload_counts_under_its_own_kind() -> None:
    cpu = _nested(Kind.VM)
    assert cpu.vm == pytest.approx(0.3)
    assert cpu.container == pytest.approx(0.5)


def test_nested_workload_is_taken_from_the_nearest_ancestor_that_is_measured() -> None:
    outer = workload("outer")
    middle = workload("middle", parent=outer.id)
    inner = workload("inner", parent=middle.id)
    rows = {outer.id: busy(outer, 80.0), middle.id: reading(middle), inner.id: busy(inner, 30.0)}
    cpu = ledger(busy(workload("host", Kind.HOST), 100.0), rows, 4, 8 << 30).cpu_cores
    assert cpu is not None
    assert cpu.container == pytest.approx(0.8)


def test_workload_that_is_its_own_ancestor_does_no_harm() -> None:
    one, other = workload("one"), workload("other")
    loop = [
        msgspec.structs.replace(one, parent=other.id),
        msgspec.structs.replace(other, parent=one.id),
    ]
    rows = {described.id: reading(described) for described in loop}
    ledger(busy(workload("host", Kind.HOST), 100.0), rows, 4, 8 << 30)


def test_remote_workloads_are_not_in_this_hosts_ledger() -> None:
    far = workload("far", endpoint="tcp://elsewhere:2376")
    cpu = ledger(busy(workload("host", Kind.HOST), 100.0), {far.id: busy(far, 500.0)}, 4, 8 << 30).cpu_cores
    assert cpu is not None
    assert (cpu.container, cpu.rest) == (0.0, 1.0)


def test_ledger_is_absent_until_the_host_has_a_rate() -> None:
    deriver = Deriver()
    described: dict[Workload, dict[str, int]] = {workload(): {"cpu_total_ns": 0, "memory_charged_bytes": 5}}
    first = deriver.feed(frame(1, described, {"cpu_total_ns": 0, "memory_charged_bytes": 10}))
    assert first.ledger.cpu_cores is None
    assert first.ledger.memory_bytes == Shares(0, 5, 0, 5, 10, 8 << 30)
    second = deriver.feed(frame(2, {workload(): {"cpu_total_ns": NS}}, {"cpu_total_ns": 2 * NS}))
    assert second.ledger.cpu_cores == Shares(0, 1, 0, 1, 2, 4)
    assert second.host.workload.id == HOST


def test_workload_that_left_and_came_back_has_no_rate_over_the_gap() -> None:
    deriver = Deriver()
    deriver.feed(frame(1, {workload(): {"cpu_total_ns": 0}}))
    deriver.feed(frame(2, {}))
    back = deriver.feed(frame(3, {workload(): {"cpu_total_ns": NS}}))
    assert back.readings[workload().id].value("cpu_percent") is None


_STEPS = st.lists(
    st.lists(st.tuples(st.sampled_from(("cgroup", "libvirt")), st.integers(0, 1), st.booleans()), max_size=2),
    max_size=8,
)
"""Frames of up to two samples: the source, which of two states of the counters, and whether the last is repeated."""


def pictured(at_s: int, *taken: Sample) -> Frame:
    """Return a frame of one workload."""
    one = workload()
    empty = frame(at_s, {})
    return msgspec.structs.replace(empty, workloads={one.id: one}, samples={**empty.samples, one.id: taken})


def fed(deriver: Deriver, at_s: int, *taken: Sample) -> Reading:
    """Feed a frame of one workload and return its reading."""
    return deriver.feed(pictured(at_s, *taken)).readings[workload().id]


@given(_STEPS, st.lists(samples, min_size=2, max_size=2), st.sets(st.integers(1, 8)))
def test_a_reading_says_what_one_that_knows_nothing_of_the_past_would_say(
    steps: list[list[tuple[str, int, bool]]], states: list[Sample], asked_for_nothing: set[int]
) -> None:
    deriver, last = Deriver(), dict[str, Sample]()
    for at, step in enumerate(steps, start=1):
        for source, state, is_repeated in step:
            if not is_repeated or source not in last:
                last[source] = msgspec.structs.replace(states[state], source=source, at_ns=at * NS, epoch="")
        one = fed(deriver, at, *(last[source] for source in dict.fromkeys(source for source, _, _ in step)))
        if at in asked_for_nothing:
            continue
        fresh = Reading(one.workload, one.pairs, host_memory_bytes=one.host_memory_bytes, host_cpus=one.host_cpus)
        assert {key: repr(one.value(key)) for key in METRICS} == {key: repr(fresh.value(key)) for key in METRICS}


@given(_STEPS, st.lists(samples, min_size=2, max_size=2), st.sets(st.integers(1, 8)), st.sets(st.integers(1, 8)))
def test_after_frames_that_were_only_prepared_for_the_values_are_the_same(
    steps: list[list[tuple[str, int, bool]]], states: list[Sample], prepared: set[int], new_runs: set[int]
) -> None:
    whole, lighter, last, run = Deriver(), Deriver(), dict[str, Sample](), 0
    for at, step in enumerate(steps, start=1):
        for source, state, is_repeated in step:
            if not is_repeated or source not in last:
                last[source] = msgspec.structs.replace(states[state], source=source, at_ns=at * NS, epoch="")
        run += at in new_runs
        taken = [last[source] for source in dict.fromkeys(source for source, _, _ in step)]
        picture = msgspec.structs.replace(pictured(at, *taken), run=str(run))
        wanted = whole.feed(picture)
        if at in prepared:
            lighter.prepare(picture)
            continue
        moment = lighter.feed(picture)
        assert moment.ledger == wanted.ledger
        one, other = moment.readings[workload().id], wanted.readings[workload().id]
        assert {key: repr(one.value(key)) for key in METRICS} == {key: repr(other.value(key)) for key in METRICS}


def test_what_stands_still_is_not_derived_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = Reading.rate

    def rate(self: Reading, name: str) -> float | None:
        asked.extend([name] if self.workload.kind is not Kind.HOST else [])
        return real(self, name)

    monkeypatch.setattr(Reading, "rate", rate)
    deriver, counts = Deriver(), []
    for at, used in enumerate((5, 5, 5, 5, 6, 6, 6), start=1):
        asked.clear()
        fed(deriver, at, Sample("cgroup", at * NS, cpu_user_total_ns=used)).value("cpu_user_percent")
        counts.append(asked.count("cpu_user_total_ns"))
    assert counts[3:] == [0, 1, 1, 0], "nothing had moved; it moved; it stands still; it still does"


def test_what_nobody_asked_for_is_not_compared_with_what_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 5,000 workloads at rest, comparing is most of what deriving them costs; 40 of them are seen."""
    compared: list[int] = []

    def counted(sample: Sample, at_ns: int) -> Sample:
        compared.append(at_ns // NS)
        return msgspec.structs.replace(sample, at_ns=at_ns)

    monkeypatch.setattr(rates, "replace", counted)
    deriver = Deriver()
    readings = [fed(deriver, at, Sample("cgroup", at * NS, cpu_total_ns=5, pids=2)) for at in (1, 2, 3)]
    assert not compared
    assert not readings[2].is_unchanged_since(readings[1])
    assert readings[2].value("pids") == 2
    for at in (4, 5):
        readings.append(fed(deriver, at, Sample("cgroup", at * NS, cpu_total_ns=5, pids=2)))
    assert sorted(compared) == [3, 4, 5], "once each"
    assert readings[4].is_unchanged_since(readings[2])


def test_a_reading_is_the_same_object_while_its_source_is_not_read_again() -> None:
    """As of a host that is read more seldom than frames are made."""
    deriver, one = Deriver(), Sample("cgroup", NS, cpu_total_ns=5)
    picture = frame(1, {workload(): {}})
    picture = msgspec.structs.replace(picture, samples={**picture.samples, workload().id: (one,)})
    first, second = (deriver.feed(picture).readings[workload().id] for _ in range(2))
    assert second is first
    assert second.is_unchanged_since(first)
    renamed = {workload().id: msgspec.structs.replace(workload(), name="other")}
    third = deriver.feed(msgspec.structs.replace(picture, workloads=renamed)).readings[workload().id]
    assert third.workload.name == "other"
    assert not third.is_unchanged_since(first)


def test_between_frames_of_two_runs_there_is_no_rate() -> None:
    """Their instants are of two clocks, and a host may have been started anew in between."""
    web, deriver = workload(), Deriver()
    first, second, third = (frame(at_s, {web: {"cpu_total_ns": int(at_s) * NS}}) for at_s in (1.0, 2.0, 3.0))
    deriver.feed(msgspec.structs.replace(first, run="one"))
    assert deriver.feed(msgspec.structs.replace(second, run="two")).readings[web.id].value("cpu_percent") is None
    assert deriver.feed(msgspec.structs.replace(third, run="two")).readings[web.id].value("cpu_percent") == 100.0
