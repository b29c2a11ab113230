"""systemd-nspawn: containers that units, machined or a command line started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.nspawn.access import NspawnAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec

_ONLY_UNITS = ("start", "restart")


class NspawnEngine(Engine):
    """Running containers, and images in /var/lib/machines that do not run."""

    name = "nspawn"
    about = About(
        "systemd-nspawn",
        "names, images that do not run, settings",
        "root, for images and shells; actions also work with polkit's leave",
        "systemd-nspawn 252, with and without units",
    )
    engine_names = frozenset({"nspawn"})
    kinds = frozenset({"container"})
    verbs = ("start", "stop", "restart", "kill")
    lacks = "vmtop does not pause or delete machines of systemd-nspawn"

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.nspawn.source import NspawnSource

        return NspawnSource

    def connect(self, specs: Sequence[SourceSpec]) -> NspawnAccess:
        from collectors.engines.nspawn.access import NspawnAccess

        return NspawnAccess()

    def forbids(self, verb: Verb, workload: Workload) -> str:
        from collectors.engines.nspawn.machines import Way, way_of

        if verb in _ONLY_UNITS and way_of(workload) is not Way.UNIT:
            return "it was not started by a unit, so that only who started it can start it again"
        return super().forbids(verb, workload)

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.nspawn.shell_commands import commands

        return commands(request)
