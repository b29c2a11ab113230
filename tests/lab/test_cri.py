"""Pods and containers on a real containerd, driven through its CRI as a kubelet drives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collectors.kernel.cgroup.hierarchy import detect
from tests.helpers.checkout import ROOT
from tests.helpers.lab.cri import CriLab, Pod
from tests.helpers.lab.outsider import Outsider
from tests.helpers.lab.process import wait_until
from tests.helpers.patience import EXTERNAL_S

pytestmark = pytest.mark.lab

TALKS = "echo hello; echo trouble >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; trap exit TERM; sleep 100000 & wait"
HOLDS = "dd if=/dev/zero bs=24M 2>/dev/null | sleep 100000"


@pytest.fixture(scope="module")
def web(cri_lab: CriLab) -> Pod:
    """Give a pod with a network of its own and two containers."""
    return cri_lab.start_pod("web", {"nginx": TALKS, "hog": HOLDS}, memory_mib=64)


@pytest.fixture(scope="module")
def alone(cri_lab: CriLab) -> str:
    """Give the id of a container that ctr started: no kubelet owns it."""
    identity = f"{os.getpid():x}".rjust(64, "c")
    cri_lab.ctr(
        "default", "run", "--detach", "--snapshotter", "native", "docker.io/library/busybox:lab", identity,
        "sh", "-c", "trap exit TERM; sleep 100000 & wait",
    )  # fmt: skip
    return identity


def vmtop(lab: CriLab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run vmtop as root, with the /run and /var/log of the lab's containerd."""
    argv = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')", *arguments]
    return subprocess.run(lab.view(argv), capture_output=True, text=True, timeout=120, cwd=ROOT)


def rows(lab: CriLab, *arguments: str) -> dict[str, dict[str, Any]]:
    """Return what root is shown, by name."""
    done = vmtop(lab, "list", "--all", "--json", *arguments)
    return {row["name"]: row for row in json.loads(done.stdout)["workloads"]}


class TestPods:
    def test_a_container_has_the_name_of_its_pod_and_its_own(self, cri_lab: CriLab, web: Pod) -> None:
        found = rows(cri_lab)
        for container in ("nginx", "hog"):
            row = found[f"web/{container}"]
            assert row["id"] == web.containers[container]
            assert (row["engine"], row["kind"], row["state"]) == ("containerd", "container", "running")
            assert (row["project"], row["image"]) == ("shop/web", "docker.io/library/busybox:lab")

    def test_memory_is_the_cgroups_working_set(self, cri_lab: CriLab, web: Pod) -> None:
        row = rows(cri_lab)["web/hog"]
        hierarchy = detect()
        folder = Path(f"{hierarchy.v1('memory') or hierarchy.v2}{web.cgroup}/{web.containers['hog']}")
        name = "memory.current" if hierarchy.v1("memory") is None else "memory.usage_in_bytes"
        assert row["metrics"]["memory_host_bytes"] == pytest.approx(int((folder / name).read_text()), rel=0.05)
        assert row["metrics"]["memory_host_bytes"] > 24 << 20

    def test_the_sandbox_has_no_row_and_counts_the_network_of_its_pod(self, cri_lab: CriLab, web: Pod) -> None:
        table = vmtop(cri_lab, "list", "--all").stdout
        assert "web/nginx" in table
        assert "pause" not in table
        assert web.sandbox[:12] not in table
        sandbox = next(row for row in rows(cri_lab).values() if row["id"] == web.sandbox)
        assert sandbox["project"] == "shop/web"
        assert sandbox["metrics"]["net_rx_bytes_per_second"] is not None

    def test_a_user_without_rights_sees_the_same_names_and_groups(self, cri_lab: CriLab, web: Pod) -> None:
        outsider = Outsider(cri_lab.folder.parent)
        done = subprocess.run(
            cri_lab.view(outsider.command("list", "--all", "--json")), capture_output=True, text=True, timeout=120
        )
        found = {row["id"]: row for row in json.loads(done.stdout)["workloads"]}
        assert found[web.containers["nginx"]]["name"] == "web/nginx"
        assert {found[one]["project"] for one in (*web.containers.values(), web.sandbox)} == {"shop/web"}

    def test_a_pod_of_the_systemd_driver_under_the_cgroupfs_driver_of_runc_is_found(self, cri_lab: CriLab) -> None:
        """The path `slice:cri-containerd:id` is what runc makes where kubelet and containerd are configured apart."""
        uid = f"{os.getpid():08x}-3333-4444-5555-666677778888"
        slice_name = f"kubepods-besteffort-pod{uid.replace('-', '_')}.slice"
        pod = cri_lab.start_pod("apart", {"app": "sleep 100000"}, uid=uid, cgroup_parent=slice_name)
        row = rows(cri_lab)["apart/app"]
        assert (row["id"], row["project"]) == (pod.containers["app"], "shop/apart")


