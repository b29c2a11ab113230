"""containerd: containers that no kubelet owns, such as those of ctr and nerdctl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.containerd.access import ContainerdAccess
    from collectors.model.actions import Request
    from collectors.model.workloads import Workload
    from collectors.sampling.source import SourceSpec


class ContainerdEngine(Engine):
    """Containers of containerd. Nothing lists them: the kernel shows them, and their bundles name them."""

    name = "containerd"
    about = About(
        "containerd",
        "names and images of nerdctl's containers; a shell; stop, pause, resume and kill through containerd's ctr",
        "root, and ctr, which containerd brings with it",
        "containerd 1.6 with ctr; nerdctl by its annotations",
    )
    kinds = frozenset({"container"})
    daemons = frozenset({"containerd"})
    shims = ("containerd-shim",)
    verbs = ("stop", "pause", "resume", "kill")
    lacks = "containerd only runs containers: use what made it, such as nerdctl"

    def owns(self, workload: Workload) -> bool:
        return workload.id.engine == self.name

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        return []

    def connect(self, specs: Sequence[SourceSpec]) -> ContainerdAccess:
        from collectors.engines.containerd.access import ContainerdAccess

        return ContainerdAccess()

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.containerd.ctr import commands

        return commands(request)
