"""Entries of Podman's own list, in the form of Docker's."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.docker.containers import to_workload
from collectors.engines.podman.entries import as_dockers
from collectors.model.workloads import State, Workload

ENTRY: dict[str, Any] = {
    "Id": "c" * 64,
    "Names": ["web"],
    "Image": "localhost/busybox:lab",
    "State": "running",
    "Status": "healthy",
    "Labels": {"role": "tester"},
    "ExitCode": 0,
    "Pid": 1834,
    "Pod": "1" * 64,
    "PodName": "shop",
    "IsInfra": False,
    "Ports": [{"host_ip": "", "container_port": 80, "host_port": 8080, "range": 3, "protocol": "tcp"}],
}
"""As Podman 4.3.1 sends it, without fields that are not read."""


def workload(**changes: Any) -> Workload:
    entry: Any = as_dockers({**ENTRY, **changes})
    made = to_workload(entry, "podman", "", None)
    assert made is not None
    return made


def test_a_container_of_a_pod_has_its_health_its_ports_and_its_pod() -> None:
    web = workload()
    assert (web.name, web.state, web.health, web.project) == ("web", State.RUNNING, "healthy", "shop")
    assert web.ports == "*:8080-8082→80-82/tcp"
    assert (web.labels, web.image, web.is_sandbox) == ((("role", "tester"),), "localhost/busybox:lab", False)


def test_the_infra_container_is_the_pods_sandbox() -> None:
    assert workload(IsInfra=True, Names=["111111111111-infra"]).is_sandbox


def test_one_that_ended_has_its_exit_code_and_none_that_runs() -> None:
    ended = workload(State="exited", Status="", ExitCode=137)
    assert (ended.state, ended.exit_code, ended.state_reason) == (State.STOPPED, 137, "exit code 137")
    assert workload(ExitCode=137).exit_code is None
    assert workload(State="configured").state is State.CREATED


def test_a_range_of_ports_without_end_is_cut() -> None:
    entry: Any = as_dockers({**ENTRY, "Ports": [{"container_port": 1, "host_port": 1, "range": 10**9}] * 3})
    assert len(entry["Ports"]) == 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(ENTRY)) | st.text(), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*sorted(ENTRY), "range", "host_port"]), JSON), JSON)
def test_no_entry_is_an_error(fields: dict[str, Any], whole: Any) -> None:
    as_dockers(whole)
    entry: Any = as_dockers({**ENTRY, **fields})
    if isinstance(entry["Id"], str):
        to_workload(entry, "podman", "", None)
