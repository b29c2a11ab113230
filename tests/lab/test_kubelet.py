"""Pods of a real kubelet with the lab's containerd. `make lab` builds the kubelet and runs this."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.lab.cri import BUSYBOX, CriLab
from tests.helpers.lab.kubelet import PORT, KubeletLab, kubelet
from tests.helpers.lab.process import wait_until
from tests.lab.test_cri import rows, vmtop

pytestmark = [pytest.mark.lab, pytest.mark.long_lab]

_SETUP = {"name": "setup", "image": BUSYBOX, "imagePullPolicy": "Never", "command": ["/bin/sh", "-c", "echo ready"]}
_LIMITS = {"cpu": "200m", "memory": "64Mi"}
_RESOURCES = {"requests": {"cpu": "100m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}


@pytest.fixture(scope="module")
def node(cri_lab: CriLab, lab_root: Path) -> Iterator[KubeletLab]:
    """Give a kubelet with pods of each QoS class, one of which fails again and again."""
    with kubelet(cri_lab, lab_root / "kubelet") as lab:
        lab.add("web", {"nginx": "echo hello; sleep 100000", "side": "sleep 100000"}, resources=_RESOURCES)
        lab.add("db", {"postgres": "dd if=/dev/zero bs=16M 2>/dev/null | sleep 100000"}, resources={"limits": _LIMITS})
        lab.add("crash", {"looper": "echo dying; exit 3"}, namespace="default", hostNetwork=True)
        lab.add("init", {"app": "sleep 100000"}, initContainers=[_SETUP])
        wait_until(lambda: _has_started(lab), 240, "the pods, one of which fails again and again")
        yield lab


def _has_started(lab: KubeletLab) -> bool:
    found = lab.statuses()
    crash = found.get("crash-lab-node/looper", {})
    return len(found) == 5 and crash.get("restartCount", 0) >= 2 and "waiting" in crash.get("state", {})


def _working_sets(lab: KubeletLab) -> dict[str, int]:
    return {
        f"{pod['podRef']['name']}/{container['name']}": container["memory"]["workingSetBytes"]
        for pod in lab.ask("/stats/summary")["pods"]
        for container in pod["containers"]
        if "workingSetBytes" in container.get("memory", {})
    }


def _asked(node: KubeletLab) -> dict[str, dict[str, Any]]:
    return rows(node.cri, "--kubelet", node.url)


def test_all_containers_are_there_with_their_pods_and_no_sandbox(node: KubeletLab) -> None:
    found = _asked(node)
    of_pods = {
        name: row["project"] for name, row in found.items() if "lab-node/" in name and not name.endswith("/pause")
    }
    assert of_pods == {
        "web-lab-node/nginx": "shop/web-lab-node",
        "web-lab-node/side": "shop/web-lab-node",
        "db-lab-node/postgres": "shop/db-lab-node",
        "init-lab-node/app": "shop/init-lab-node",
        "crash-lab-node/looper": "default/crash-lab-node",
    }
    assert "pause" not in vmtop(node.cri, "list", "--all", "--kubelet", node.url).stdout


def test_memory_is_the_kubelets_working_set(node: KubeletLab) -> None:
    wait_until(lambda: len(_working_sets(node)) >= 4, 60, "the kubelet's numbers")
    found, truth = _asked(node), _working_sets(node)
    for name in ("web-lab-node/nginx", "db-lab-node/postgres", "init-lab-node/app"):
        assert found[name]["metrics"]["memory_host_bytes"] == pytest.approx(truth[name], rel=0.1, abs=256 << 10)


@pytest.mark.parametrize("with_api", [True, False])
def test_one_that_fails_again_and_again_stays_with_its_restarts(node: KubeletLab, with_api: bool) -> None:
    wait_until(lambda: "waiting" in node.statuses()["crash-lab-node/looper"]["state"], 60, "the pause after a failure")
    options = ("--kubelet", node.url) if with_api else ()
    row = rows(node.cri, *options)["crash-lab-node/looper"]
    assert row["state"] == "restarting"
    assert row["restarts"] >= 2
    assert (row["state_reason"] == "CrashLoopBackOff, exit code 3") is with_api


def test_its_log_has_all_starts_that_the_kubelet_kept(node: KubeletLab) -> None:
    done = vmtop(node.cri, "logs", "crash-lab-node/looper", "--kubelet", node.url)
    assert set(done.stdout.split()) == {"dying"}


def test_the_pod_is_described_as_the_kubelet_has_it(node: KubeletLab) -> None:
    done = vmtop(node.cri, "inspect", "db-lab-node/postgres", "--kubelet", node.url)
    assert '"qosClass": "Guaranteed"' in done.stdout


def test_actions_are_left_to_kubectl(node: KubeletLab) -> None:
    done = vmtop(node.cri, "stop", "crash-lab-node/looper", "--yes", "--kubelet", node.url)
    assert done.returncode == 5
    assert "kubectl delete pod -n default crash-lab-node" in done.stderr


def test_the_secure_port_is_asked_too(node: KubeletLab) -> None:
    found = rows(node.cri, "--kubelet", f"https://127.0.0.1:{PORT}")
    assert found["crash-lab-node/looper"]["state_reason"]


def test_the_doctor_names_the_pods(node: KubeletLab) -> None:
    assert "4 pods" in vmtop(node.cri, "doctor", "--kubelet", node.url).stdout
