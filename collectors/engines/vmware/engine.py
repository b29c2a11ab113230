"""VMware Workstation and Player: machines of every user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from collectors.engines.about import About
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager

if TYPE_CHECKING:
    from collectors.engines.vmm.registered import Registered
    from collectors.model.actions import Verb
    from collectors.model.workloads import Workload


class VmwareEngine(ManagedEngine):
    """Machines that `vmrun` can act on, as the user whose machines they are. Their id is the path of the .vmx file."""

    name = "vmware"
    about = About(
        "VMware Workstation and Player",
        "machines by name, of one's own and, for root, of all who are logged in; stopped ones too",
        "for actions, vmrun; as root it runs as the machine's owner",
        "stand-ins for its processes, files and vmrun",
    )
    engine_names = frozenset({"vmware"})
    manager = Manager(
        "vmrun",
        {
            "start": ("-T", "ws", "start", "{id}", "nogui"),
            "stop": ("-T", "ws", "stop", "{id}", "soft"),
            "restart": ("-T", "ws", "reset", "{id}", "soft"),
            "kill": ("-T", "ws", "stop", "{id}", "hard"),
        },
    )
    verbs = ("start", "stop", "restart", "kill")
    lacks = "vmtop does not delete machines"
    _pauses: ClassVar[Mapping[str, str]] = {"pause": "pause", "resume": "unpause"}

    def owns(self, workload: Workload) -> bool:
        """Return whether it is one of a process or a file: libvirt's driver of that name has UUIDs."""
        return super().owns(workload) and workload.id.id.lower().endswith(".vmx")

    def forbids(self, verb: Verb, workload: Workload) -> str:
        """Return why not, as of `Engine`; of pausing, the command: nothing would show whether it took effect."""
        import shlex

        if verb not in self._pauses:
            return super().forbids(verb, workload)
        command = shlex.join(["vmrun", "-T", "ws", self._pauses[verb], workload.id.id])
        return f"VMware does not tell whether a machine is paused: {command}"

    def registered(self) -> Iterable[Registered]:
        from collectors.engines.vmware.registry import machines

        return machines()
