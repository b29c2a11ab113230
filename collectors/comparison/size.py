"""The size of one resource of a workload: what it has, what it used, what would fit, and how that is rounded."""

from __future__ import annotations

from enum import StrEnum
from math import ceil
from typing import NamedTuple

from collectors.model.metrics import Unit

_MIB = 1 << 20
_MEMORY_STEPS = ((512 * _MIB, 16 * _MIB), (4096 * _MIB, 64 * _MIB))
"""Up to how many bytes which steps; above, `_LARGE_STEP`."""
_LARGE_STEP = 256 * _MIB


class Resource(StrEnum):
    """What is sized; the value is the name of the limit that `vmtop set` takes."""

    CPU = "cpu"
    """A quota, in cores."""
    VCPUS = "vcpus"
    MEMORY = "memory"

    @property
    def unit(self) -> Unit:
        """The unit of its values."""
        return {Resource.CPU: Unit.CORES, Resource.VCPUS: Unit.COUNT, Resource.MEMORY: Unit.BYTES}[self]


class Advice(StrEnum):
    """What to do."""

    LESS = "less"
    MORE = "more"
    KEEP = "keep"
    NO_LIMIT = "no limit"
    """It has none; what would fit is information."""
    UNKNOWN = "unknown"
    """It cannot be measured."""


class Used(NamedTuple):
    """What was used, in the resource's unit."""

    p50: float
    p95: float
    p99: float
    max: float


class Size(NamedTuple):
    """One resource of one workload, in cores, virtual CPUs or bytes."""

    resource: Resource
    advice: Advice
    why: str
    """What the advice follows from, or why there is none: an inert clause."""
    has: float | None = None
    """`None` without a limit, or if it is not known."""
    used: Used | None = None
    """`None` if it is not measured."""
    fits: float | None = None
    """`None` if nothing can be suggested."""
    notes: tuple[str, ...] = ()
    """What else to know, as clauses."""
    has_cause: bool = False
    """Whether `why` is about this workload; otherwise it is the rule that all sizes follow."""
    by_hand: str = ""
    """Why no limit that vmtop sets makes the change, as a clause; empty if one does."""

    @property
    def frees(self) -> float:
        """What a change would free; negative if it takes something."""
        if self.advice not in (Advice.LESS, Advice.MORE) or self.has is None or self.fits is None:
            return 0.0
        return self.has - self.fits


def round_cores(cores: float) -> float:
    """Return the next larger number of cores that people write: tenths below one core, halves above."""
    if cores <= 1:
        return max(1, ceil(cores * 10 - 1e-6)) / 10
    return ceil(cores * 2 - 1e-6) / 2


def round_vcpus(cores: float) -> float:
    """Return the next larger number of virtual CPUs, at least one."""
    return float(max(1, ceil(cores - 1e-6)))


def round_memory(size: float) -> float:
    """Return the next larger size that people write: in steps of 16, 64 or 256 MiB."""
    step = next((step for most, step in _MEMORY_STEPS if size <= most), _LARGE_STEP)
    return float(max(1, ceil(size / step - 1e-9)) * step)
