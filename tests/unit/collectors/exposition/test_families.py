"""The table of exposed families, and the way from their values back to samples."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Pair, Reading
from collectors.exposition.families import FAMILIES, Of, Pick, Type, families_of
from collectors.exposition.samples import samples_of
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind, Sample
from docs import exposition_page
from tests.helpers.strategies import NS, workload

_NAME = re.compile(r"vmtop_[a-z0-9]+(_[a-z0-9]+)*")


def test_names_are_unique_and_end_as_openmetrics_wants() -> None:
    assert len({family.base for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert _NAME.fullmatch(family.name), family.name
        assert family.name.endswith("_total") == (family.type is Type.COUNTER), family.name
        assert family.name.endswith("_info") == (family.type is Type.INFO), family.name
        assert family.help.endswith("."), family.name


def test_the_page_in_the_docs_is_the_one_that_is_generated() -> None:
    page = Path(exposition_page.__file__).with_name("prometheus.md")
    assert page.read_text() == exposition_page.markdown()


def test_every_field_of_a_sample_is_exposed() -> None:
    exposed = {name for family in FAMILIES for name in (family.field, family.less)}
    assert set(Sample.__struct_fields__) - exposed == {"source", "at_ns", "epoch"}


def test_every_counter_of_a_sample_is_a_counter_and_every_gauge_is_none() -> None:
    for family in families_of(Of.WORKLOAD):
        if family.field in Sample.__struct_fields__:
            assert ("_total" in family.field) == (family.type is Type.COUNTER), family.name


def _exposed(samples: Iterable[Sample]) -> dict[str, float]:
    """Say what the table says, as plainly as can be."""
    values: dict[str, float] = {}
    for family in families_of(Of.WORKLOAD):
        if family.field not in Sample.__struct_fields__:
            continue
        chosen = [one for one in samples if getattr(one, family.field) is not None]
        if family.beside:
            chosen = [one for one in samples if getattr(one, family.beside) is not None][:1]
        amounts = [getattr(one, family.field) - (getattr(one, family.less) or 0 if family.less else 0)
                   for one in chosen if getattr(one, family.field) is not None
                   and (not family.less or getattr(one, family.less) is not None)]  # fmt: skip
        if amounts:
            values[family.name] = (min(amounts) if family.pick is Pick.LOWEST else amounts[0]) * family.scale
    return values


_MACHINE: dict[str, dict[str, float]] = {
    "cgroup": {
        "cpu_total_ns": 5 * NS, "cpu_user_total_ns": 3 * NS, "cpu_limit_cores": 3.5, "cpu_stall_total_ns": 40_000_000,
        "memory_charged_bytes": 700 << 20, "memory_inactive_file_bytes": 50 << 20, "memory_limit_bytes": 4 << 30,
        "oom_kills_total": 1, "pids": 7,
    },
    "libvirt": {
        "cpu_total_ns": 6 * NS, "vcpu_total_ns": 4 * NS, "vcpus": 2, "memory_limit_bytes": 1 << 30,
        "memory_available_bytes": 900 << 20, "memory_usable_bytes": 300 << 20, "memory_rss_bytes": 1100 << 20,
        "steal_total_ns": 20_000_000, "guest_disk_reads_total": 12, "guest_disk_read_time_total_ns": 36_000_000,
        "guest_disk_read_total_bytes": 1 << 20,
    },
}  # fmt: skip


def _machine(at_ns: int, grown: int) -> tuple[Sample, ...]:
    """Make a domain's samples; counters grow by one percent of themselves each time."""
    return tuple(
        Sample(
            source=source,
            at_ns=at_ns,
            **{  # type: ignore[arg-type]  # as declared
                name: value + int(value * grown * 0.01) if "_total" in name else value for name, value in fields.items()
            },
        )
        for source, fields in _MACHINE.items()
    )


def test_a_machine_that_comes_back_from_its_exposed_values_has_the_same_metrics() -> None:
    described = workload("alpine", Kind.VM, "libvirt")
    samples = [_machine(NS, 0), _machine(2 * NS, 10)]
    back = [samples_of(_exposed(one), one[0].at_ns, "scrape") for one in samples]

    def reading(pair: list[tuple[Sample, ...]]) -> Reading:
        pairs = tuple(Pair(before, now) for before, now in zip(*pair, strict=True))
        return Reading(described, pairs, host_memory_bytes=8 << 30, host_cpus=4)

    lived, returned = reading(samples), reading(back)
    for key in METRICS:
        ours, theirs = lived.value(key), returned.value(key)
        assert (ours is None) == (theirs is None), key
        if ours is not None and theirs is not None:
            assert abs(ours - theirs) <= abs(ours) * 1e-6, key


@given(st.dictionaries(st.sampled_from([family.name for family in FAMILIES]), st.floats()))
def test_no_value_of_a_server_breaks_a_sample(values: dict[str, float]) -> None:
    for sample in samples_of(values, 5, "scrape"):
        fields = {name: getattr(sample, name) for name in Sample.__struct_fields__}
        assert all(
            value is None or not isinstance(value, float | int) or 0 <= value < 1 << 63 for value in fields.values()
        )
        assert msgspec.json.decode(msgspec.json.encode(sample), type=Sample) == sample


@given(...)
def test_values_of_other_programs_are_ignored(name: str) -> None:
    made = samples_of({name: 1.0, "vmtop_of_a_later_version_total": 2.0, "vmtop_workload_info": 1.0}, 5, "scrape")
    assert made == (Sample(source="scrape", at_ns=5),)
