"""What `vmtop doctor` says about workloads that it sees and cannot ask any engine about."""

from __future__ import annotations

import msgspec
import pytest

from collectors.analysis.rates import Deriver
from collectors.engines.docker.engine import DockerEngine
from collectors.model.workloads import Availability, HostFacts, Kind, SourceState, State, Workload, WorkloadId
from tests.helpers.demo_fleet import Fleet
from tui.presenters.reports.doctor import Checkup, as_document, as_text

ROOTLESS = "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-x.scope"


def report(*workloads: Workload) -> str:
    frame = Fleet(0).frame()
    frame.workloads.update({workload.id: workload for workload in workloads})
    return as_text(Checkup(Deriver().feed(frame)))


def container(engine: str, digit: str, is_listed: bool | None, cgroup: str = "/machine.slice/x") -> Workload:
    identity = WorkloadId(engine, digit * 64)
    return Workload(identity, Kind.CONTAINER, digit, State.RUNNING, cgroup=cgroup, is_listed=is_listed)


def test_podmans_containers_are_counted_with_the_socket_that_is_missing() -> None:
    said = report(
        container("podman", "a", None), container("podman", "b", False), container("podman", "c", None, ROOTLESS)
    )
    assert "watched  podman     2 are only watched" in said
    assert "fix: sudo systemctl enable --now podman.socket, then start vmtop again" in said
    assert "watched  podman     1 is only watched" in said
    assert "systemctl --user -M 1000@ enable --now podman.socket" in said
    assert "All that is present can be read, but not all of it; see above." in said


def test_a_container_that_no_engine_knows_is_counted() -> None:
    assert "watched  docker     1 is only watched: no engine that vmtop asks knows it" in report(
        container("docker", "a", False)
    )


@pytest.mark.parametrize(("engine", "is_listed"), [("docker", True), ("docker", None), ("podman", True)])
def test_containers_that_an_engine_lists_are_not_mentioned(engine: str, is_listed: bool | None) -> None:
    assert "watched" not in report(container(engine, "a", is_listed))


def test_what_is_not_on_the_host_stands_last_with_what_it_would_show_and_what_that_needs() -> None:
    absent = SourceState("docker", Availability.ABSENT, reason="no Docker socket", remedy="start it")
    present = SourceState("host", Availability.OK, read_at_ns=1, cost_ns=1)
    said = as_text(Checkup(Deriver().feed(msgspec.structs.replace(Fleet(0).frame(), sources=(absent, present)))))
    about = DockerEngine().about
    words = " ".join(said.split())
    assert words.index("ok host") < words.index("absent docker no Docker socket fix: start it")
    assert f"would show: {about.shows} needs: {about.needs}" in words


def test_the_document_has_what_each_engine_needs() -> None:
    engines = as_document(Checkup(Deriver().feed(Fleet(0).frame())))["engines"]
    assert isinstance(engines, dict)
    assert engines["docker"]["needs"] == DockerEngine().about.needs


def test_what_other_hosts_read_stands_below_each_hosts_name() -> None:
    states = (
        SourceState("hv01", Availability.OK, "8 workloads", read_at_ns=1),
        SourceState("docker", Availability.DENIED, reason="no right", remedy="join a group", host="hv01"),
        SourceState("lxc", Availability.ABSENT, reason="no LXC", host="hv01"),
        SourceState("podman", Availability.ABSENT, reason="no Podman", host="hv01"),
    )
    frame = msgspec.structs.replace(Fleet(0).frame(), sources=states, hosts={"hv01": HostFacts()})
    words = " ".join(as_text(Checkup(Deriver().feed(frame))).split())
    assert "ok hv01 8 workloads" in words
    assert "on hv01: denied docker no right fix: join a group absent lxc, podman" in words
    assert "Something that is present cannot be read" in words
