"""Lima: instances of every user, which run on QEMU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec


class LimaEngine(ManagedEngine):
    """Instances, as far as their processes show them: stopped ones have no row."""

    name = "lima"
    about = About(
        "Lima",
        "running instances by name",
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

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return an empty list: the kernel"s source finds the processes."""
        return []
