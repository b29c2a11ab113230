"""Why a cell is empty, for whoever shows it."""

from __future__ import annotations

from collectors.analysis import empty_cells
from collectors.analysis.rates import Moment, Reading
from collectors.engines.registry import owner


def why_empty(key: str, reading: Reading, moment: Moment) -> str:
    """Return why a metric of a workload has no value now, as a sentence without capital and full stop."""
    return empty_cells.reason(key, reading, moment, owner(reading.workload).name)