class TestLogs:
    def test_the_log_is_that_of_the_kubelets_files_with_long_lines_whole(self, cri_lab: CriLab, web: Pod) -> None:
        done = vmtop(cri_lab, "logs", "web/nginx")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert {"hello", "trouble"} <= set(lines)
        assert "x" * 40000 in lines

    def test_lines_before_a_rotation_are_part_of_the_log(self, cri_lab: CriLab) -> None:
        pod = cri_lab.start_pod("turns", {"app": "echo before; sleep 100000"})
        log = cri_lab.log_of(pod, "app")
        wait_until(lambda: "before" in log.read_text(), 10, "the first line")
        log.rename(log.with_name("0.log.20261128-220000"))
        log.write_text("2026-11-28T22:00:01.5Z stdout F after\n")
        assert vmtop(cri_lab, "logs", "turns/app").stdout.splitlines() == ["before", "after"]


class TestInside:
    def test_a_command_runs_in_the_container_through_its_runtime(self, cri_lab: CriLab, web: Pod) -> None:
        done = vmtop(cri_lab, "exec", "web/nginx", "--", "sh", "-c", "hostname; echo wrong >&2; exit 3")
        assert (done.stdout.strip(), done.stderr.strip(), done.returncode) == ("web", "wrong", 3)

    def test_without_the_runtimes_state_it_runs_in_the_namespaces(self, cri_lab: CriLab, web: Pod) -> None:
        hide = ["sh", "-c", 'mount -t tmpfs none /run/containerd/runc && exec "$@"', "sh"]
        argv = [sys.executable, "-c", "from tui.cli.main import main; main()", "exec", "web/nginx", "--", "hostname"]
        done = subprocess.run(
            cri_lab.view([*hide, *argv]), capture_output=True, text=True, timeout=EXTERNAL_S, cwd=ROOT
        )
        assert (done.stdout.strip(), done.returncode) == ("web", 0), done.stderr


class TestActions:
    def test_a_pod_is_left_to_kubectl_in_one_sentence(self, cri_lab: CriLab, web: Pod) -> None:
        done = vmtop(cri_lab, "stop", "web/nginx", "--yes")
        assert done.returncode == 5
        assert done.stderr.count("kubelet") == 1
        assert "kubectl delete pod -n shop web" in done.stderr
        assert rows(cri_lab)["web/nginx"]["state"] == "running"

    def test_a_container_that_no_kubelet_owns_is_paused_resumed_and_stopped(self, cri_lab: CriLab, alone: str) -> None:
        for verb, state in (("pause", "PAUSED"), ("resume", "RUNNING"), ("stop", "STOPPED")):
            done = vmtop(cri_lab, verb, alone, "--yes")
            assert done.returncode == 0, done.stderr
            assert state in next(line for line in cri_lab.ctr("default", "task", "list").splitlines() if alone in line)


class TestStartedAgain:
    def test_a_container_that_ended_stays_as_a_row_with_its_restarts(self, cri_lab: CriLab) -> None:
        pod = cri_lab.start_pod("loop", {"side": "sleep 100000", "app": "exit 3"}, attempt=4)
        wait_until(lambda: not _has_cgroup(pod, "app"), 20, "the end of the container")
        row = rows(cri_lab)["loop/app"]
        assert (row["engine"], row["state"], row["restarts"]) == ("kubernetes", "restarting", 4)
        assert row["project"] == "shop/loop"
        assert rows(cri_lab)["loop/side"]["restarts"] == 4


def _has_cgroup(pod: Pod, container: str) -> bool:
    hierarchy = detect()
    return any(Path(f"{root}{pod.cgroup}/{pod.containers[container]}").exists() for root in hierarchy.walked)
