"""Virtual machines that no manager is known to run: plain QEMU above all."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.vmm.access import QemuAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec

_QMP = {"stop": "system_powerdown", "pause": "stop", "resume": "cont", "kill": "quit"}
"""QEMU's commands by the verbs."""


class VmmEngine(Engine):
    """Machines by their processes, which the kernel's source lists; its own source only asks QEMU for their states."""

    name = "vmm"
    about = About(
        "QEMU and other VMMs by their processes",
        "plain QEMU, crosvm and kvmtool: name, virtual CPUs, memory, disks, state; with QMP, what QEMU knows",
        "for actions, a QMP socket on QEMU's command line; as root, those of all users",
        "QEMU 7.2 with TCG and KVM; stand-ins for the others",
    )
    engine_names = frozenset({"vmm"})
    kinds = frozenset({"vm"})
    quick_samples = frozenset({"vmm", "vmm-process"})
    verbs = ("stop", "pause", "resume", "kill")
    lacks = "QEMU that nothing manages cannot be started again by vmtop"

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.vmm.source import VmmSource

        return VmmSource

    def connect(self, specs: Sequence[SourceSpec]) -> QemuAccess:
        from collectors.engines.vmm.access import QemuAccess

        return QemuAccess()

    def forbids(self, verb: Verb, workload: Workload) -> str:
        unit = (workload.cgroup or "").rpartition("/")[2]
        if verb in ("start", "restart") and unit.endswith(".service"):
            return f"systemd runs it: vmtop {verb} service:{unit}"
        return super().forbids(verb, workload)

    def commands(self, request: Request) -> tuple[str, ...]:
        """Return what sends the command to the socket by hand."""
        from collectors.kernel.vmm.scan import machine_of

        process = machine_of(*request.workload.id)
        socket = (process.control_socket if process is not None else None) or "SOCKET"
        words = " ".join(f'{{"execute": "{name}"}}' for name in ("qmp_capabilities", _QMP[request.verb]))
        return (f"echo {shlex.quote(words)} | socat - UNIX-CONNECT:{shlex.quote(socket)}",)
