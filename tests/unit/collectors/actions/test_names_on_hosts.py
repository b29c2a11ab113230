"""Which sources have to answer before a name may mean a workload, where there are several hosts."""

from __future__ import annotations

import pytest

from collectors.actions.silent_sources import Asked, silence, silent
from collectors.actions.targets import NoTarget, find
from collectors.model.workloads import Availability, Kind, SourceState, State, Workload, WorkloadId
from collectors.sampling.source import REMOTE, SourceSpec

UUID = "d440edb0-b597-4c69-8eca-036981f3aade"


def asked(name: str, host: str, availability: Availability = Availability.OK) -> Asked:
    """Return a source of another host's own, or with an empty name the connection to it."""
    spec = SourceSpec(name or REMOTE, {}, name or host)
    return Asked(spec, SourceState(name or host, availability, host=host if name else ""))


SOURCES = [
    asked("", "hv01"),
    asked("docker", "hv01"),
    asked("libvirt", "hv01"),
    asked("", "hv02"),
    asked("docker", "hv02", Availability.WAITING),
    asked("libvirt", "hv02"),
]


@pytest.mark.parametrize(
    ("typed", "silent_ones"),
    [("web", ["docker"]), ("container:web", ["docker"]), ("vm:web", []), ("hv01/web", []), ("hv02/web", ["docker"])],
)
def test_a_source_of_another_host_that_could_know_a_name_is_waited_for(typed: str, silent_ones: list[str]) -> None:
    assert [source.state.name for source in silent(typed, [], SOURCES)] == silent_ones


def test_the_sentence_names_the_source_and_its_host() -> None:
    sentence = silence("web", silent("web", [], SOURCES), 30, {})
    assert sentence.startswith(
        "web: docker on hv02 has not answered for 30 s and could know that name; nothing was done"
    )


def test_a_uuid_is_no_proof_that_no_copy_is_on_a_silent_host() -> None:
    machine = Workload(WorkloadId("qemu", UUID, "hv01"), Kind.VM, "db", State.RUNNING)
    sources = [asked("libvirt", "hv01"), asked("libvirt", "hv02", Availability.WAITING)]
    assert silent(UUID, [machine], sources)
    assert not silent(UUID, [machine], sources[:1])
    container = Workload(WorkloadId("docker", "a" * 64, "hv01"), Kind.CONTAINER, "web", State.RUNNING)
    assert not silent("a" * 64, [container], SOURCES)


def test_an_engine_before_a_name_means_its_workload_alone() -> None:
    engines = {
        engine: Workload(WorkloadId(engine, identity), Kind.CONTAINER, "web", State.RUNNING)
        for engine, identity in (("docker", "a" * 64), ("lxc", "web"))
    }
    with pytest.raises(NoTarget):
        find("container:web", engines.values())
    assert find("lxc:web", engines.values()) is engines["lxc"]
    assert find("docker:web", engines.values()) is engines["docker"]
    with pytest.raises(NoTarget):
        find("podman:web", engines.values())
