"""LXD and Incus: two daemons with one API, which run containers and virtual machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.lxd.access import LxdAccess
    from collectors.model.actions import Request
    from collectors.sampling.source import Source, SourceSpec


class LxdEngine(Engine):
    """Instances of all projects of the daemons of this host."""

    name = "lxd"
    about = About(
        "LXD and Incus",
        "containers and virtual machines of all projects: names, images, addresses, labels (`user.*`), stopped ones, "
        "snapshots, limits, events",
        "their socket (the group `lxd` or `incus-admin`)",
        "LXD 5.0 with containers; Incus and virtual machines by captured answers of the same API",
    )
    engine_names = frozenset({"lxd", "incus"})
    kinds = frozenset({"vm", "container"})
    environment = ("LXD_DIR", "LXD_SOCKET", "INCUS_DIR", "INCUS_SOCKET")
    daemons = frozenset({"lxd", "incusd"})
    verbs = ("start", "stop", "restart", "pause", "resume", "kill")
    lacks = "vmtop does not delete instances: their snapshots and disks would be deleted with them"

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.lxd.source import LxdSource

        return LxdSource

    def connect(self, specs: Sequence[SourceSpec]) -> LxdAccess:
        from collectors.engines.lxd.access import LxdAccess

        return LxdAccess()

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.lxd.shell_commands import commands

        return commands(request)
