"""A domain whose UUID is not known, as only its control group was seen, is never asked for with an invalid one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from collectors.engines.libvirt.access import LibvirtAccess
from collectors.engines.registry import owner
from collectors.model.actions import Request, Verb
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec

DOMAIN = Workload(WorkloadId("qemu", "machine-qemu\\x2d1\\x2dweb.scope"), Kind.VM, "web", State.RUNNING)
ACCESS = LibvirtAccess([SourceSpec("libvirt", {"uri": "test:///default"})])
LOOKS: list[Callable[[], object]] = [
    lambda: ACCESS.actions(DOMAIN).observe(DOMAIN),
    lambda: ACCESS.actions(DOMAIN).perform(Request(Verb.STOP, DOMAIN)),
    lambda: ACCESS.raw_description(DOMAIN),
    lambda: ACCESS.open_console(DOMAIN),
    lambda: ACCESS.details()(DOMAIN),
]


@pytest.mark.parametrize("look", LOOKS)
def test_it_is_a_sentence_with_a_remedy(look: Callable[[], object]) -> None:
    with pytest.raises(SourceAbsent, match="lists web, and its UUID is not known") as refused:
        look()
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("engine", "identity", "handled_by"),
    [
        ("qemu", "0f0e0d0c-1111-2222-3333-444455556666", "libvirt"),
        ("proxmox", "101", "proxmox"),
        ("virtualbox", "0f0e0d0c-1111-2222-3333-444455556666", "virtualbox"),
        ("vmware", "/h/web.vmx", "vmware"),
        ("vmware", "0f0e0d0c-1111-2222-3333-444455556666", "libvirt"),
        ("vmm", "0f0e0d0c-1111-2222-3333-444455556666", "vmm"),
        ("firecracker", "vm-7", "firecracker"),
        ("cloud-hypervisor", "/run/ch.sock", "cloud-hypervisor"),
        ("lima", "default", "lima"),
        ("multipass", "primary", "multipass"),
        ("kata", "sandbox", ""),
        ("somebody", "x", ""),
    ],
)
def test_libvirt_has_its_own_machines_only(engine: str, identity: str, handled_by: str) -> None:
    assert owner(Workload(WorkloadId(engine, identity), Kind.VM, "web", State.RUNNING)).name == handled_by
