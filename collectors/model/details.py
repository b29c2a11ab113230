"""The details of a workload: pages of tables with typed cells. Plain data; the screen formats it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from collectors.model.metrics import Unit

Value = str | float | int | bool | None
"""A cell. `None`: not known. Numbers are in the unit of their column or row; texts are sanitized."""


class Page(StrEnum):
    """Where a table is shown."""

    FACTS = "facts"
    """What it is and what it may use: identity, limits, health, restarts, environment."""
    DEVICES = "devices"
    """Its CPUs, disks, mounts and network interfaces, with rates where two readings allow them."""
    PROCESSES = "processes"


class Column(NamedTuple):
    """A column of a table."""

    label: str
    unit: Unit | None = None
    """`None` for text."""


class Fact(NamedTuple):
    """One line of a list of facts: its label, its value, and the unit of a number."""

    label: str
    value: Value
    unit: Unit | None = None


class Table(msgspec.Struct, frozen=True):
    """A table, or with `facts` a list of facts, under a title."""

    page: Page
    title: str
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Value, ...], ...] = ()
    facts: tuple[Fact, ...] = ()
    note: str = ""
    """A sentence: why it is empty or incomplete, and what would fix it."""


class Details(msgspec.Struct, frozen=True):
    """The details of one workload at one instant."""

    at_ns: int
    """`time.monotonic_ns()` after the reading."""
    tables: tuple[Table, ...]
    problems: tuple[str, ...] = ()
    """What could not be read: one sentence each, with the remedy."""


class RawDescription(NamedTuple):
    """An engine's own description of a workload, unchanged but for masked secrets."""

    title: str
    text: str
    """Not sanitized; secrets are masked."""
