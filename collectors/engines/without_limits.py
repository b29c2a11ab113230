"""Why vmtop sets no limits with an engine, and who can. Pure."""

from __future__ import annotations

from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Workload

_WAYS = {
    "kubernetes": ("the kubelet would undo it", "change the pod's definition: kubectl set resources"),
    "containerd": ("containerd's ctr cannot", "use nerdctl update for a container of nerdctl's"),
    "vsphere": ("vmtop is only a reader of vSphere's settings", "use vSphere's client, or govc vm.change"),
    "proxmox": ("Proxmox keeps them in its own configuration", "use qm set"),
    "virtualbox": ("VirtualBox keeps them in its own settings", "use VBoxManage controlvm"),
    "vmware": ("VMware keeps them in the machine's settings", "shut the machine down and edit its settings"),
    "multipass": ("Multipass changes them only while a machine is stopped", "use multipass set local.NAME.cpus=2"),
    "lima": ("Lima changes them only while a machine is stopped", "use limactl edit"),
    "firecracker": ("Firecracker takes them when it starts", "use its API's /balloon and /machine-config"),
    "cloud-hypervisor": ("vmtop only reads its API", "use ch-remote resize"),
}  # fmt: skip
_OTHERS = ("it knows no way to set them there", "use the tool that started it, or move its processes into a service")


def no_limits(workload: Workload) -> SourceAbsent:
    """Return the error for a workload whose limits vmtop cannot set."""
    why, way = _WAYS.get(workload.id.engine, _OTHERS)
    return SourceAbsent(f"vmtop sets no limits of {workload.id.engine}: {why}", way)
