"""Multipass: the instances of this host, which its daemon runs as root."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager

if TYPE_CHECKING:
    from collectors.engines.vmm.registered import Registered


class MultipassEngine(ManagedEngine):
    """Instances by their names, which are their ids."""

    name = "multipass"
    about = About(
        "Multipass",
        "instances by name; for root, stopped ones too",
        "root, for stopped ones and for actions: the command `multipass`",
        "stand-ins for its processes and its command",
    )
    engine_names = frozenset({"multipass"})
    manager = Manager(
        "multipass",
        {
            "start": ("start", "{id}"),
            "stop": ("stop", "{id}"),
            "restart": ("restart", "{id}"),
            "kill": ("stop", "--force", "{id}"),
        },
        is_roots=True,
    )
    verbs = ("start", "stop", "restart", "kill")
    lacks = "Multipass has no command for it that vmtop uses"

    def registered(self) -> Iterable[Registered]:
        from collectors.engines.multipass.registry import instances

        return instances()
