"""Facts about a machine that its process shows, on stand-ins: real QEMU is in tests/lab/test_vmm.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.comparison.facts import FactsReader
from collectors.comparison.machine_facts import of_machine
from collectors.engines.connections import EngineConnections
from collectors.kernel.isolation import read_isolation
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.vmm_stand_ins import QMP, stand_in

QEMU = "qemu-system-x86_64"


def test_a_machine_that_no_manager_describes_has_its_isolation_and_its_size(tmp_path: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(range(256)) * 4096)
    with stand_in(tmp_path, QEMU, QMP, tmp_path / "q.sock", ["-drive", f"file={disk},format=raw"]) as process:
        machine = Workload(WorkloadId(process.engine, process.id), Kind.VM, "web", State.RUNNING)
        facts = FactsReader(EngineConnections([])).read_all([machine])[machine.id]
        assert str(facts["isolation"].value).startswith("emulation in software, QEMU, ")
        assert facts["size_bytes"].value == disk.stat().st_blocks * 512
        assert "only the guest knows" in facts["system"].how


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("anon_inode:kvm-vm", "hardware virtualisation (KVM)"),
        ("/dev/vboxdrv", "hardware virtualisation (VirtualBox)"),
        ("/dev/vmmon", "hardware virtualisation (VMware)"),
    ],
)
def test_what_runs_the_guest_is_seen_by_what_its_process_has_open(tmp_path: Path, target: str, words: str) -> None:
    with stand_in(tmp_path, QEMU, QMP, tmp_path / "q.sock") as process:
        folder = tmp_path / "proc" / str(process.pid) / "fd"
        folder.mkdir(parents=True)
        (folder / "0").symlink_to("/dev/null")
        (folder / "9").symlink_to(target)
        facts = of_machine(process, None, str(tmp_path / "proc"))
        assert facts["isolation"].value == f"{words}, QEMU"
        missing = of_machine(process, read_isolation(os.getpid()), str(tmp_path / "none"))
        assert "needs root" in missing["isolation"].how
