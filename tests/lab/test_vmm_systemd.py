"""Machines in the units of a real systemd, on cgroup v2: a stand-in for QEMU runs in a user-mode kernel."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.workloads import Kind, Workload, WorkloadId
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.uml import UmlLab
from tests.helpers.lab.uml_systemd import run_under_systemd
from tests.helpers.lab.vmm import vmm_lab

_UNIT = "[Unit]\nDefaultDependencies=no\n[Service]\nEnvironment='THREADS=CPU %%d/KVM'\nExecStart={}\n"


def units(program: Path) -> dict[str, str]:
    """Return the units, by their names: a machine alone, one that a shell started, and two together."""
    commands = {
        "web.service": f"{program} -name web,debug-threads=on -smp 2 -m 1G",
        "wrapped.service": f"/bin/sh -c '{program} -name wrapped; true'",
        "two.service": f"/bin/sh -c '{program} -name first & {program} -name second & wait'",
    }
    return {name: _UNIT.format(command) for name, command in commands.items()}


@pytest.mark.lab
def test_units_that_run_machines(uml_lab: UmlLab, lab_root: Path) -> None:
    with skip_or_fail(), vmm_lab(lab_root / "vmm-systemd") as lab:
        program = lab.program("qemu-system-x86_64")  # the kernel inside sees the files of this machine
        argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
        environment = {"TMPDIR": "/run/lab/tmp", "PYTHONDONTWRITEBYTECODE": "1", "VMTOP_INSIDE_UML": "1"}
        finished = run_under_systemd(uml_lab.folder / "vmm-systemd", argv, units(program), environment, 200)
    assert finished.returncode == 0, finished.stdout
    assert "1 passed" in finished.stdout, finished.stdout


@pytest.mark.uml
def test_inside_a_machine_is_its_unit_or_measured_by_its_process() -> None:
    names = ["web.service", "wrapped.service", "two.service"]
    subprocess.run(["systemctl", "start", *names], check=True)
    source = CgroupSource()
    source.open(lambda: None)
    deadline = time.monotonic() + 120
    while len(machines := _machines(source)) < 4 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert {name: workload.cgroup for name, workload in machines.items()} == {
        "web": "/system.slice/web.service",
        "wrapped": "/system.slice/wrapped.service",
        "first": None,
        "second": None,
    }
    two = WorkloadId("systemd", "/system.slice/two.service")
    assert {machines[name].parent for name in ("first", "second")} == {two}
    reading = source.read()
    assert two in reading.workloads
    assert WorkloadId("systemd", "/system.slice/web.service") not in reading.workloads
    (vmm,) = [sample for sample in reading.samples[machines["web"].id] if sample.source == "vmm"]
    assert (vmm.vcpus, vmm.memory_limit_bytes) == (2, 1 << 30)
    subprocess.run(["systemctl", "stop", "web.service"], check=True)
    assert "web" not in _machines(source)
    source.close()


def _machines(source: CgroupSource) -> dict[str, Workload]:
    workloads = source.read().workloads.values()
    return {workload.name: workload for workload in workloads if workload.kind is Kind.VM}
