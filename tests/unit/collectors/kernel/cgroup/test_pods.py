"""Pods as the kernel's source shows them, with the capture of a real kubelet and stand-ins for other engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collectors.kernel.cgroup.discovery import Cgroup, DiscoveredWorkload, Role
from collectors.kernel.cgroup.identity import identify
from collectors.kernel.cgroup.source import CgroupSource
from collectors.kernel.container_names import Names
from collectors.kernel.procfs import Process
from collectors.model.workloads import Kind, Workload, WorkloadId
from tests.helpers.kubelet_capture import captured, lay_out
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write

UID = "2fa6ea7b-98b2-4aaa-9a45-8c2a1b5d0003"
ID, SANDBOX = "c" * 64, "d" * 64


def stat(pid: int, parent: int) -> str:
    return f"{pid} (x) S {parent} " + " ".join(["0"] * 17) + f" {pid} " + " ".join(["0"] * 30)


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    write(tmp_path / "proc", {"stat": "cpu 1 1 1 1\nbtime 1700000000\n", "1/stat": stat(1, 0)})
    return tmp_path / "proc"


def group(tree: Path, proc: Path, path: str, pid: int, command: str, parent: int = 1) -> None:
    """Make a cgroup with one process."""
    files = {"cgroup.procs": f"{pid}\n", "cpu.stat": "usage_usec 9\n", "memory.current": "4096\n"}
    write(tree / path.lstrip("/"), files)
    write(proc / str(pid), {"stat": stat(pid, parent), "cmdline": command.replace(" ", "\0") + "\0"})


def read(tree: Path, proc: Path, names: Names) -> dict[WorkloadId, Workload]:
    write(tree, {"cgroup.controllers": "cpu memory\n", "cgroup.procs": ""})
    source = CgroupSource(str(tree), str(proc), names=names)
    source.open(lambda: None)
    for _ in range(4):
        reading = source.read()
    source.close()
    return dict(reading.workloads)


def test_without_rights_a_real_kubelets_pods_are_one_group_each_with_their_sandbox(tmp_path: Path, proc: Path) -> None:
    tree, links, pods = lay_out(tmp_path)
    sandboxes = {
        bundle["id"]
        for bundle in captured("bundles")
        if bundle["annotations"]["io.kubernetes.cri.container-type"] == "sandbox"
    }
    containers = [path for path in captured("left")["cgroups"] if len(path.rpartition("/")[2]) == 64]
    for number, path in enumerate(containers):
        is_sandbox = path.rpartition("/")[2] in sandboxes
        group(tree, proc, path, 100 + number, "/pause" if is_sandbox else "sleep 1")
    found = read(tree, proc, Names(str(links), "/nowhere", pods=str(pods)))
    assert {workload.project for workload in found.values()} == {
        *("shop/web-lab-node", "shop/db-lab-node", "shop/init-lab-node", "default/crash-lab-node")
    }
    assert {identity.id for identity, workload in found.items() if workload.is_sandbox} == sandboxes
    assert {workload.name for workload in found.values() if not workload.is_sandbox} == {
        *("web-lab-node/nginx", "web-lab-node/sidecar", "db-lab-node/postgres", "init-lab-node/app")
    }


@pytest.mark.parametrize(
    "path",
    [
        f"/kubepods/burstable/pod{UID}/{ID}",
        f"/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope",
        f"/kubepods-besteffort-pod{UID.replace('-', '_')}.slice:cri-containerd:{ID}",
        f"/system.slice/k3s.service/kubepods/pod{UID}/{ID}",
    ],
)
def test_each_drivers_and_distributions_path_leads_to_the_pod(tmp_path: Path, proc: Path, path: str) -> None:
    tree = tmp_path / "tree"
    group(tree, proc, path, 7, "nginx")
    write(tmp_path / "links", {f"web_shop_nginx-{ID}.log": ""})
    (tmp_path / "pods" / f"shop_web_{UID}").mkdir(parents=True)
    found = read(tree, proc, Names(str(tmp_path / "links"), "/nowhere", pods=str(tmp_path / "pods")))
    workload = found[WorkloadId("containerd", ID)]
    assert (workload.name, workload.project) == ("web/nginx", "shop/web")


@pytest.mark.parametrize("with_bundle", [True, False])
def test_a_machine_of_kata_is_named_after_its_pod(tmp_path: Path, proc: Path, with_bundle: bool) -> None:
    """As root the sandbox's bundle names the pod, which is next to where the shim was started; otherwise its UID."""
    shim = f"containerd-shim-kata-v2 -namespace k8s.io -id {SANDBOX}" if with_bundle else "init"
    write(proc / "6", {"stat": stat(6, 1), "cmdline": shim.replace(" ", "\0") + "\0"})
    write(proc / "7", {"stat": stat(7, 6), "cmdline": "qemu\0"})
    annotations = {"container-type": "sandbox", "sandbox-namespace": "shop", "sandbox-name": "web"}
    prefixed = {f"io.kubernetes.cri.{key}": value for key, value in annotations.items()}
    write(tmp_path / "tasks" / SANDBOX, {"config.json": json.dumps({"annotations": prefixed})})
    (proc / "6" / "cwd").symlink_to(tmp_path / "tasks" / SANDBOX)
    names = Names("/nowhere", "/nowhere", pods=str(tmp_path / "pods"))
    if not with_bundle:
        (tmp_path / "pods" / f"shop_web_{UID}").mkdir(parents=True)
    names.refresh()
    path = f"/kubepods/pod{UID}/kata_{SANDBOX}" if not with_bundle else f"/kata_overhead/{SANDBOX}"
    machine = DiscoveredWorkload("kata", SANDBOX, Kind.VM, SANDBOX[:12], False, process=Process(7, 7))
    group_of_pod = Cgroup(path, Role.LEAF, machine, f"pod {UID}" if not with_bundle else None)
    identity = identify(group_of_pod, [], str(proc), None, names)
    assert (identity.name, identity.name_is_known, identity.project) == ("web", True, "shop/web")
    assert (identity.id, identity.is_sandbox) == (WorkloadId("kata", SANDBOX), False)


