"""Workloads that come, go, and come again: no row of what is gone, no rate across two lives, nothing impossible."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from collectors.analysis.rates import Moment
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.workloads import Availability, WorkloadId
from collectors.sampling.source import SourceReading, SourceSpec
from tests.helpers.churn import lags, strange, watch_churn
from tests.helpers.frame_watch import Watch, open_paths
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.unit.collectors.kernel.cgroup.test_source import ID, LiveGroups, find, opened

COUNT = 24
INTERVAL_S = 1.0
LAG = 5
"""Frames after which a row must have arrived or left: one, and what a loaded machine takes longer."""


@pytest.fixture
def groups() -> Iterator[LiveGroups]:
    """Cgroups on this host, removed afterwards."""
    if os.geteuid() != 0:
        pytest.skip("making cgroups needs root")
    made = LiveGroups()
    try:
        yield made
    finally:
        made.close()


@contextmanager
def watching(*daemons: SourceSpec) -> Iterator[Watch]:
    watch = Watch([SourceSpec("host"), SourceSpec("cgroup"), *daemons], INTERVAL_S)
    try:
        watch.until_all(Availability.OK, "host", "cgroup", *(spec.name for spec in daemons))
        yield watch
    finally:
        watch.stop()


def read_beside(source: CgroupSource) -> tuple[SourceReading, bool]:
    """Read, and tell whether a group of those that come and go was found."""
    reading = source.read()
    return reading, any("0" * 32 in path for path in source._tree.cgroups)


def kept(groups: LiveGroups) -> int:
    """Return how many descriptors this process has on files of the test's groups, also of those that are gone."""
    return sum(groups.folders[0].name in path for path in open_paths())


def after_listing(source: CgroupSource, do: Callable[[], object]) -> None:
    """Have something done at the next reading, once the groups were listed and before they are read."""
    tree = source._tree
    update = tree.update

    def updated() -> bool:
        tree.update = update  # type: ignore[method-assign]  # once is enough
        has_changed = update()
        do()
        return has_changed

    tree.update = updated  # type: ignore[method-assign]  # this moment cannot be had otherwise


@pytest.mark.parametrize("readings_before", [0, 5], ids=["new", "known"])
def test_a_group_that_goes_between_listing_and_reading_is_not_there_and_comes_back(
    groups: LiveGroups, readings_before: int
) -> None:
    other, path = groups.make("b" * 64), groups.make(ID)
    source = opened()
    for _ in range(readings_before):
        source.read()
    after_listing(source, lambda: groups.remove(ID))
    reading = source.read()
    assert find(reading, path) is None
    groups.make(ID)
    seen = [source.read() for _ in range(5)]
    source.close()
    assert find(seen[-1], path) is not None
    assert find(seen[-1], other) is not None


def test_groups_that_come_and_go_without_end_raise_nothing_and_leave_no_descriptor(groups: LiveGroups) -> None:
    path = groups.make(ID)
    source = opened()
    source.read()
    before = kept(groups)
    is_over = threading.Event()

    def churn() -> None:
        while not is_over.is_set():
            for number in range(20):
                groups.make(f"{number:064x}")
            for number in range(20):
                groups.remove(f"{number:064x}")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        readings = [read_beside(source) for _ in range(60)]
    finally:
        is_over.set()
        thread.join()
    last = source.read()
    after = kept(groups)
    source.close()
    assert all(find(reading, path) is not None for reading, _ in readings[4:])
    assert any(beside for _, beside in readings), "none of those that came and went was looked at"
    assert not any(identity.id.startswith("0" * 32) for identity in last.workloads)
    assert after == before > 0
    assert kept(groups) == 0


def test_a_group_that_went_gives_its_descriptors_back(groups: LiveGroups) -> None:
    groups.make("b" * 64)
    groups.make(ID)
    source = opened()
    source.read()
    of_two = kept(groups)
    groups.remove(ID)
    source.read()
    of_one = kept(groups)
    source.close()
    assert of_two == 2 * of_one > 0


@pytest.mark.lab
def test_containers_arrive_and_leave_within_an_interval_under_their_own_names_and_nothing_impossible_is_shown(
    docker_lab: DockerLab, caplog: pytest.LogCaptureFixture
) -> None:
    with watching(SourceSpec("docker", {"url": docker_lab.url})) as watch:
        churn, found = watch_churn(watch, docker_lab, COUNT)
    assert found == []
    assert len(churn.lives) == COUNT
    assert [life.name for life in churn.lives.values() if not life.shown] == []
    for identity, life in churn.lives.items():
        assert life.names <= {life.name, identity.id[:12]}, "a container has another's name"
    late, stayed = lags(churn)
    assert max(late) <= LAG
    assert max(stayed) <= LAG
    assert [record.message for record in caplog.records if record.exc_info] == []


@pytest.mark.lab
def test_a_container_that_is_restarted_or_made_anew_under_its_name_has_no_rate_across_its_lives(
    docker_lab: DockerLab,
) -> None:
    def runs(identity: WorkloadId) -> Callable[[Moment], bool]:
        return lambda moment: identity in moment.readings and (moment.readings[identity].value("cpu_percent") or 0) > 5

    with watching(SourceSpec("docker", {"url": docker_lab.url})) as watch:
        found: list[str] = []
        first = WorkloadId("docker", docker_lab.run_busy("again", 0.3))
        watch.until(runs(first), "the first life")
        for _ in range(3):
            docker_lab.client.restart(first.id, timeout=0)
            for _ in range(4):
                found += strange(watch.next())
        docker_lab.remove(first.id)
        second = WorkloadId("docker", docker_lab.run_busy("again", 0.3))
        try:
            watch.until(lambda moment: second in moment.readings, "the second container of that name")
            watch.until(runs(second), "the second life")
            moment = watch.moment
            assert moment is not None
            assert first not in moment.readings, "the one before is gone"
            named = [identity for identity, one in moment.readings.items() if one.workload.name == "again"]
            assert named == [second]
            assert found + strange(moment) == []
        finally:
            docker_lab.remove(second.id)


@pytest.mark.lab
def test_a_domain_that_is_reset_and_started_anew_has_no_rate_across_its_lives(libvirt_lab: LibvirtLab) -> None:
    name = libvirt_lab.start_tiny("lives", BootSector.BUSY, cpu_share=0.2)
    domain = libvirt_lab.connection.lookupByName(name)
    identity = WorkloadId("qemu", domain.UUIDString())
    found: list[str] = []
    with watching(SourceSpec("libvirt", {"uri": libvirt_lab.uri})) as watch:
        try:
            watch.until(lambda moment: bool(moment.readings[identity].value("vcpu_percent")), "the busy domain")
            for again in (domain.reset, lambda: (domain.destroy(), domain.create())):
                again()
                for _ in range(6):
                    found += strange(watch.next())
            watch.until(lambda moment: bool(moment.readings[identity].value("vcpu_percent")), "its next life")
        finally:
            libvirt_lab.remove(name)
        watch.until(lambda moment: identity not in moment.readings, "its end")
    assert found == []
