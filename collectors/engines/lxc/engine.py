"""LXC without a daemon: containers that the lxc-* commands start and stop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.lxc.access import LxcAccess
    from collectors.model.actions import Request
    from collectors.sampling.source import Source, SourceSpec


class LxcEngine(Engine):
    """Containers in the folders of LXC: the system's, those of users who run some, and those of running ones."""

    name = "lxc"
    about = About(
        "LXC",
        "names, stopped containers, configuration",
        "root, or to be the user whose containers they are",
        "LXC 5.0",
    )
    engine_names = frozenset({"lxc"})
    kinds = frozenset({"container"})
    verbs = ("start", "stop", "restart", "pause", "resume", "kill")
    lacks = "vmtop does not delete containers of LXC: their whole file system would be deleted with them"

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.lxc.source import LxcSource

        return LxcSource

    def connect(self, specs: Sequence[SourceSpec]) -> LxcAccess:
        from collectors.engines.lxc.access import LxcAccess

        return LxcAccess()

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.lxc.shell_commands import commands

        return commands(request)
