"""A simulated fleet, for trying out vmtop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.demo.access import DemoAccess
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec


class DemoEngine(Engine):
    """Simulates all engines of a host. Its workloads carry the names of the engines that it simulates."""

    name = "demo"
    kinds = frozenset({"vm", "container", "service"})
    quick_samples = frozenset({"demo"})
    is_simulated = True

    def owns(self, workload: Workload) -> bool:
        return False  # a workload can do what the engine that it names supports

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.demo.source import DemoSource

        return DemoSource

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return an empty list: a demo is never sampled together with a real host. See `demo_specs`."""
        return []

    def connect(self, specs: Sequence[SourceSpec]) -> DemoAccess:
        from collectors.engines.demo.access import DemoAccess

        return DemoAccess(specs)


def demo_specs(workloads: int, seed: int) -> list[SourceSpec]:
    """Return the single source of a simulated fleet. Equal seeds give equal fleets."""
    from collectors.sampling.spec import SourceSpec

    return [SourceSpec("demo", {"workloads": workloads, "seed": seed, "lives": {}})]
