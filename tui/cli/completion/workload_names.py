"""Names of workloads for the shell's completion: what answers quickly."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from collectors.actions.targets import names_of
from collectors.analysis.rates import Moment
from collectors.model.workloads import Kind
from tui.cli import sources
from tui.cli.sampling import Wait, gather, has_answered

_PATIENCE_S = 1.0
"""Seconds after which a completion shows what there is."""


def names_like(incomplete: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return the names that begin like a text, also as `vm:NAME` once a kind is typed.

    Args:
        incomplete: What has been typed.
        parameters: The options before it, by parameter.
    """
    logging.disable()  # the shell waits for names only
    moment = gather(sources.specs(parameters), Wait(_PATIENCE_S), has_answered)
    return sorted(name for name in _names(moment, incomplete) if name.startswith(incomplete))


def _names(moment: Moment, incomplete: str) -> set[str]:
    kind, colon, _ = incomplete.partition(":")
    prefixes = [f"{kind}:"] if colon and kind in tuple(Kind) else [""]
    return {
        f"{prefix}{names_of(workload)[-1]}"
        for workload in moment.frame.workloads.values()
        for prefix in prefixes
        if workload.name_is_known and (not prefix or prefix == f"{workload.kind}:")
    }
