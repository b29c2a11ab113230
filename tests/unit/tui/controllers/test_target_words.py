"""What the targets of an action are called."""

from __future__ import annotations

from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tui.controllers.actions import _targets_label


def test_targets_are_counted_by_kind_and_a_vm_is_a_vm() -> None:
    vms = [Workload(WorkloadId("libvirt", name), Kind.VM, name, State.RUNNING, False) for name in "ab"]
    assert _targets_label(vms[:1]) == "VM a"
    assert _targets_label(vms) == "2 VMs"


def test_the_other_host_of_a_target_is_named() -> None:
    webs = [
        Workload(WorkloadId("docker", "a" * 64, host), Kind.CONTAINER, "web", State.RUNNING)
        for host in ("hv01", "", "hv02")
    ]
    assert _targets_label(webs[:1]) == "container web on hv01"
    assert _targets_label(webs) == "3 containers on hv01, this host, hv02"
    assert _targets_label(webs[1:2]) == "container web"