def test_a_program_called_pause_outside_of_pods_is_an_ordinary_container(tmp_path: Path, proc: Path) -> None:
    tree = tmp_path / "tree"
    group(tree, proc, f"/default/{ID}", 7, "/pause")
    found = read(tree, proc, Names("/nowhere", "/nowhere", pods="/nowhere"))
    assert not found[WorkloadId("containerd", ID)].is_sandbox


def test_a_pod_that_the_kubelet_names_a_moment_later_gets_its_name(tmp_path: Path, proc: Path) -> None:
    tree, pods = tmp_path / "tree", tmp_path / "pods"
    group(tree, proc, f"/kubepods/pod{UID}/{ID}", 7, "/pause")
    write(tree, {"cgroup.controllers": "cpu memory\n", "cgroup.procs": ""})
    source = CgroupSource(str(tree), str(proc), names=Names("/nowhere", "/nowhere", pods=str(pods)))
    source.open(lambda: None)
    assert source.read().workloads[WorkloadId("containerd", ID)].project == f"pod {UID}"
    (pods / f"shop_web_{UID}").mkdir(parents=True)
    for _ in range(12):
        workload = source.read().workloads[WorkloadId("containerd", ID)]
    source.close()
    assert (workload.project, workload.name, workload.is_sandbox) == ("shop/web", "web/pause", True)


def test_cri_os_monitors_name_containers_and_sandboxes_to_every_user(tmp_path: Path, proc: Path) -> None:
    tree = tmp_path / "tree"
    pod = f"/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice"
    for pid, identity, container in ((7, ID, "nginx"), (9, SANDBOX, "POD")):
        name = f"k8s_{container}_web_shop_{UID}_0"
        write(
            proc / str(pid - 1), {"stat": stat(pid - 1, 1), "cmdline": f"/usr/bin/conmon\0-c\0{identity}\0-n\0{name}\0"}
        )
        group(tree, proc, f"{pod}/crio-{identity}.scope", pid, "x", parent=pid - 1)
    found = read(tree, proc, Names("/nowhere", "/nowhere", pods="/nowhere"))
    nginx, sandbox = (found[WorkloadId("cri-o", identity)] for identity in (ID, SANDBOX))
    assert (nginx.name, nginx.project, nginx.is_sandbox) == ("web/nginx", "shop/web", False)
    assert (sandbox.project, sandbox.is_sandbox) == ("shop/web", True)
