"""Proxmox VE: virtual machines and containers of this node, stopped ones too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager

if TYPE_CHECKING:
    from collectors.engines.vmm.registered import Registered
    from collectors.model.actions import Verb
    from collectors.model.workloads import Workload

_VERBS = {
    "start": "start",
    "stop": "shutdown",
    "restart": "reboot",
    "pause": "suspend",
    "resume": "resume",
    "kill": "stop",
}
"""qm(1) and pct(1) by the verbs."""
_WAITING = frozenset({"stop", "restart"})


def _manager(program: str, status: tuple[str, ...] = ()) -> Manager:
    arguments = {
        verb: (word, "{id}", *(("--timeout", "{timeout}") if verb in _WAITING else ())) for verb, word in _VERBS.items()
    }
    return Manager(program, arguments, is_roots=True, status=status, paused="qmpstatus: paused")


class ProxmoxEngine(ManagedEngine):
    """Guests of this node. Those of other nodes have rows there."""

    name = "proxmox"
    about = About(
        "Proxmox VE",
        "virtual machines and containers by name and number, stopped ones too",
        "root, for names of containers, stopped guests and actions",
        "stand-ins for its processes, files and commands",
    )
    engine_names = frozenset({"proxmox"})
    kinds = frozenset({"vm", "container"})
    manager = _manager("qm", ("status", "{id}", "--verbose"))
    containers = _manager("pct")
    verbs = ("start", "stop", "restart", "pause", "resume", "kill")
    lacks = "vmtop does not destroy guests"

    def forbids(self, verb: Verb, workload: Workload) -> str:
        """Return why not, as of `Engine`: containers are not paused by a stable command (pct(1))."""
        if workload.kind == "container" and verb in ("pause", "resume"):
            return "Proxmox VE suspends containers only as an experiment: see man pct"
        return super().forbids(verb, workload)

    def managers(self, workload: Workload) -> Manager:
        return self.containers if workload.kind == "container" else self.manager

    def registered(self) -> Iterable[Registered]:
        from collectors.engines.proxmox.registry import guests

        return guests()

    def is_running(self, machine: Registered) -> bool:
        from collectors.engines.proxmox.registry import is_container_running

        return machine.kind == "container" and is_container_running(machine.id)
