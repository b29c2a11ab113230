"""VirtualBox: machines of every user, with a window or headless."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager

if TYPE_CHECKING:
    from collectors.engines.vmm.registered import Registered


class VirtualBoxEngine(ManagedEngine):
    """Machines that VirtualBox's own command can act on, as the user whose machines they are."""

    name = "virtualbox"
    about = About(
        "VirtualBox",
        "machines by name, of one's own and, for root, of all who are logged in; stopped ones too",
        "for actions, VBoxManage; as root it runs as the machine's owner",
        "stand-ins for its processes, files and VBoxManage",
    )
    engine_names = frozenset({"virtualbox"})
    manager = Manager(
        "VBoxManage",
        {
            "start": ("startvm", "{id}", "--type", "headless"),
            "stop": ("controlvm", "{id}", "acpipowerbutton"),
            "pause": ("controlvm", "{id}", "pause"),
            "resume": ("controlvm", "{id}", "resume"),
            "kill": ("controlvm", "{id}", "poweroff"),
        },
        status=("showvminfo", "{id}", "--machinereadable"),
        paused='VMState="paused"',
    )
    verbs = ("start", "stop", "pause", "resume", "kill")
    lacks = "VirtualBox cannot ask a guest to reboot, and vmtop does not remove machines"

    def registered(self) -> Iterable[Registered]:
        from collectors.engines.virtualbox.registry import machines

        return machines()
