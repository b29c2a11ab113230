"""The type of a metric: one row of METRICS. `metric_table` has the rows.

A metric is derived from a `Reading` (see `rates`): the workload's newest samples, each with the one before it.
100 % CPU is one host core, everywhere. Memory is measured in the same way for every kind: what the kernel charges,
less the page cache that it would drop first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol


class Unit(StrEnum):
    """The unit of a metric's value, from which its text is made."""

    PERCENT = "percent"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes/s"
    PER_SECOND = "1/s"
    COUNT = "count"
    CORES = "cores"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


class Readable(Protocol):
    """The part of a reading that metrics are derived from."""

    @property
    def host_memory_bytes(self) -> int: ...
    @property
    def host_cpus(self) -> int: ...
    @property
    def is_machine(self) -> bool: ...
    def gauge(self, name: str) -> float | None: ...
    def gauge_with(self, name: str, companion: str) -> float | None: ...
    def lowest(self, name: str) -> float | None: ...
    def total(self, name: str) -> float | None: ...
    def rate(self, name: str) -> float | None: ...
    def rate_with(self, name: str, companion: str) -> float | None: ...
    def ratio(self, part: str, whole: str) -> float | None: ...
    def value(self, key: str) -> float | None: ...


Derivation = Callable[[Readable], float | None]
"""Returns a value, `None` where it is not known."""


class HostChart(StrEnum):
    """The charts of the host in an HTML report, by title, in their order."""

    CPU = "CPU, 100 % is one core"
    MEMORY = "Memory"
    DISK = "Disk"
    NETWORK = "Network"
    WAITING = "Waiting (PSI)"


class Extra(NamedTuple):
    """A further column of a metric: of its last minute, or of its change."""

    label: str
    """Column header."""
    keep: int
    """Its rank, as `Metric.keep`."""
    table_from: int = 0
    """Width of the terminal in columns from which the table shows it by default."""


_ADDITIVE = frozenset({Unit.BYTES, Unit.BYTES_PER_SECOND, Unit.PER_SECOND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the table. Values, thresholds and limits are in the metric's unit."""

    key: str
    """Name in JSON and export; ends with its unit."""
    alias: str
    """Short name in filters and `--sort`."""
    other_names: tuple[str, ...] = ()
    """Further short names that filters and `--sort` take."""
    label: str
    """Column header."""
    unit: Unit
    help: str
    formula: str
    derive: Derivation
    fields: tuple[str, ...]
    """Sample fields it is made of; they show where a value came from."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Source name -> the files or calls that supply it."""
    made_of: tuple[str, ...] = ()
    """Other metrics that it is made of: without one of them it is missing too."""
    missing: str = "no source supplies it for this workload"
    """Why a cell may be empty, in general; `analysis.empty_cells` knows why one is."""
    undefined: str = ""
    """Why there is no value although all that it is made of has been read: a quotient of two zeros."""
    is_default: bool = False
    """Whether the table and `vmtop list` show it by default."""
    table_from: int | None = None
    """Width of the terminal in columns from which the table shows it by default; 0 where `is_default` is set."""
    keep: int = 5
    """Its column's rank: where there is no room, columns with the lowest number go first. 0 to 100."""
    past_column: Extra | None = None
    """A column with a sparkline of its last minute; `None`: there is no such column."""
    change_column: Extra | None = None
    """A column with its change in the last minute; `None`: there is no such column."""
    is_charted: bool = False
    """Whether its recent past is kept for every workload, for sparklines; a chart reads others from the session."""
    is_headline: bool = False
    """Whether an HTML report draws it for every workload."""
    has_peak: bool = False
    """Whether a session's summary keeps each workload's highest value."""
    thresholds: tuple[float, float] | None = None
    """From which values on a cell is coloured as a warning and as bad; `None`: never."""
    less_is_better: bool = False
    """Whether a comparison marks the lowest as best and the highest as worst; if not, it marks neither."""
    adds_up: bool = False
    """Whether a group shows the sum of its members. Bytes, bytes/s and 1/s always add up; see `is_additive`."""
    is_sum: bool = False
    """Whether it is the sum of the metrics in `made_of`: the table shows it where there is no room for those."""
    is_whole: bool = False
    """Whether the table writes it as a whole percentage with its sign, `85%`: a share of a limit."""
    is_total: bool = False
    """Whether it only grows: a counter, not a gauge, in OpenMetrics."""
    limit: Derivation | None = None
    """The line that its chart draws as the limit; `None`: it has no limit."""
    chart: str = ""
    """Metrics of the same name are drawn over each other first; empty: those of its group and unit are."""
    host_chart: HostChart | None = None
    """The chart of an HTML report that draws it for the host; `None`: no chart does."""

    @property
    def is_additive(self) -> bool:
        """Whether a sum over workloads makes sense: not of shares, means, ages or core limits."""
        return self.adds_up or self.unit in _ADDITIVE

    @property
    def least_visible(self) -> float:
        """The largest difference that the displayed digits may hide."""
        return 0.05 if self.unit is Unit.PERCENT else 0.0
