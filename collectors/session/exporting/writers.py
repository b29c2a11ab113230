"""Writes the rows of a session as CSV, JSON lines, OpenMetrics text or Parquet. Streams: memory is bounded.

Units are those of the metrics' names. An unknown value is empty in CSV, null in JSON and Parquet, and has no line in
OpenMetrics.
"""

from __future__ import annotations

import csv
import struct
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from math import nan
from typing import IO, Any, BinaryIO, TextIO

import msgspec

from collectors.exposition.labels import escaped
from collectors.json_document import digits_of, number, numbers, timestamp
from collectors.model.installing import install_command
from collectors.model.metrics import METRICS
from collectors.model.workloads import Workload, WorkloadId
from collectors.session.exporting.rows import Row
from collectors.session.format import SessionError
from collectors.session.kept import Budget

IDENTITY = ("time", "host", "kind", "engine", "id", "name", "state")
"""The first columns of every row."""


@lru_cache(maxsize=4)
def _time(wall: float) -> str | None:
    return timestamp(wall)


def _identity(row: Row) -> tuple[str | None, ...]:
    workload = row.reading.workload
    return (_time(row.wall), row.host, workload.kind, *workload.id[:2], workload.name, workload.state)


def write_csv(rows: Iterable[Row], keys: tuple[str, ...], stream: TextIO) -> None:
    """Write CSV (RFC 4180) with a header line."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*IDENTITY, *keys))
    plan = _plan(keys)
    for row in rows:
        writer.writerow([*map(_spreadsheet_text, _identity(row)), *numbers(row.reading, plan)])


def _plan(keys: tuple[str, ...]) -> list[tuple[str, int | None]]:
    return [(key, digits_of(METRICS[key].unit)) for key in keys]


def _spreadsheet_text(text: str | None) -> str:
    """Return text that a spreadsheet treats as text: a name like `=1+1` would be a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text or ""


def write_jsonl(rows: Iterable[Row], keys: tuple[str, ...], stream: TextIO) -> None:
    """Write one JSON object per line."""
    plan = _plan(keys)
    encode = msgspec.json.Encoder().encode
    for row in rows:
        identity = dict(zip(IDENTITY, _identity(row), strict=True))
        values = dict(zip(keys, numbers(row.reading, plan), strict=True))
        stream.write(encode({**identity, "metrics": values}).decode() + "\n")


