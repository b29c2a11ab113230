"""The kubelet's `/pods` as workloads: what a real one answered, and what a broken one may."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.kubernetes.details import describe
from collectors.engines.kubernetes.pods import PodContainer, containers, to_workload
from collectors.model.workloads import State, Workload, WorkloadId
from tests.helpers.kubelet_capture import captured

CRASH_UID = "16855a794493ebf46795c2e64a9e4071"
ID = "e" * 64
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def found(answer: object) -> dict[str, Workload]:
    return {w.name: w for one in containers(answer) if (w := to_workload(one)) is not None}


def pod(status: dict[str, Any], spec: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return an answer with one container `app` in the pod `shop/web`."""
    return {
        "items": [
            {
                "metadata": {"name": "web", "namespace": "shop", "uid": "u-1", "labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "asked:1", **(spec or {})}], **more},
                "status": {"containerStatuses": [{"name": "app", "containerID": f"containerd://{ID}", **status}]},
            }
        ]
    }


def only(status: dict[str, Any], spec: dict[str, Any] | None = None, **more: Any) -> Workload:
    return found(pod(status, spec, **more))["web/app"]


RUNS: dict[str, Any] = {"state": {"running": {"startedAt": "2026-11-28T22:06:45Z"}}}


class TestARealKubelet:
    def test_its_containers_have_names_pods_states_and_restarts(self) -> None:
        workloads = found(captured("pods"))
        assert workloads.keys() == {
            *("web-lab-node/nginx", "web-lab-node/sidecar", "db-lab-node/postgres"),
            *("init-lab-node/app", "crash-lab-node/looper"),
        }
        nginx = workloads["web-lab-node/nginx"]
        assert nginx.id.engine == "containerd"
        assert (nginx.project, nginx.state, nginx.restarts) == ("shop/web-lab-node", State.RUNNING, 0)
        assert nginx.image == "docker.io/library/busybox:lab"
        assert dict(nginx.labels)["app"] == "web"

    def test_one_that_fails_again_and_again_stays_under_one_id_with_the_reason(self) -> None:
        crash = found(captured("pods"))["crash-lab-node/looper"]
        assert crash.id == WorkloadId("kubernetes", f"{CRASH_UID}/looper")
        assert (crash.state, crash.state_reason) == (State.RESTARTING, "CrashLoopBackOff, exit code 3")
        assert (crash.restarts or 0) >= 2
        assert crash.addresses == ()  # it uses the host's network

    def test_the_ids_of_those_that_run_are_those_of_their_cgroups(self) -> None:
        groups = {path.rpartition("/")[2] for path in captured("left")["cgroups"]}
        running = [w for w in found(captured("pods")).values() if w.state is State.RUNNING]
        assert len(running) == 4
        assert {workload.id.id for workload in running} <= groups

    def test_details_have_the_qos_class_requests_and_limits(self) -> None:
        one = next(one for one in containers(captured("pods")) if one.status["name"] == "nginx")
        tables = {table.title: {fact.label: fact.value for fact in table.facts} for table in describe(one)}
        assert tables["Pod"]["QoS class"] == "Burstable"
        assert tables["Pod"]["node"] == "lab-node"
        assert tables["Pod"]["made by"] == "a file of this host (static pod)"
        assert tables["Requests and limits"] == {
            **{"cpu requested": "100m", "memory requested": "16Mi"},
            "memory limit": "64Mi",
        }

    def test_details_have_the_last_ending(self) -> None:
        one = next(one for one in containers(captured("pods")) if one.status["name"] == "looper")
        facts = {fact.label: fact.value for table in describe(one) for fact in table.facts}
        assert str(facts["last ending"]).startswith("exit code 3, Error, at 2026-")
        assert facts["why"] == "CrashLoopBackOff"


class TestStates:
    @pytest.mark.parametrize(
        ("state", "expected", "reason"),
        [
            (RUNS["state"], State.RUNNING, None),
            ({"waiting": {"reason": "CrashLoopBackOff"}}, State.RESTARTING, "CrashLoopBackOff"),
            ({"waiting": {"reason": "ImagePullBackOff"}}, State.STARTING, "ImagePullBackOff"),
            ({"waiting": {"reason": "ContainerCreating"}}, State.STARTING, "ContainerCreating"),
            ({"terminated": {"exitCode": 0, "reason": "Completed"}}, State.STOPPED, "exit code 0"),
            ({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}, State.STOPPED, "out of memory"),
            ({}, State.UNKNOWN, None),
        ],
    )
    def test_a_state_has_its_reason(self, state: dict[str, Any], expected: State, reason: str | None) -> None:
        workload = only({"state": state})
        assert (workload.state, workload.state_reason) == (expected, reason)

    def test_only_one_that_runs_has_the_runtimes_id(self) -> None:
        assert only(RUNS).id == WorkloadId("containerd", ID)
        assert only({"state": {"waiting": {}}}).id == WorkloadId("kubernetes", "u-1/app")
        assert only({**RUNS, "containerID": "containerd://../../x"}).id == WorkloadId("kubernetes", "u-1/app")

    def test_an_init_container_that_has_done_its_work_has_no_row(self) -> None:
        answer = pod(RUNS)
        ended = {"name": "setup", "state": {"terminated": {"exitCode": 0}}}
        answer["items"][0]["status"]["initContainerStatuses"] = [ended]
        assert found(answer).keys() == {"web/app"}
        ended["state"]["terminated"]["exitCode"] = 1  # type: ignore[index]
        assert found(answer).keys() == {"web/app", "web/setup"}


class TestFacts:
    @pytest.mark.parametrize(
        ("status", "spec", "health"),
        [
            ({"ready": True}, {}, None),
            ({"ready": True}, {"readinessProbe": {}}, "healthy"),
            ({"ready": False}, {"readinessProbe": {}}, "unhealthy"),
            ({"ready": False, "started": False}, {"readinessProbe": {}, "startupProbe": {}}, "starting"),
        ],
    )
    def test_health_is_what_a_probe_says(
        self, status: dict[str, Any], spec: dict[str, Any], health: str | None
    ) -> None:
        assert only({**RUNS, **status}, spec).health == health

    def test_ports_are_written_as_those_of_other_engines(self) -> None:
        spec = {"ports": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 53, "protocol": "UDP"}]}
        assert only(RUNS, spec).ports == "*:8080→80/tcp, 53/udp"

    def test_an_image_that_is_only_a_digest_is_named_as_it_was_asked_for(self) -> None:
        assert only({**RUNS, "image": "sha256:aa"}).image == "asked:1"
        assert only({**RUNS, "image": "got:2"}).image == "got:2"


@given(JSON)
def test_no_answer_is_an_error(answer: object) -> None:
    assert isinstance(found(answer), dict)


@given(st.data())
def test_a_part_of_any_other_type_is_absent(data: st.DataObject) -> None:
    """Replaces one value of a real answer, at any depth, by something else."""
    answer = copy.deepcopy(captured("pods"))
    node: Any = answer
    while isinstance(node, dict | list) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.integers(0, 3)) == 0:
            node[key] = data.draw(JSON)
            break
        node = node[key]
    for one in containers(answer):
        assert isinstance(one, PodContainer)
        to_workload(one)
        describe(one)
