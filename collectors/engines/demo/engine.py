"""A fleet that does not exist, for trying vmtop out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.demo.access import DemoAccess
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec


class DemoEngine(Engine):
    """Plays all engines of a host. Its workloads are described as those of the engines that it plays."""

    name = "demo"
    kinds = frozenset({"vm", "container", "service"})
    quick_samples = frozenset({"demo"})
    is_simulated = True

    def owns(self, workload: Workload) -> bool:
        return False  # what can be done with a workload is what the engine that it seems to have can do

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.demo.source import DemoSource

        return DemoSource

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return none: a demo is not sampled together with a real host. See `demo_specs`."""
        return []

    def connect(self, specs: Sequence[SourceSpec]) -> DemoAccess:
        from collectors.engines.demo.access import DemoAccess

        return DemoAccess(specs)


def demo_specs(workloads: int, seed: int) -> list[SourceSpec]:
    """Return the one source of a fleet. Equal seeds give equal fleets."""
    from collectors.sampling.source import SourceSpec

    return [SourceSpec("demo", {"workloads": workloads, "seed": seed, "lives": {}})]