def write_parquet(rows: Iterable[Row], keys: tuple[str, ...], file: BinaryIO) -> None:
    """Write an Apache Parquet file, compressed with zstd.

    Raises:
        SessionError: The pyarrow library is not installed.
    """
    try:
        import pyarrow as arrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise SessionError(
            f"Parquet needs the Python package pyarrow, which is not installed; {install_command('pyarrow')}"
        ) from error
    text = arrow.dictionary(arrow.int32(), arrow.string())
    fields = [("time", arrow.timestamp("ms", tz="UTC")), *((name, text) for name in IDENTITY[1:])]
    fields += [(key, arrow.int64() if digits_of(METRICS[key].unit) is None else arrow.float64()) for key in keys]
    schema = arrow.schema(fields)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for columns in _batches(rows, keys, 20_000):
            arrays = [arrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _batches(rows: Iterable[Row], keys: tuple[str, ...], size: int) -> Iterator[list[list[Any]]]:
    """Yield N rows at a time, as columns."""
    plan = [METRICS[key] for key in keys]
    columns: list[list[Any]] = [[] for _ in (*IDENTITY, *keys)]
    for wall, reading, host in rows:
        one = reading.workload
        identity = (datetime.fromtimestamp(wall, UTC), host, str(one.kind), *one.id[:2], one.name, str(one.state))
        values = (number(metric, reading.value(metric.key)) for metric in plan)
        for column, value in zip(columns, (*identity, *values), strict=True):
            column.append(value)
        if len(columns[0]) == size:
            yield columns
            columns = [[] for _ in columns]
    if columns[0]:
        yield columns


_CHUNK = 240
"""Rows of one workload that are held until they go to the temporary file."""
_MOST_HELD = 80_000
"""Rows of all workloads together that are held."""
_CHUNK_HEADER = struct.Struct("<qq")
"""Offset of the workload's next chunk, 0 at its last one, and how many rows this one has. Their columns follow."""
_ENDINGS = {"counter": "_total", "gauge": ""}


class _Series:
    """One workload's rows: those still in memory, and where the others are in the temporary file."""

    def __init__(self, labels: str) -> None:
        self.labels = labels
        self.rows = array("d")
        """One after the other: the wall time and a value for each metric."""
        self.first = self.last = 0
        """Offsets of its first and its last chunk, which are linked; 0 without one."""


class _Spill:
    """Rows by workload and column in a temporary file: OpenMetrics needs the samples of a metric together."""

    def __init__(self, width: int, file: IO[bytes]) -> None:
        self._width = width + 1
        self._file = file
        self._file.write(b"-")  # so that no chunk is at offset 0
        self._held = 0
        self._budget = Budget()
        self._series: dict[WorkloadId, _Series] = {}

    def add(self, row: Row, values: list[float | None]) -> None:
        """Add a row.

        Raises:
            SessionError: There are too many workloads.
        """
        workload = row.reading.workload
        series = self._series.get(workload.id)
        if series is None:
            series = self._series[workload.id] = _Series(_labels(workload, row.host))
            if not self._budget.takes(*workload.id, series.labels):
                raise SessionError(
                    f"OpenMetrics holds all workloads in memory, and there are more than {len(self._series) - 1:,}: "
                    "choose some with --workload, or a span with --from and --to"
                )
        series.rows.append(row.wall)
        series.rows.extend(nan if value is None else value for value in values)
        self._held += 1
        if len(series.rows) >= _CHUNK * self._width:
            self._put_away(series)
        if self._held >= _MOST_HELD:
            self.finish()

    def finish(self) -> None:
        """Write what is held to the file."""
        for series in self._series.values():
            self._put_away(series)

    def _put_away(self, series: _Series) -> None:
        rows, count = series.rows, len(series.rows) // self._width
        if not count:
            return
        offset = self._file.seek(0, 2)
        self._file.write(_CHUNK_HEADER.pack(0, count))
        for column in range(self._width):
            self._file.write(rows[column :: self._width].tobytes())
        if series.last:
            self._file.seek(series.last)
            self._file.write(offset.to_bytes(8, "little"))
        series.first, series.last = series.first or offset, offset
        self._held -= count
        series.rows = array("d")

    def all_series(self) -> Iterable[_Series]:
        """Return the rows of each workload, in the order of their first ones."""
        return self._series.values()

    def column(self, series: _Series, number: int) -> Iterator[tuple[float, float]]:
        """Yield the wall times and the known values of one metric of one workload."""
        offset = series.first
        while offset:
            self._file.seek(offset)
            following, count = _CHUNK_HEADER.unpack(self._file.read(_CHUNK_HEADER.size))
            walls, values = array("d"), array("d")
            for column, index in ((walls, 0), (values, number + 1)):
                self._file.seek(offset + _CHUNK_HEADER.size + index * count * 8)
                column.frombytes(self._file.read(count * 8))
            yield from ((wall, value) for wall, value in zip(walls, values, strict=True) if value == value)
            offset = following


def write_openmetrics(rows: Iterable[Row], keys: tuple[str, ...], stream: TextIO) -> None:
    """Write OpenMetrics 1.0 text with timestamps, for `promtool tsdb create-blocks-from openmetrics`.

    Raises:
        SessionError: There are too many workloads: the rows of each are collected before the first is written.
    """
    with tempfile.TemporaryFile() as file:
        spill = _Spill(len(keys), file)
        for row in rows:
            spill.add(row, [row.reading.value(key) for key in keys])
        spill.finish()
        for index, key in enumerate(keys):
            metric = METRICS[key]
            digits = digits_of(metric.unit)
            kind = "counter" if METRICS[key].is_total else "gauge"
            stream.write(f"# TYPE vmtop_{key} {kind}\n# HELP vmtop_{key} {escaped(metric.help)}\n")
            for series in spill.all_series():
                start = f"vmtop_{key}{_ENDINGS[kind]}{{{series.labels}}}"
                for wall, value in spill.column(series, index):
                    stream.write(f"{start} {round(value, digits)!r} {wall:.3f}\n")
        stream.write("# EOF\n")


def _labels(workload: Workload, host: str) -> str:
    labels = {
        "host": host,
        "kind": workload.kind,
        "engine": workload.id.engine,
        "id": workload.id.id,
        "name": workload.name,
    }
    return ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())
