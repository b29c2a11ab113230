"""What a command that judges has found: one check, and whether it passed."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Outcome(Enum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    """What was measured is not what was asked for."""
    UNKNOWN = "unknown"
    """It could not be measured, so that nothing is known."""


class Verdict(NamedTuple):
    """One check of one workload."""

    subject: str
    """What was checked, such as a workload's name. It may come from outside."""
    check: str
    """What was asked for, such as `cpu < 80`."""
    outcome: Outcome
    sentence: str
    """What was found, in words."""
    seconds: float = 0.0
    """How long the measurement lasted."""
