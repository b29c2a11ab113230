"""Which columns the table shows, how wide, and which give way when the terminal is narrow. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from collectors.model.metrics import METRICS, Metric, Unit

GUTTER = 3
"""Cells before the first column: the mark, the sign of the state, and a space."""
NAME_LEAST, NAME_WANTED, NAME_MOST = 15, 22, 42
SPARK_LEAST, SPARK_MOST = 8, 30
_GROWING = (("name", NAME_WANTED), ("spark", SPARK_MOST), ("name", NAME_MOST), ("image", 48), ("spark", 2 * SPARK_MOST))
"""Which columns get what is left over, in this order, and how wide each becomes at most."""
LONG_LABEL = 20
"""Width of a sparkline from which its heading is written out."""
ROOMY = 120
"""Terminal width from which numbers get a cell more, and a name what is wrong after it."""
SPLIT = 100
"""Terminal width from which a sum's parts have columns of their own."""

_WIDTHS = {
    Unit.PERCENT: 6,
    Unit.BYTES: 6,
    Unit.BYTES_PER_SECOND: 6,
    Unit.PER_SECOND: 6,
    Unit.COUNT: 6,
    Unit.CORES: 4,
    Unit.SECONDS: 7,
    Unit.MILLISECONDS: 6,
}
_TIGHT = {"cpu_percent": 5, "memory_host_bytes": 5, "memory_limit_bytes": 5, "uptime": 5}
"""Widths of columns that get a cell less below `ROOMY`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a metric, its last minute or its change, or a fact of the workload."""

    key: str
    """A metric's key; `spark:` or `change:` and a metric's key; or the name of a fact, such as `name`."""
    label: str
    width: int
    keep: int = 0
    """When there is no room, columns with the lowest number go first."""
    table_from: int = 0
    """Terminal width from which the default set shows it."""
    is_left: bool = False
    """Whether its text starts at the left."""
    gap: int = 1
    """Cells before it."""

    is_spark: bool = field(init=False)
    """Whether it is a sparkline."""
    is_change: bool = field(init=False)
    """Whether it is the change of a metric in the last minute."""
    metric: str | None = field(init=False)
    """The metric behind the column, if there is one."""
    is_number: bool = field(init=False)
    """Whether it is a metric's value now."""

    def __post_init__(self) -> None:
        # computed once: every cell of every line reads them
        prefix, _, key = self.key.rpartition(":")
        object.__setattr__(self, "is_spark", prefix == "spark")
        object.__setattr__(self, "is_change", prefix == "change")
        object.__setattr__(self, "metric", key if key in METRICS else None)
        object.__setattr__(self, "is_number", self.key in METRICS)


def metric_column(key: str) -> Column:
    """Make the column of a metric."""
    metric = METRICS[key]
    width = max(_WIDTHS[metric.unit], len(metric.label))
    return Column(key, metric.label, width, metric.keep, metric.table_from or 0)


HOST = Column("host", "HOST", 4, 95, is_left=True)
"""Comes first where there are several hosts, whatever columns are chosen."""
_FACTS = {
    column.key: column
    for column in (
        HOST,
        Column("name", "NAME", NAME_LEAST, 100, is_left=True),
        Column("kind", "KIND", 4, 90, is_left=True),
        Column("project", "PROJECT", 9, 4, 150, is_left=True),
        Column("state", "STATE", 9, 10, is_left=True),
        Column("uptime", "UP", 6, 12),
        Column("ports", "PORTS", 15, 3, 180, is_left=True),
        Column("image", "IMAGE", 20, 2, 180, is_left=True),
        Column("health", "HEALTH", 9, 3, is_left=True),
        Column("ip", "IP", 15, 2, is_left=True),
        Column("engine", "ENGINE", 8, 2, is_left=True),
        Column("id", "ID", 12, 1, is_left=True),
        Column("restarts", "RESTARTS", 8, 2),
        Column("exit", "EXIT", 4, 2),
    )
}
_FACT_HELP = {
    "host": "The host that it is on; local: the one that vmtop runs on.",
    "name": "What the engine calls it.",
    "kind": "vm, ct (container) or svc (service).",
    "project": "The compose project, pod or slice that it belongs to.",
    "state": "Running, paused, stopped, ...",
    "uptime": "Time since it was started.",
    "ports": "Published ports with the address they listen on; *: every address.",
    "image": "A container's image, a machine's title.",
    "health": "What its health check says.",
    "ip": "Its own IP address, and how many more it has.",
    "engine": "What runs it: docker, podman, qemu, systemd, ...",
    "id": "The id that its engine gave it, shortened.",
    "restarts": "How often its engine has started it again by itself.",
    "exit": "Exit code of its last run.",
}
_SPARKS = {f"spark:{key}": metric.past_column for key, metric in METRICS.items() if metric.past_column}
_CHANGES = {f"change:{key}": metric.change_column for key, metric in METRICS.items() if metric.change_column}
_SUMS: dict[tuple[str, ...], str] = {metric.made_of: key for key, metric in METRICS.items() if metric.is_sum}


