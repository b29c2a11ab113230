"""Which workloads are Kubernetes', and the commands that are shown in place of actions."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines import registry
from collectors.engines.kubernetes.access import KubernetesAccess
from collectors.engines.kubernetes.details import qos_class, without_api
from collectors.engines.kubernetes.engine import KubernetesEngine, kubectl, pod_of
from collectors.engines.kubernetes.log_folder import log_folder, uid_of
from collectors.model.actions import Verb
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Kind, Workload, WorkloadId

ENGINE = KubernetesEngine()
ID = "a" * 64
UID = "2fa6ea7b-98b2-4aaa-9a45-8c2a1b5d0003"


def container(name: str = "web/nginx", project: str | None = "shop/web", **more: object) -> Workload:
    identity = WorkloadId(str(more.pop("engine", "containerd")), str(more.pop("id", ID)))
    return Workload(identity, Kind.CONTAINER, name, project=project, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("workload", "name"),
    [
        (container(), "kubernetes"),
        (container(engine="cri-o"), "kubernetes"),
        (container(engine="kubernetes", id=f"{UID}/nginx"), "kubernetes"),
        (container("aaaaaaaaaaaa", f"pod {UID}", cgroup=f"/kubepods/pod{UID}/{ID}"), "kubernetes"),
        (container("web", None), "containerd"),
        (container("db", "a/folder"), "containerd"),
        (container(engine="docker"), "docker"),
        (container(engine="podman"), "podman"),
    ],
)
def test_a_container_is_kubernetes_if_it_is_in_a_pod_of_a_kubelet(workload: Workload, name: str) -> None:
    assert registry.owner(workload).name == name


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("stop", "kubectl delete pod -n shop web"),
        ("restart", "kubectl delete pod -n shop web"),
        ("remove", "kubectl delete pod -n shop web"),
        ("kill", "kubectl delete pod -n shop --grace-period=0 --force web"),
        ("pause", ""),
        ("start", ""),
    ],
)
def test_the_command_is_the_one_that_comes_closest(verb: str, command: str) -> None:
    assert kubectl(verb, container()) == command
    reason = ENGINE.forbids(Verb(verb), container())
    assert command in reason
    assert "a kubelet owns it" in reason


def test_a_pod_without_a_name_is_left_to_kubectl() -> None:
    nameless = container("aaaaaaaaaaaa", None, cgroup=f"/kubepods/pod{UID}/{ID}")
    assert ENGINE.forbids(Verb.STOP, nameless) == "a kubelet owns it and would undo this: use kubectl"


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_names_from_anyone_stay_words_of_the_command(namespace: str, pod: str) -> None:
    workload = container(f"{pod}/app", f"{namespace}/{pod}")
    if (found := pod_of(workload)) is not None and (command := kubectl("stop", workload)):
        words = shlex.split(command)
        assert words == ["kubectl", "delete", "pod", "-n", *found]
        assert not any(name.startswith("-") for name in found)


class TestLogFolder:
    def test_it_is_named_after_namespace_pod_uid_and_container(self) -> None:
        workload = container(cgroup=f"/kubepods/burstable/pod{UID}/{ID}")
        assert log_folder(workload, "/logs") == f"/logs/shop_web_{UID}/nginx"

    @pytest.mark.parametrize(
        "workload",
        [
            container(engine="kubernetes", id=f"{UID}/nginx"),
            container(labels=(("io.kubernetes.pod.uid", UID),)),
            container(cgroup=f"/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope"),
        ],
    )
    def test_the_uid_is_in_the_id_a_label_or_the_cgroup(self, workload: Workload) -> None:
        assert uid_of(workload) == UID

    @pytest.mark.parametrize(
        ("name", "project"), [("web/..", "shop/web"), ("../x", "shop/.."), ("web/a b", "shop/web"), ("nginx", None)]
    )
    def test_a_name_that_is_none_of_kubernetes_leads_to_no_folder(self, name: str, project: str | None) -> None:
        with pytest.raises(SourceAbsent, match="not known which pod"):
            log_folder(container(name, project, cgroup=f"/kubepods/pod{UID}/{ID}"))


@pytest.mark.parametrize(
    ("path", "qos"),
    [
        ("/kubepods/burstable/podX/y", "Burstable"),
        ("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podX.slice/y", "BestEffort"),
        ("/kubepods/podX/y", "Guaranteed"),
        ("/system.slice/x", None),
    ],
)
def test_the_qos_class_is_in_the_path_of_the_cgroup(path: str, qos: str | None) -> None:
    assert qos_class(path) == qos


def test_without_the_api_details_say_what_it_would_have() -> None:
    table = without_api(container(cgroup=f"/kubepods/pod{UID}/{ID}"))[0]
    assert {fact.label: fact.value for fact in table.facts}["QoS class"] == "Guaranteed"
    assert "kubelet's API" in table.note


@pytest.mark.parametrize(
    ("call", "command"),
    [
        (lambda access, pod: access.open_console(pod), "kubectl exec -it -n shop web -c CONTAINER"),
        (lambda access, pod: access.run_command(pod, ["id"]), "kubectl exec -n shop web -c CONTAINER"),
        (lambda access, pod: access.open_log(pod), "kubectl logs -n shop web -c CONTAINER"),
    ],
)
def test_nothing_is_run_in_the_process_of_a_machine_of_kata(
    call: Callable[[KubernetesAccess, Workload], object], command: str
) -> None:
    """Its process is the VMM, in namespaces of this host: a shell there would not be one in the pod."""
    machine = Workload(
        WorkloadId("kata", ID), Kind.VM, "web", project="shop/web", cgroup=f"/kubepods/pod{UID}/kata_{ID}"
    )
    assert registry.owner(machine).name == "kubernetes"
    with pytest.raises(SourceAbsent, match="inside its virtual machine") as refusal:
        call(KubernetesAccess([]), machine)
    assert refusal.value.remedy == command
