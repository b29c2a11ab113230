"""What the targets of an action are called."""

from __future__ import annotations

from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tui.controllers.actions import _targets_label


def test_targets_are_counted_by_kind_and_a_vm_is_a_vm() -> None:
    vms = [Workload(WorkloadId("libvirt", name), Kind.VM, name, State.RUNNING, False) for name in "ab"]
    assert _targets_label(vms[:1]) == "VM a"
    assert _targets_label(vms) == "2 VMs"
