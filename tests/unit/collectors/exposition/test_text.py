"""The text of a scrape, as prometheus_client's parsers read it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from collectors.exposition.exposer import Choice, Exposer, Own
from collectors.exposition.families import FAMILIES, WORKLOAD_LABELS
from collectors.exposition.text import Dialect
from collectors.model.workloads import (
    Availability,
    Event,
    Frame,
    HostFacts,
    Kind,
    Sample,
    SourceState,
    State,
    Workload,
    WorkloadId,
)
from tests.helpers.strategies import NS, frame, samples, workload

OWN = Own("1.2", 3.5, 1 << 20, 0.004)
Found = dict[str, list[tuple[dict[str, str], float]]]


def parsed(text: str, dialect: Dialect) -> Found:
    """Return all series, by the name that a query has."""
    read = openmetrics if dialect is Dialect.OPENMETRICS else prometheus
    found: Found = {}
    for family in read(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


def exposed(lived: Frame, choice: Choice | None = None, dialect: Dialect = Dialect.OPENMETRICS) -> Found:
    """Expose one frame."""
    exposer = Exposer(choice)
    exposer.count(lived.events)
    return parsed(exposer.text(lived, dialect, OWN), dialect)


WEB = workload("web", image="nginx:1", project="shop", health="healthy", cgroup="/docker/web")
FRAME = frame(
    100,
    {
        WEB: {"cpu_total_ns": 1_500_000_123, "memory_charged_bytes": 300, "memory_inactive_file_bytes": 100},
        workload("db", Kind.VM, "libvirt"): {"vcpus": 2, "memory_limit_bytes": 1 << 30, "vcpu_total_ns": NS},
        workload("old", state=State.STOPPED, exit_code=3): {},
    },
    {"cpu_total_ns": 9 * NS, "memory_available_bytes": 1 << 30, "load_1m": 2},
)


@pytest.mark.parametrize("dialect", Dialect)
def test_a_workload_has_its_raw_counters_under_its_four_labels(dialect: Dialect) -> None:
    found = exposed(FRAME, dialect=dialect)
    labels = {"kind": "container", "engine": "docker", "id": "web", "name": "web"}
    assert found["vmtop_cpu_seconds_total"] == [(labels, 1.5)]
    assert found["vmtop_memory_working_set_bytes"] == [(labels, 200)]
    assert found["vmtop_memory_charged_bytes"] == [(labels, 300)]
    assert ({**labels, "state": "running", "image": "nginx:1", "project": "shop", "health": "healthy",
             "cgroup": "/docker/web"}, 1) in found["vmtop_workload_info"]  # fmt: skip
    assert found["vmtop_exit_code"] == [({**labels, "id": "old", "name": "old"}, 3)]


def test_what_is_not_known_has_no_line() -> None:
    found = exposed(FRAME)
    assert "vmtop_disk_read_bytes_total" not in found
    assert len(found["vmtop_vcpus"]) == 1
    assert "memory_swap" not in Exposer().text(FRAME, Dialect.OPENMETRICS, OWN)


def test_the_host_sources_events_and_vmtop_have_families_of_their_own() -> None:
    found = exposed(FRAME)
    assert found["vmtop_host_cpu_seconds_total"] == [({}, 9)]
    assert found["vmtop_host_memory_available_bytes"] == [({}, 1 << 30)]
    assert found["vmtop_host_cpus"] == [({}, 4)]
    assert found["vmtop_host_info"] == [({"hostname": "machine", "kernel": "6.1", "cgroup": "v2"}, 1)]
    assert found["vmtop_source_up"] == [({"source": "host"}, 1), ({"source": "docker"}, 0)]
    assert found["vmtop_source_read_seconds"] == [({"source": "host"}, 0.0003)]
    assert found["vmtop_events_total"] == [({"what": "oom"}, 1)]
    assert found["vmtop_workloads"] == [
        ({"kind": "container", "state": "running"}, 1),
        ({"kind": "container", "state": "stopped"}, 1),
        ({"kind": "vm", "state": "running"}, 1),
    ]
    assert found["vmtop_build_info"] == [({"version": "1.2"}, 1)]
    assert found["vmtop_scrape_seconds"] == [({}, 0.004)]


def test_pools_of_hugepages_are_told_where_a_host_has_them() -> None:
    pooled = replace(FRAME, facts={**FRAME.facts, "hugepages_total": str(6 << 30)})
    assert exposed(pooled)["vmtop_host_memory_hugepages_bytes"] == [({}, 6 << 30)]
    assert "vmtop_host_memory_hugepages_bytes" not in exposed(FRAME)


def test_an_absent_system_has_no_source_and_events_add_up() -> None:
    absent = SourceState("libvirt", Availability.ABSENT, "", "no libvirt here")
    exposer = Exposer()
    exposer.count(FRAME.events)
    exposer.count(FRAME.events)
    text = exposer.text(replace(FRAME, sources=(*FRAME.sources, absent)), Dialect.PROMETHEUS, OWN)
    found = parsed(text, Dialect.PROMETHEUS)
    assert [labels["source"] for labels, _ in found["vmtop_source_up"]] == ["host", "docker"]
    assert found["vmtop_events_total"] == [({"what": "oom"}, 2)]


def test_things_that_engines_invent_do_not_make_endless_series() -> None:
    exposer = Exposer()
    exposer.count(tuple(Event(1.0, WEB.id, f"exec_start: {number}") for number in range(1000)))
    whats = parsed(exposer.text(FRAME, Dialect.OPENMETRICS, OWN), Dialect.OPENMETRICS)["vmtop_events_total"]
    assert len(whats) == 101
    assert ({"what": "other"}, 900) in whats


def _many(count: int, at_s: float, busy: Iterable[int] = ()) -> Frame:
    chosen = set(busy)
    return frame(
        at_s,
        {
            workload(f"w{number}"): {"cpu_total_ns": int(at_s * NS) if number in chosen else 5}
            for number in range(count)
        },
    )


def _names(exposer: Exposer, lived: Frame) -> set[str]:
    found = parsed(exposer.text(lived, Dialect.OPENMETRICS, OWN), Dialect.OPENMETRICS)
    assert found["vmtop_workloads_omitted"] == [({}, len(lived.workloads) - len(found["vmtop_cpu_seconds_total"]))]
    return {labels["name"] for labels, _ in found["vmtop_cpu_seconds_total"]}


def test_of_too_many_workloads_the_busiest_are_exposed_and_the_others_counted() -> None:
    exposer = Exposer(Choice(most_workloads=3))
    _names(exposer, _many(10, 1, (7, 8, 9)))
    assert _names(exposer, _many(10, 2, (7, 8, 9))) == {"w7", "w8", "w9"}
    assert _names(exposer, _many(10, 3, (7, 8, 9))) == {"w7", "w8", "w9"}


def test_who_is_exposed_stays_while_others_are_as_busy() -> None:
    exposer = Exposer(Choice(most_workloads=2))
    first = _names(exposer, _many(8, 1))
    assert _names(exposer, _many(8, 2)) == first


def test_a_label_of_containers_is_on_every_series_if_wanted() -> None:
    labelled = workload("web", labels=(("com.docker.compose.service", 'a"b'), ("api_key", "hunter2")), project="shop")
    choice = Choice(labels=("project", "com.docker.compose.service", "api_key"))
    found = exposed(frame(1, {labelled: {"pids": 3}}), choice)
    ((labels, _),) = found["vmtop_tasks"]
    assert labels["project"] == "shop"
    assert labels["label_com_docker_compose_service"] == 'a"b'
    assert "hunter2" not in str(found)


def test_two_containers_whose_short_ids_are_equal_have_different_series() -> None:
    first, second = (workload("a" * 12 + character * 52) for character in "bc")
    named = [replace(one, name="web") for one in (first, second)]
    found = exposed(frame(1, {one: {"pids": 1} for one in named}))
    assert [labels["id"] for labels, _ in found["vmtop_tasks"]] == ["a" * 12, second.id.id]
    assert found["vmtop_workload_info"][0][0]["full_id"] == first.id.id


def test_no_id_is_cut_and_none_is_that_of_another() -> None:
    short, long = workload("a" * 12), workload("a" * 64)
    deep = [workload("/pods/" + "x" * 400 + character) for character in "bc"]
    found = exposed(frame(1, {replace(one, name="web"): {"pids": 1} for one in (long, short, *deep)}))
    ids = [labels["id"] for labels, _ in found["vmtop_tasks"]]
    assert ids == ["a" * 12, "a" * 12 + "~", deep[0].id.id, deep[1].id.id]


def test_old_samples_are_left_out_as_a_standing_counter_would_look_idle() -> None:
    lived = frame(100, {WEB: {"cpu_total_ns": 5}, workload("fresh"): {"cpu_total_ns": 6}})
    samples = {**lived.samples, WEB.id: (replace(lived.samples[WEB.id][0], at_ns=30 * NS),)}
    found = exposed(replace(lived, samples=samples))
    assert [labels["name"] for labels, _ in found["vmtop_cpu_seconds_total"]] == ["fresh"]
    assert len(found["vmtop_workload_info"]) == 2


def _fleet() -> Frame:
    """Return a frame with two other hosts, of which one has gone."""
    here = frame(100, {WEB: {"pids": 1}}, {"cpu_total_ns": NS})
    workloads, everything, hosts = dict(here.workloads), dict(here.samples), {}
    for name, at_ns in (("hv01", 100 * NS), ("hv02", 10 * NS)):
        there = Workload(WorkloadId("host", "machine", name), Kind.HOST, name, State.RUNNING)
        web = replace(WEB, id=WorkloadId("docker", "web", name))
        workloads |= {there.id: there, web.id: web}
        everything[there.id] = (Sample(source="host", at_ns=at_ns, cpu_total_ns=2 * NS),)
        everything[web.id] = (Sample(source="cgroup", at_ns=at_ns, pids=2),)
        hosts[name] = HostFacts(there.id, 8, 16 << 30, {"hostname": f"{name}.lab"})
    hosts["hv03"] = HostFacts()
    state = SourceState("docker", Availability.OK, read_at_ns=100 * NS, host="hv01")
    connections = tuple(
        SourceState(name, Availability.STALE if name == "hv02" else Availability.OK, read_at_ns=100 * NS)
        for name in ("hv01", "hv02")
    )
    sources = (*here.sources, *connections, state)
    return replace(here, workloads=workloads, samples=everything, hosts=hosts, sources=sources)


def test_workloads_of_another_host_have_its_name_and_one_that_is_gone_has_nothing() -> None:
    found = exposed(_fleet())
    own = dict.fromkeys(WORKLOAD_LABELS, "web") | {"kind": "container", "engine": "docker"}
    assert found["vmtop_tasks"] == [(own, 1), ({**own, "host": "hv01"}, 2)]
    assert found["vmtop_host_cpu_seconds_total"] == [({}, 1), ({"host": "hv01"}, 2)]
    assert found["vmtop_host_cpus"] == [({}, 4), ({"host": "hv01"}, 8)]
    assert found["vmtop_source_up"][2:] == [
        ({"host": "hv01", "source": "ssh"}, 1),
        ({"host": "hv02", "source": "ssh"}, 0),
        ({"host": "hv01", "source": "docker"}, 1),
    ]
    assert {labels.get("host") for labels, _ in found["vmtop_workload_info"]} == {None, "hv01"}


def test_only_other_hosts_can_be_watched() -> None:
    fleet = _fleet()
    samples = {identity: kept for identity, kept in fleet.samples.items() if identity.host}
    workloads = {identity: one for identity, one in fleet.workloads.items() if identity.host}
    found = exposed(replace(fleet, samples=samples, workloads=workloads))
    assert found["vmtop_host_cpu_seconds_total"] == [({"host": "hv01"}, 2)]


_WORDS = st.text(max_size=300)
_HOSTILE = st.builds(
    Workload,
    id=st.builds(WorkloadId, _WORDS, _WORDS, st.sampled_from(("", "hv01"))),
    kind=st.sampled_from((Kind.VM, Kind.CONTAINER, Kind.SERVICE)),
    name=_WORDS,
    state=st.sampled_from(State),
    image=st.none() | _WORDS,
    project=st.none() | _WORDS,
    cgroup=st.none() | _WORDS,
    state_reason=st.none() | _WORDS,
    parent=st.none() | st.builds(WorkloadId, _WORDS, _WORDS),
    labels=st.lists(st.tuples(st.sampled_from(("tier", "other")), _WORDS), max_size=2).map(tuple),
)


@settings(deadline=None)
@given(st.lists(_HOSTILE, max_size=6, unique_by=lambda one: one.id), st.lists(samples, max_size=3), st.data())
def test_no_name_id_or_label_breaks_the_text_or_makes_two_series_one(
    described: list[Workload], read: list[Sample], data: st.DataObject
) -> None:
    lived = frame(1, {one: {} for one in described})
    now_ns = max([NS, *(sample.at_ns for sample in read)])
    everything = {one.id: tuple(read) for one in described}
    events = tuple(Event(1.0, one.id, data.draw(_WORDS), name=one.name) for one in described)
    lived = replace(lived, samples=everything, at_ns=now_ns, events=events)
    for dialect in Dialect:
        exposer = Exposer(Choice(labels=("tier",)))
        exposer.count(events)
        text = exposer.text(lived, dialect, OWN)
        found = parsed(text, dialect)
        assert set(found) <= {family.name for family in FAMILIES}
        assert len(found.get("vmtop_workload_info", ())) == len(described)
        for name, series in found.items():
            labels = [tuple(sorted(labels.items())) for labels, _ in series]
            assert len(set(labels)) == len(labels), name
