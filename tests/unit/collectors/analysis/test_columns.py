"""Values that are derived side by side are those that each reading has alone, to the bit."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.columns import Columns
from collectors.analysis.history import History
from collectors.analysis.rates import Deriver, Moment, Pair, Reading
from collectors.model.metrics import CHARTED, METRICS
from collectors.model.workloads import Sample
from tests.helpers.demo_fleet import Fleet
from tests.helpers.strategies import NS, frame, readings, samples, workload, workloads

_SIZES = st.sampled_from(((0, 0), (8 << 30, 4), (2 << 30, 1)))


def _bits(value: float | None) -> bytes:
    """Return a value as a double; missing is NaN."""
    return struct.pack("d", float("nan") if value is None else value)


def _alone(reading: Reading, key: str) -> bytes:
    return _bits(Reading(reading.workload, reading.pairs, reading.host_memory_bytes, reading.host_cpus).value(key))


@st.composite
def sized(draw: st.DrawFn) -> Reading:
    """Any reading on a host of any size, or of one that is not known; often of counters that grew."""
    one, (memory_bytes, cpus) = draw(readings()), draw(_SIZES)
    pairs = list(one.pairs)
    if draw(st.booleans()):
        now = draw(samples)
        pairs.insert(draw(st.integers(0, len(pairs))), Pair(_earlier(now, draw(st.integers(0, 2**40))), now))
    return Reading(one.workload, tuple(pairs), memory_bytes, cpus)


def _earlier(now: Sample, growth: int) -> Sample:
    values = {name: getattr(now, name) for name in Sample.__struct_fields__}
    for name, value in values.items():
        if isinstance(value, int) and "_total" in name:
            values[name] = max(0, value - growth)
    return Sample(**{**values, "at_ns": now.at_ns - NS})


@given(st.lists(sized(), max_size=5))
def test_a_column_has_what_each_reading_says_alone(rows: list[Reading]) -> None:
    columns = Columns(rows)
    for key in METRICS:
        assert [_bits(value) for value in columns.of(key)] == [_alone(row, key) for row in rows], key


@given(st.lists(sized(), max_size=3), st.data())
def test_a_part_of_the_columns_has_the_values_and_the_limits_of_its_readings(
    rows: list[Reading], data: st.DataObject
) -> None:
    places = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True)) if rows else []
    part = Columns(rows).part(places)
    for key, metric in METRICS.items():
        assert [_bits(value) for value in part.of(key)] == [_alone(rows[place], key) for place in places], key
        if metric.limit is not None:
            alone = [_bits(metric.limit(rows[place])) for place in places]
            assert [_bits(value) for value in part.derived(metric.limit)] == alone, key


def _moments(count: int) -> list[Moment]:
    fleet, deriver = Fleet(60), Deriver()
    return [deriver.feed(fleet.frame()) for _ in range(count)]


def test_the_columns_of_a_moment_are_of_the_host_and_then_of_its_workloads() -> None:
    for moment in _moments(6):
        rows = [moment.host, *moment.readings.values()]
        for key in CHARTED:
            assert [_bits(value) for value in moment.columns.of(key)] == [_alone(row, key) for row in rows], key


_PRESENT = st.lists(st.sets(st.integers(0, 6)), max_size=16)


@given(_PRESENT, st.integers(2, 6))
def test_the_past_is_what_each_reading_said_at_each_tick(present: list[set[int]], capacity: int) -> None:
    """However workloads come and go: the columns of a history are put together anew each time."""
    history, deriver = History(capacity), Deriver()
    said: list[dict[str, float]] = []
    for tick, numbers in enumerate(present, start=1):
        described = {workload(str(number)): {"memory_charged_bytes": tick * 1000 + number} for number in numbers}
        history.push(deriver.feed(frame(tick, described)))
        said.append({str(number): float(tick * 1000 + number) for number in numbers})
    for name in map(str, range(7)):
        wanted = [tick.get(name) for tick in said[-capacity:]]
        known = [
            None if value != value else value
            for value in history.recent(workload(name).id, "memory_host_bytes", len(wanted))
        ]
        assert known == wanted


def test_no_value_of_a_workload_is_derived_by_itself_until_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("rate", "gauge", "ratio", "lowest"):
        real = getattr(Reading, name)

        def counted(self: Reading, *names: str, real: object = real) -> float | None:
            asked.append(self.workload.id.id)
            return real(self, *names)  # type: ignore[operator, no-any-return]  # the method that it stands for

        monkeypatch.setattr(Reading, name, counted)
    moment, history = _moments(3)[-1], History()
    history.push(moment)
    assert set(asked) <= {moment.host.workload.id.id}, "the host's CPU and memory are what the others are split from"
    asked.clear()
    seen = [*moment.readings.values()][:4]
    for reading in seen:
        assert reading.value("pids") == reading.pairs[0].current.pids
        reading.value("pids")
    assert asked == [reading.workload.id.id for reading in seen]


@given(workloads)
def test_nothing_is_known_of_a_workload_without_samples(one: object) -> None:
    columns = Columns([Reading(one, ())])  # type: ignore[arg-type]  # of the strategy
    assert all(columns.of(key)[0] != columns.of(key)[0] for key in CHARTED)
    assert Columns([]).of("cpu_percent") == []
