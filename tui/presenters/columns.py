"""Which columns the table shows, how wide, and which give way when the terminal is narrow. Plain, no Textual."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from collectors.model.metrics import METRICS, Unit

NAME_LEAST, NAME_MOST = 14, 42
SPARK_LEAST, SPARK_WANTED, SPARK_MOST = 8, 12, 30
ROOMY = 110
"""Terminal width from which kinds are written out."""
LUXURY = 15
"""Columns below this number give way before a sparkline gets narrower than wanted."""

_WIDTHS = {
    Unit.PERCENT: 6,
    Unit.BYTES: 6,
    Unit.BYTES_PER_SECOND: 6,
    Unit.PER_SECOND: 6,
    Unit.COUNT: 6,
    Unit.CORES: 5,
    Unit.SECONDS: 7,
    Unit.MILLISECONDS: 6,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a metric, a sparkline of one, or a fact of the workload."""

    key: str
    """A metric's key, `spark:` and a metric's key, or `name`, `kind`, `state`, `uptime`, `image`, `health`."""
    label: str
    width: int
    keep: int = 0
    """When there is no room, columns with the lowest number go first."""

    is_spark: bool = field(init=False)
    """Whether it is a sparkline."""
    metric: str | None = field(init=False)
    """The metric behind the column, if there is one."""

    def __post_init__(self) -> None:
        # computed once: every cell of every line reads them
        key = self.key.removeprefix("spark:")
        object.__setattr__(self, "is_spark", key != self.key)
        object.__setattr__(self, "metric", key if key in METRICS else None)

    @property
    def is_left(self) -> bool:
        """Whether its text starts at the left."""
        return self.is_spark or (self.metric is None and self.key not in _RIGHT)


_RIGHT = frozenset({"uptime", "restarts", "exit"})
"""Facts that are numbers."""


def metric_column(key: str) -> Column:
    """Make the column of a metric."""
    metric = METRICS[key]
    return Column(key, metric.label, max(_WIDTHS[metric.unit], len(metric.label)), metric.keep)


_FACTS = {
    "name": Column("name", "NAME", NAME_LEAST, 100),
    "kind": Column("kind", "KIND", 9, 30),
    "state": Column("state", "STATE", 9, 10),
    "uptime": Column("uptime", "UP", 5, 12),
    "image": Column("image", "IMAGE", 24, 2),
    "health": Column("health", "HEALTH", 9, 3),
    "project": Column("project", "PROJECT", 12, 4),
    "ports": Column("ports", "PORTS", 20, 3),
    "ip": Column("ip", "IP", 15, 2),
    "engine": Column("engine", "ENGINE", 8, 2),
    "id": Column("id", "ID", 12, 1),
    "restarts": Column("restarts", "RESTARTS", 8, 2),
    "exit": Column("exit", "EXIT", 4, 2),
}
_SHORT_KIND = Column("kind", "", 3, 90)
_FACT_HELP = {
    "name": "What the engine calls it.",
    "kind": "Virtual machine, container or service.",
    "state": "Running, paused, stopped, ...",
    "uptime": "Time since it was started.",
    "image": "A container's image, a machine's title.",
    "health": "What its health check says.",
    "project": "Compose project, pod or slice that it belongs to.",
    "ports": "Published ports with the address they listen on; *: every address of the host.",
    "ip": "Its own IP address, and how many more it has.",
    "engine": "What runs it: docker, podman, qemu, systemd, ...",
    "id": "The id that its engine gave it, shortened.",
    "restarts": "How often its engine has started it again by itself.",
    "exit": "Exit code of its last run.",
}
_PAST = {f"spark:{key}": metric.past_column for key, metric in METRICS.items() if metric.past_column}
_SHOWN = [key for metric in METRICS.values() if metric.is_default for key in (metric.key, f"spark:{metric.key}")]
DEFAULT: tuple[str, ...] = (
    "name",
    "kind",
    "state",
    *(key for key in _SHOWN if key in METRICS or key in _PAST),
    "uptime",
)
CHOICES: tuple[str, ...] = (
    *DEFAULT,
    *(key for key in (*METRICS, *_PAST) if key not in DEFAULT),
    *(key for key in _FACTS if key not in DEFAULT),
)
"""All that the column picker offers."""


def column_of(key: str) -> Column:
    """Make a column by its key."""
    if key in _PAST:
        label, keep = _PAST[key]
        return Column(key, label, SPARK_LEAST, keep)
    return _FACTS[key] if key in _FACTS else metric_column(key)


def describe(key: str) -> str:
    """Return a column's line in the picker."""
    column = column_of(key)
    if column.is_spark:
        return f"{column.label:<10} The recent past of {METRICS[column.metric or ''].label}, newest at the right."
    if column.metric:
        return f"{column.label:<10} {METRICS[column.metric].help}"
    return f"{column.label:<10} {_FACT_HELP[key]}"


def lay_out(keys: tuple[str, ...], width: int) -> list[Column]:
    """Choose columns for a width and share out what is left over: first sparklines, then the name.

    In a set other than the default one the columns at the right give way first: its order says what matters.
    A cell of space stands between columns; two cells at the left are the mark and the state's sign.
    """
    columns = [_SHORT_KIND if key == "kind" and width < ROOMY else column_of(key) for key in keys]
    while len(columns) > 1 and _taken(columns) + _missing_spark_cells(columns) > width - 2:
        least = min(columns, key=lambda candidate: candidate.keep) if tuple(keys) == DEFAULT else columns[-1]
        if least.keep >= LUXURY and _taken(columns) <= width - 2:
            break
        columns.remove(least)
    for target, most in (("name", 24), ("spark", SPARK_MOST), ("name", NAME_MOST)):
        columns = _grow(columns, target, most, width - 2 - _taken(columns))
    return columns


def _missing_spark_cells(columns: list[Column]) -> int:
    """Return how many cells the sparklines lack to their wanted width."""
    return sum(SPARK_WANTED - column.width for column in columns if column.is_spark)


def _taken(columns: list[Column]) -> int:
    return sum(column.width for column in columns) + len(columns) - 1


def _grow(columns: list[Column], target: str, most: int, spare: int) -> list[Column]:
    indices = [
        index
        for index, column in enumerate(columns)
        if (column.is_spark if target == "spark" else column.key == target)
    ]
    for count, index in enumerate(indices):
        extra_cells = spare // (len(indices) - count)
        new_width = min(most, columns[index].width + max(0, extra_cells))
        spare -= new_width - columns[index].width
        columns[index] = replace(columns[index], width=new_width)
    return columns
