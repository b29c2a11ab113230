"""Nine engines at once on one host: every workload has one row, in its group, and the ledger adds up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.helpers.checkout import ROOT
from tests.helpers.lab.cri import CriLab
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.lxc import lxc_containers
from tests.helpers.lab.lxd import lxd_daemon
from tests.helpers.lab.nspawn import nspawn_machines
from tests.helpers.lab.podman_engine import PodmanLab
from tests.helpers.lab.vcsim import Simulator
from tests.helpers.lab.vmm import vmm_lab

pytestmark = pytest.mark.lab

OWN = f"all-{os.getpid()}"
SLEEP = "trap exit TERM; sleep 100000 & wait"
PARENT = f"{OWN}-nspawn.service"


class Host(NamedTuple):
    """What runs, and how vmtop is told where."""

    options: list[str]
    environment: dict[str, str]
    expected: dict[str, tuple[str, str]]
    """Name -> kind and engine."""


@pytest.fixture
def host(
    lab_root: Path,
    docker_lab: DockerLab,
    podman_lab: PodmanLab,
    cri_lab: CriLab,
    libvirt_lab: LibvirtLab,
    esxi: Simulator,
    credentials: Path,
) -> Iterator[Host]:
    """Start two dozen workloads on nine engines."""
    expected: dict[str, tuple[str, str]] = {}
    with skip_or_fail(), ExitStack() as stack:
        for number in range(3):
            expected[f"{OWN}-d{number}"] = "container", "docker"
            stack.callback(docker_lab.remove, docker_lab.run(f"{OWN}-d{number}", SLEEP))
        stack.callback(podman_lab.remove)
        podman_lab.make_pod(f"{OWN}-pod")
        for number, options in enumerate(((), ("--pod", f"{OWN}-pod"), ("--pod", f"{OWN}-pod"))):
            expected[f"{OWN}-p{number}"] = "container", "podman"
            podman_lab.run(f"{OWN}-p{number}", SLEEP, *options)
        for pod, containers in ((f"{OWN}-web", ("nginx", "sidecar")), (f"{OWN}-db", ("postgres",))):
            cri_lab.start_pod(pod, dict.fromkeys(containers, SLEEP), namespace="everything")
            expected |= {f"{pod}/{container}": ("container", "containerd") for container in containers}
        guest = libvirt_lab.start_tiny(f"{OWN}-guest")
        stack.callback(libvirt_lab.remove, guest)
        expected[guest] = "vm", "qemu"
        lxd = stack.enter_context(lxd_daemon(lab_root / "everything-lxd"))
        expected[lxd.launch(f"{OWN}-lxd").name] = "container", "lxd"
        lxc = stack.enter_context(lxc_containers(lab_root / "everything-lxc"))
        expected[lxc.start(f"{OWN}-lxc").name] = "container", "lxc"
        nspawn = stack.enter_context(nspawn_machines(lab_root / "everything-nspawn", PARENT))
        nspawn.make_image(f"{OWN}-nspawn")
        nspawn.start(f"{OWN}-nspawn", PARENT)
        expected[f"{OWN}-nspawn"] = "container", "nspawn"
        vmm = stack.enter_context(vmm_lab(lab_root / "everything-vmm"))
        for name, group in (("unit", "one.service"), ("first", "two.scope"), ("second", "two.scope"), ("bare", "")):
            vmm.qemu(f"{OWN}-{name}", "-name", f"{OWN}-{name}", group=vmm.group(group) if group else "")
            expected[f"{OWN}-{name}"] = "vm", "vmm"
        addresses = [
            *("--docker", docker_lab.url, "--podman", podman_lab.url, "--libvirt", libvirt_lab.uri),
            *("--vsphere", esxi.url()),
        ]
        yield Host(addresses, {"LXD_DIR": str(lxd.home)}, expected)


def vmtop(host: Host, *arguments: str) -> dict[str, Any]:
    argv = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')", *arguments, *host.options]
    environment = os.environ | host.environment
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_every_workload_of_nine_engines_has_one_row_in_its_group_and_the_ledger_adds_up(host: Host) -> None:
    document = vmtop(host, "list", "--json", "--all")
    rows = {row["name"]: row for row in document["workloads"]}
    of_lab = [row for row in document["workloads"] if OWN in row["name"] and row["kind"] != "service"]
    counts = Counter(row["name"] for row in of_lab if not row["is_sandbox"])
    assert counts == Counter(host.expected.keys())
    assert {name: (rows[name]["kind"], rows[name]["engine"]) for name in host.expected} == host.expected
    assert {rows[f"{OWN}-p{number}"]["project"] for number in (1, 2)} == {f"{OWN}-pod"}
    assert rows[f"{OWN}-web/nginx"]["project"] == rows[f"{OWN}-web/sidecar"]["project"] == f"everything/{OWN}-web"
    assert [row["engine"] for row in document["workloads"]].count("vsphere") >= 2
    unmeasured = {name for name in host.expected if not rows[name]["metrics"]["memory_host_bytes"]}
    assert unmeasured <= {f"{OWN}-nspawn"}, "nspawn makes no cgroup of its own in the memory hierarchy of version 1"
    assert all("memory_host_bytes" in rows[name]["reasons"] for name in unmeasured)
    ledger = document["ledger"]["memory_bytes"]
    assert ledger["vm"] + ledger["container"] + ledger["service"] + ledger["rest"] == pytest.approx(ledger["host"])
    local = [row for row in document["workloads"] if not row["endpoint"] and row["parent"] is None]
    for kind in ("vm", "container"):
        charged = sum(row["metrics"]["memory_host_bytes"] or 0 for row in local if row["kind"] == kind)
        assert ledger[kind] >= 0.9 * charged, f"every {kind} is counted"
