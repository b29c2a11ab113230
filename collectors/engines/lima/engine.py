"""Lima: instances of every user, which run on QEMU."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager

if TYPE_CHECKING:
    from collectors.engines.vmm.registered import Registered


class LimaEngine(ManagedEngine):
    """Instances by their names, which are their ids: of two users' with the same name the one that runs has the row."""

    name = "lima"
    about = About(
        "Lima",
        "instances by name, of one's own and, for root, of all who are logged in; stopped ones too",
        "for actions, limactl; as root it runs as the machine's owner",
        "stand-ins for its processes and its command",
    )
    engine_names = frozenset({"lima"})
    manager = Manager(
        "limactl",
        {
            "start": ("start", "{id}"),
            "stop": ("stop", "{id}"),
            "kill": ("stop", "--force", "{id}"),
        },
    )
    verbs = ("start", "stop", "kill")
    lacks = "Lima has no command for it that vmtop uses"

    def registered(self) -> Iterable[Registered]:
        from collectors.engines.lima.registry import machines

        return machines()
