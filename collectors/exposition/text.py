"""Text of metric families in two formats that differ in the lines about a family only. Pure.

OpenMetrics 1.0.0 is for scrapers that ask for it; the Prometheus text format 0.0.4 is for all others, and for the
textfile collector of node_exporter, which knows no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum

from collectors.exposition.columns import Row
from collectors.exposition.families import BY_NAME, FAMILIES, Family, Type


class Dialect(Enum):
    """A text format, with its media type."""

    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


END = {Dialect.OPENMETRICS: "# EOF\n", Dialect.PROMETHEUS: ""}


def _head(family: Family, dialect: Dialect) -> str:
    is_open = dialect is Dialect.OPENMETRICS
    name = family.base if is_open else family.name
    kind = Type.GAUGE if family.type is Type.INFO and not is_open else family.type
    return f"# HELP {name} {family.help}\n# TYPE {name} {kind}\n"


HEADS = {dialect: {family.name: _head(family, dialect) for family in FAMILIES} for dialect in Dialect}
"""The lines before a family's series."""


class Text:
    """Collects the families of one scrape; one without series has no line at all."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._heads = HEADS[dialect]
        self._parts: list[str] = []

    def add(self, name: str, series: Iterable[tuple[str, float]]) -> None:
        """Add a family, with the labels of each series (braces and the space after them) and its value."""
        is_time = BY_NAME[name].scale != 1 or name.endswith(("_seconds", "_seconds_total"))
        self._append(name, [f"{name}{labels}{_number(value, is_time)}\n" for labels, value in series])

    def add_column(self, family: Family, place: int, rows: Sequence[tuple[str, Row]]) -> None:
        """Add a family whose values are in a column of rows, each row with its labels."""
        name, scale = family.name, family.scale
        if scale != 1:  # the kernel counts in microseconds: six digits lose nothing, and compress well
            lines = [
                f"{name}{labels}{value * scale:.6f}\n" for labels, row in rows if (value := row[place]) is not None
            ]
        else:
            lines = [f"{name}{labels}{value}\n" for labels, row in rows if (value := row[place]) is not None]
        self._append(name, lines)

    def end(self) -> str:
        """Return the whole."""
        return "".join([*self._parts, END[self._dialect]])

    def _append(self, name: str, lines: list[str]) -> None:
        if lines:
            self._parts.append(self._heads[name])
            self._parts.append("".join(lines))  # at once: the lines' memory is then used again while it is in a cache


def _number(value: float, is_time: bool) -> str:
    return f"{value:.6f}" if is_time else f"{value}"
