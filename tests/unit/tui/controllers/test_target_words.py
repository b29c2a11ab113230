"""What the targets of an action are called."""

from __future__ import annotations

from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tui.controllers.actions import _targets_label


def test_targets_are_counted_by_kind_and_a_vm_is_a_vm() -> None:
    vms = [Workload(WorkloadId("libvirt", name), Kind.VM, name, State.RUNNING, False) for name in "ab"]
    assert _targets_label(vms[:1]) == "VM a"
    assert _targets_label(vms) == "2 VMs"


def test_targets_on_other_hosts_are_named_with_them() -> None:
    first, second = (Workload(WorkloadId("docker", "1", host), Kind.CONTAINER, "web", State.RUNNING) for host in "xy")
    assert _targets_label([first]) == "container web on x"
    assert _targets_label([first, first]) == "2 containers on x"
    assert _targets_label([first, second]) == "2 containers on 2 hosts"
