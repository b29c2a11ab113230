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

QMP = {"stop": "system_powerdown", "restart": "system_reset", "pause": "stop", "resume": "cont", "kill": "quit"}
"""QEMU's commands by the verbs; that of a restart is the forced one."""
_KEYS = ", ".join(f'{{"type": "qcode", "data": "{key}"}}' for key in ("ctrl", "alt", "delete"))
_CTRL_ALT_DELETE = f'{{"execute": "send-key", "arguments": {{"keys": [{_KEYS}]}}}}'


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
    adds_workloads = False
    quick_samples = frozenset({"vmm", "vmm-process"})
    verbs = ("stop", "restart", "pause", "resume", "kill")
    lacks = "no manager knows it: vmtop can neither start it nor remove it"

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.vmm.actions import ask_state, can_be_asked
        from collectors.engines.vmm.source import state_source

        return state_source(self.name, "QEMU with a QMP socket and without a manager", can_be_asked, ask_state)

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

        process = machine_of(*request.workload.id[:2])
        socket = (process.control_socket if process is not None else None) or "SOCKET"
        asked = _CTRL_ALT_DELETE if request.verb == "restart" else _execute(QMP[request.verb])
        words = f"{_execute('qmp_capabilities')} {asked}"
        return (f"echo {shlex.quote(words)} | socat - UNIX-CONNECT:{shlex.quote(socket)}",)

    def warnings(self, request: Request) -> list[str]:
        if request.verb == "restart":
            return [
                "The guest gets Ctrl+Alt+Delete, the only request to reboot that QEMU has. Windows does not obey it."
            ]
        is_end = request.verb in ("stop", "kill")
        return ["No manager knows it: once it has ended, vmtop cannot start it again."] if is_end else []


def _execute(command: str) -> str:
    return f'{{"execute": "{command}"}}'
