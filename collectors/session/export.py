"""Writes the rows of a session as CSV, JSON lines, OpenMetrics text or Parquet. Streams: memory is bounded.

Units are those of the metrics' names. An unknown value is empty in CSV, null in JSON and Parquet, and has no line in
OpenMetrics.
"""

from __future__ import annotations

import csv
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, Any, BinaryIO, TextIO

import msgspec

from collectors.json_document import digits_of, number, numbers, timestamp
from collectors.model.metrics import METRICS
from collectors.model.workloads import Workload, WorkloadId
from collectors.session.format import SessionError
from collectors.session.rows import Row

IDENTITY = ("time", "kind", "engine", "id", "name", "state")
"""The first columns of every row."""


@lru_cache(maxsize=4)
def _time(wall: float) -> str | None:
    return timestamp(wall)


def _identity(row: Row) -> tuple[str | None, ...]:
    workload = row.reading.workload
    return (_time(row.wall), workload.kind, *workload.id, workload.name, workload.state)


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
        raise SessionError("Parquet needs a library that is not installed: pip install pyarrow") from error
    text = arrow.dictionary(arrow.int32(), arrow.string())
    fields = [("time", arrow.timestamp("ms", tz="UTC")), *((name, text) for name in IDENTITY[1:])]
    fields += [(key, arrow.int64() if digits_of(METRICS[key].unit) is None else arrow.float64()) for key in keys]
    schema = arrow.schema(fields)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(rows, 20_000):
            columns = _columns(batch, keys)
            arrays = [arrow.array(columns[field.name], field.type) for field in schema]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _columns(batch: list[Row], keys: tuple[str, ...]) -> dict[str, list[Any]]:
    workloads = [row.reading.workload for row in batch]
    columns: dict[str, list[Any]] = {
        "time": [datetime.fromtimestamp(row.wall, UTC) for row in batch],
        "kind": [str(workload.kind) for workload in workloads],
        "engine": [workload.id.engine for workload in workloads],
        "id": [workload.id.id for workload in workloads],
        "name": [workload.name for workload in workloads],
        "state": [str(workload.state) for workload in workloads],
    }
    columns.update({key: [number(METRICS[key], row.reading.value(key)) for row in batch] for key in keys})
    return columns


_CHUNK = 240
"""Rows of one workload that are held in memory before they go to the temporary file."""
_ENDINGS = {"counter": "_total", "gauge": ""}


class _Spill:
    """Rows by workload and column in a temporary file: OpenMetrics needs the samples of a metric together."""

    def __init__(self, width: int, file: IO[bytes]) -> None:
        self._width = width
        self._file = file
        self._columns: dict[WorkloadId, list[array[float]]] = {}
        self._chunks: dict[WorkloadId, list[tuple[int, int]]] = {}
        self.workloads: dict[WorkloadId, Workload] = {}

    def add(self, row: Row, values: list[float | None]) -> None:
        workload = row.reading.workload
        self.workloads[workload.id] = workload
        columns = self._columns.get(workload.id)
        if columns is None:
            columns = self._columns[workload.id] = [array("d") for _ in range(self._width + 1)]
        for column, value in zip(columns, (row.wall, *values), strict=True):
            column.append(float("nan") if value is None else value)
        if len(columns[0]) >= _CHUNK:
            self._put_away(workload.id)

    def _put_away(self, identity: WorkloadId) -> None:
        columns = self._columns.pop(identity, None)
        if columns:
            self._file.seek(0, 2)
            self._chunks.setdefault(identity, []).append((self._file.tell(), len(columns[0])))
            for column in columns:
                self._file.write(column.tobytes())

    def finish(self) -> None:
        for identity in list(self._columns):
            self._put_away(identity)

    def column(self, identity: WorkloadId, number: int) -> Iterator[tuple[float, float]]:
        """Yield the wall times and the known values of one metric of one workload."""
        for offset, count in self._chunks.get(identity, ()):
            walls, values = array("d"), array("d")
            for column, index in ((walls, 0), (values, number + 1)):
                self._file.seek(offset + index * count * 8)
                column.frombytes(self._file.read(count * 8))
            yield from ((wall, value) for wall, value in zip(walls, values, strict=True) if value == value)


def write_openmetrics(rows: Iterable[Row], keys: tuple[str, ...], stream: TextIO) -> None:
    """Write OpenMetrics 1.0 text with timestamps, for `promtool tsdb create-blocks-from openmetrics`."""
    with tempfile.TemporaryFile() as file:
        spill = _Spill(len(keys), file)
        for row in rows:
            spill.add(row, [row.reading.value(key) for key in keys])
        spill.finish()
        for index, key in enumerate(keys):
            metric = METRICS[key]
            digits = digits_of(metric.unit)
            kind = "counter" if METRICS[key].is_total else "gauge"
            stream.write(f"# TYPE vmtop_{key} {kind}\n# HELP vmtop_{key} {_escaped(metric.help)}\n")
            for identity, workload in spill.workloads.items():
                series = f"vmtop_{key}{_ENDINGS[kind]}{{{_labels(workload)}}}"
                for wall, value in spill.column(identity, index):
                    stream.write(f"{series} {round(value, digits)!r} {wall:.3f}\n")
        stream.write("# EOF\n")


def _labels(workload: Workload) -> str:
    labels = {"kind": workload.kind, "engine": workload.id.engine, "id": workload.id.id, "name": workload.name}
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
