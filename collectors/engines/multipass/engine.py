"""Multipass: the instances of this host, which its daemon runs as root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec


class MultipassEngine(ManagedEngine):
    """Instances, as far as their processes show them: stopped ones have no row."""

    name = "multipass"
    about = About(
        "Multipass",
        "running instances by name",
        "root, for actions: the command `multipass`",
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

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return an empty list: the kernel"s source finds the processes."""
        return []
