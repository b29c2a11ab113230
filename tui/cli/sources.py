"""From the command line to the sources that the sampler runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.engines.demo.engine import demo_specs
from collectors.engines.registry import specs_from
from collectors.sampling.source import SourceSpec


def specs(values: Mapping[str, Any]) -> list[SourceSpec]:
    """Return the kernel's sources, then those of each engine.

    Args:
        values: The options of `source_options`, by `EngineOption.parameter`.
    """
    return specs_from(values)


def demo(workloads: int, seed: int) -> list[SourceSpec]:
    """Return the one source of a fleet that does not exist."""
    return demo_specs(workloads, seed)
