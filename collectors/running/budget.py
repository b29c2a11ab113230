"""Judges what a command used by the limits that were set for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from collectors.running.quantities import QUANTITIES, Measured, Quantity, Usage, missing


class Limit(NamedTuple):
    """The most that may be used of one quantity."""

    key: str
    """A key of `QUANTITIES`."""
    most: float
    """Bytes, seconds, percent or a count."""
    typed: str
    """As the user wrote it, such as `mem=2G`."""

    @property
    def quantity(self) -> Quantity:
        """What is limited."""
        return QUANTITIES[self.key]


class Judged(NamedTuple):
    """A limit, and what it is about."""

    limit: Limit
    measured: Measured

    @property
    def is_kept(self) -> bool | None:
        """Whether no more was used; `None` when it was not measured. A lower bound below the limit counts as kept."""
        return None if self.measured.value is None else self.measured.value <= self.limit.most


def judge(limits: Sequence[Limit], usage: Usage) -> list[Judged]:
    """Return each limit with what was measured."""
    absent = missing("it does not apply here")
    return [Judged(limit, usage.get(limit.key, absent)) for limit in limits]
