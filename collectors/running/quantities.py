"""What is measured of a command, and of the workloads that it starts. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from collectors.model.metrics import Unit


class Quantity(NamedTuple):
    """One thing that is measured."""

    key: str
    """Its name in `--max` and in JSON."""
    label: str
    unit: Unit


_TABLE = (
    Quantity("seconds", "duration", Unit.SECONDS),
    Quantity("mem", "peak memory", Unit.BYTES),
    Quantity("working_set", "working set", Unit.BYTES),
    Quantity("cpu_seconds", "CPU time", Unit.SECONDS),
    Quantity("user_seconds", "user", Unit.SECONDS),
    Quantity("system_seconds", "system", Unit.SECONDS),
    Quantity("throttled_seconds", "throttled", Unit.SECONDS),
    Quantity("throttled_percent", "throttled periods", Unit.PERCENT),
    Quantity("oom_kills", "OOM kills", Unit.COUNT),
    Quantity("read", "read from disk", Unit.BYTES),
    Quantity("written", "written to disk", Unit.BYTES),
    Quantity("pids", "peak tasks", Unit.COUNT),
)
QUANTITIES: Mapping[str, Quantity] = {quantity.key: quantity for quantity in _TABLE}
"""By key, in the order in which they are shown."""


class Measured(NamedTuple):
    """A value, and how it was come by."""

    value: float | None
    """In seconds, bytes, percent or a count, as the quantity's unit says; `None` where nothing measured it."""
    how: str = ""
    """How it was measured; without a value, why it was not. Inert: it may name a group."""
    is_lower_bound: bool = False
    """Whether the true value may be higher: what happened between two samples is not in it."""


Usage = Mapping[str, Measured]
"""What was used, by the key of the quantity. A key that is missing does not apply."""


def missing(how: str) -> Measured:
    """Return what stands for a value that could not be measured."""
    return Measured(None, how)
