"""A check in the output format of Nagios plugins, which Icinga, Naemon, Checkmk and Sensu read as well.

Format: Nagios Plugin Development Guidelines, "Plugin Output for Nagios" and "Performance data":
`SERVICE STATUS - text | 'label'=value[UOM];[warn];[crit];[min];[max] ...`, and the exit code says the status.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from collectors.model.metric_type import Unit

_UNITS = {Unit.PERCENT: "%", Unit.BYTES: "B", Unit.SECONDS: "s", Unit.MILLISECONDS: "ms"}
"""Units that the guidelines know; a rate or a count has none."""
_MOST_VALUES = 100
_FORBIDDEN = str.maketrans({"'": "", "=": "_", "|": "_", "\n": " ", "\r": " "})


class Status(IntEnum):
    """The status of a service, which is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Value(NamedTuple):
    """One value of the performance data."""

    label: str
    value: float
    unit: Unit


def nagios(status: Status, sentence: str, values: Sequence[Value]) -> str:
    """Return the line of a check; the values of at most a hundred metrics follow the sentence."""
    text = sentence.replace("|", "/").replace("\n", " ")
    data = " ".join(_performance(value) for value in values[:_MOST_VALUES])
    return f"VMTOP {status.name} - {text}" + (f" | {data}" if data else "")


def _performance(value: Value) -> str:
    number = f"{value.value:.6f}".rstrip("0").rstrip(".")
    return f"'{value.label.translate(_FORBIDDEN)}'={number}{_UNITS.get(value.unit, '')};;;;"
