"""Bundles: their annotations, and how they are found from a container's first process."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.oci.bundle import Bundle, parse, read_bundle
from tests.helpers.kubelet_capture import captured

ID, OTHER = "a" * 64, "b" * 64
CRI = "io.kubernetes.cri."


def stat(pid: int, parent: int) -> str:
    return f"{pid} (x) S {parent} " + " ".join(["0"] * 17) + " 100 " + " ".join(["0"] * 30)


def host(folder: Path, command: str, annotations: dict[str, str], cwd: Path | None = None) -> Path:
    """Make a procfs in which process 20 is a child of process 10, which runs a command in a folder."""
    proc = folder / "proc"
    for pid, parent in ((10, 1), (20, 10)):
        (proc / str(pid)).mkdir(parents=True)
        (proc / str(pid) / "stat").write_text(stat(pid, parent))
    (proc / "10" / "cmdline").write_text(command.replace(" ", "\0") + "\0")
    bundle = folder / "tasks" / ID
    bundle.mkdir(parents=True)
    (bundle / "config.json").write_text(json.dumps({"ociVersion": "1.0.2", "annotations": annotations}))
    (folder / "tasks" / OTHER).mkdir()
    (proc / "10" / "cwd").symlink_to(cwd or folder / "tasks" / OTHER)
    (proc / "10" / "root").symlink_to("/")
    return proc


def test_the_bundles_of_a_real_kubelets_containers_name_pod_container_and_image() -> None:
    found = {bundle["id"]: parse(bundle["annotations"]) for bundle in captured("bundles")}
    pods = {one.pod for one in found.values()}
    assert pods == {"shop/web-lab-node", "shop/db-lab-node", "shop/init-lab-node", "default/crash-lab-node"}
    assert sum(one.is_sandbox for one in found.values()) == 4
    named = {(one.pod, one.name, one.image) for one in found.values() if not one.is_sandbox}
    assert ("shop/web-lab-node", "sidecar", "docker.io/library/busybox:lab") in named
    assert all(one.name is None and one.image is None for one in found.values() if one.is_sandbox)


def test_the_annotations_of_cri_o_name_pod_and_container() -> None:
    annotations = {
        "io.kubernetes.cri-o.ContainerType": "container",
        "io.kubernetes.cri-o.ImageName": "quay.io/nginx:1",
        "io.kubernetes.container.name": "nginx",
        "io.kubernetes.pod.name": "web-0",
        "io.kubernetes.pod.namespace": "shop",
    }
    assert parse(annotations) == Bundle("nginx", "shop/web-0", "quay.io/nginx:1")


def test_nerdctls_annotations_name_a_container_outside_of_kubernetes() -> None:
    assert parse({"nerdctl/name": "db", "nerdctl/image-ref": "docker.io/library/postgres:16"}) == Bundle(
        "db", image="docker.io/library/postgres:16"
    )


@given(st.dictionaries(st.text(max_size=20) | st.just(CRI + "container-type"), st.text(max_size=20), max_size=6))
def test_any_annotations_can_be_read(annotations: dict[str, str]) -> None:
    assert isinstance(parse(annotations), Bundle)


def test_the_bundle_is_next_to_the_one_that_the_shim_was_started_in(tmp_path: Path) -> None:
    shim = f"/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id {OTHER} -address /run/c.sock"
    proc = host(tmp_path, shim, {CRI + "container-type": "container", CRI + "container-name": "nginx"})
    assert read_bundle(str(proc), 20, ID) == Bundle("nginx", namespace="k8s.io")


def test_conmon_names_the_bundle_in_its_command_line(tmp_path: Path) -> None:
    proc = host(tmp_path, f"/usr/bin/conmon -c {ID} -b {tmp_path}/tasks/{ID}", {"nerdctl/name": "x"})
    assert read_bundle(str(proc), 20, ID) == Bundle("x")
    assert read_bundle(str(proc), 20, OTHER) is None


@pytest.mark.parametrize("command", ["/bin/sh -c x", "", "/usr/bin/conmon -b"])
def test_a_process_that_neither_shim_nor_monitor_started_has_no_bundle(tmp_path: Path, command: str) -> None:
    assert read_bundle(str(host(tmp_path, command, {})), 20, ID) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"annotations": 3}', b'{"annotations": {"a": 1}}'])
def test_a_broken_bundle_is_none(tmp_path: Path, content: bytes) -> None:
    proc = host(tmp_path, "containerd-shim -namespace x", {})
    (tmp_path / "tasks" / ID / "config.json").write_bytes(content)
    assert read_bundle(str(proc), 20, ID) is None


def test_a_link_in_the_place_of_a_bundle_is_not_followed(tmp_path: Path) -> None:
    proc = host(tmp_path, "containerd-shim -namespace x", {})
    config = tmp_path / "tasks" / ID / "config.json"
    config.rename(tmp_path / "elsewhere")
    config.symlink_to(tmp_path / "elsewhere")
    assert read_bundle(str(proc), 20, ID) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_bundle_of_another_user_than_the_shims_is_refused(tmp_path: Path) -> None:
    proc = host(tmp_path, "containerd-shim -namespace x", {"nerdctl/name": "x"})
    os.chown(tmp_path / "tasks" / ID / "config.json", 4711, 0)
    assert read_bundle(str(proc), 20, ID) is None