def _of_metric(metric: Metric) -> list[str]:
    """Return the columns of a metric that the table shows by default."""
    own = [metric.key] if metric.is_default or metric.table_from is not None else []
    return own + [key for key in (f"spark:{metric.key}", f"change:{metric.key}") if key in _SPARKS or key in _CHANGES]


DEFAULT: tuple[str, ...] = (
    "name",
    "kind",
    "project",
    *(key for metric in METRICS.values() for key in _of_metric(metric)),
    "ports",
    "image",
    "uptime",
)
CHOICES: tuple[str, ...] = (
    *DEFAULT,
    *(key for key, metric in METRICS.items() if key not in DEFAULT and not metric.is_sum),
    *(key for key in _FACTS if key not in DEFAULT and key != HOST.key),
)
"""All that the column picker offers."""


def column_of(key: str) -> Column:
    """Make a column by its key."""
    if (extra := _SPARKS.get(key)) is not None:
        return Column(key, extra.label, SPARK_LEAST, extra.keep, extra.table_from, is_left=True)
    if (extra := _CHANGES.get(key)) is not None:
        return Column(key, extra.label, 6, extra.keep, extra.table_from)
    return _FACTS[key] if key in _FACTS else metric_column(key)


def describe(key: str) -> str:
    """Return a column's line in the picker."""
    column = column_of(key)
    label = METRICS[column.metric or "cpu_percent"].label
    if column.is_spark:
        return f"{column.label:<10} {label} of the last minute, newest at the right; full height: it can do no more."
    if column.is_change:
        return f"{column.label:<10} Change of {label} in the last minute."
    if column.metric:
        return f"{column.label:<10} {METRICS[column.metric].help}"
    return f"{column.label:<10} {_FACT_HELP[key]}"


def lay_out(keys: Sequence[str], width: int, host_width: int = 0) -> list[Column]:
    """Choose columns for a terminal's width, and share out what is left over (`_GROWING`).

    The default set shows a column from its own width on; in another set, whatever has room is shown, from the left. The
    last cell of a line stays free, and what follows a number at the left stands two cells from it. `host_width` is that
    of the column of hosts, which comes first; 0 where there is only one host.
    """
    wanted = [column_of(key) for key in _summed(keys, width)]
    is_default = tuple(keys) == DEFAULT
    if is_default:
        wanted = [column for column in wanted if column.table_from <= width]
    if width < ROOMY:
        wanted = [replace(column, width=_TIGHT.get(column.key, column.width)) for column in wanted]
    if host_width:
        wanted.insert(0, replace(HOST, width=max(HOST.width, min(host_width, width // 8))))
    columns = _spaced(wanted)
    while len(columns) > 1 and _taken(columns) > width - 1:
        columns.remove(min(columns, key=lambda candidate: candidate.keep) if is_default else columns[-1])
        columns = _spaced(columns)
    for target, most in _GROWING:
        columns = _grow(columns, target, most, width - 1 - _taken(columns))
    return [
        replace(column, label="LAST MINUTE") if column.is_spark and column.width >= LONG_LABEL else column
        for column in columns
    ]


def parts_of(key: str) -> tuple[str, ...]:
    """Return the columns that a column shows: its parts too if it is a sum."""
    return (key, *next((parts for parts, total in _SUMS.items() if total == key), ()))


def is_ordered_by(column: Column, sort: str) -> bool:
    """Return whether a column shows what the table is sorted by: the value, a part of it, or the sum that it is in."""
    shown, ordered = METRICS.get(column.key), METRICS.get(sort)
    return (
        column.key == sort
        or (shown is not None and shown.is_sum and sort in shown.made_of)
        or (ordered is not None and ordered.is_sum and column.key in ordered.made_of)
    )


def _summed(keys: Sequence[str], width: int) -> list[str]:
    """Put sums in the place of their parts where the terminal is too narrow for those."""
    summed = list(keys)
    if width < SPLIT:
        for parts, total in _SUMS.items():
            if all(part in summed for part in parts):
                summed[summed.index(parts[0])] = total
                summed = [key for key in summed if key not in parts]
    return summed


def _spaced(columns: list[Column]) -> list[Column]:
    """Set the cells before each column: two before text that follows a number."""
    spaced: list[Column] = []
    for column in columns:
        follows_number = bool(spaced) and not spaced[-1].is_left
        gap = 0 if not spaced else 2 if column.is_left and follows_number and not column.is_spark else 1
        spaced.append(column if column.gap == gap else replace(column, gap=gap))
    return spaced


def _taken(columns: list[Column]) -> int:
    return GUTTER + sum(column.gap + column.width for column in columns)


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
        columns[index] = replace(columns[index], width=max(new_width, columns[index].width))
    return columns
