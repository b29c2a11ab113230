"""`vmtop export`: every format has every row."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import msgspec
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collectors.analysis.rates import Deriver
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame
from collectors.session.reader import Session
from tests.unit.collectors.session.test_session_file import fleet_frames, write
from tests.unit.tui.cli.test_main import run


def expected_rows(frames: list[Frame], key: str) -> list[tuple[str, float | None]]:
    deriver, rows = Deriver(), []
    for frame in frames:
        moment = deriver.feed(frame)
        rows += [(one.workload.name, one.value(key)) for one in (moment.host, *moment.readings.values())]
    return rows


def test_csv_and_json_lines_have_every_frame_and_workload(path: Path, frames: list[Frame]) -> None:
    expected = expected_rows(frames, "cpu_percent")
    rows = list(csv.DictReader(io.StringIO(run("export", str(path)).stdout)))
    assert list(rows[0]) == ["time", "host", "kind", "engine", "id", "name", "state", *METRICS]
    got = [(row["name"], float(row["cpu_percent"]) if row["cpu_percent"] else None) for row in rows]
    assert [name for name, _ in got] == [name for name, _ in expected]
    for (_, value), (_, wanted) in zip(got, expected, strict=True):
        assert value == (None if wanted is None else pytest.approx(wanted, abs=0.0006))
    lines = [json.loads(line) for line in run("export", str(path), "--format", "jsonl").stdout.splitlines()]
    assert [line["metrics"]["cpu_percent"] for line in lines] == [value for _, value in got]


def test_parquet_has_the_same_rows_with_types(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.parquet"
    assert run("export", str(path), "-o", str(target)).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(run("export", str(path)).stdout)))
    count, mean = duckdb.connect().execute(f"SELECT count(*), avg(cpu_percent) FROM '{target}'").fetchone() or (0, 0)  # noqa: S608  # the test's own path
    values = [float(row["cpu_percent"]) for row in rows if row["cpu_percent"]]
    assert count == len(rows)
    assert mean == pytest.approx(sum(values) / len(values))
    types = dict(duckdb.connect().execute(f"SELECT column_name, column_type FROM (DESCRIBE '{target}')").fetchall())  # noqa: S608
    assert types["time"] == "TIMESTAMP WITH TIME ZONE"
    assert types["memory_host_bytes"] == "BIGINT"


def parsed(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]


def test_openmetrics_is_what_the_reference_parser_takes(path: Path, frames: list[Frame]) -> None:
    text = run("export", str(path), "--format", "openmetrics", "--metric", "cpu", "--metric", "time").stdout
    families = {family.name: family for family in parsed(text)}
    assert set(families) == {"vmtop_cpu_percent", "vmtop_cpu_seconds"}
    assert families["vmtop_cpu_seconds"].type == "counter"
    present = [value for _, value in expected_rows(frames, "cpu_percent") if value is not None]
    assert len(families["vmtop_cpu_percent"].samples) == len(present)
    assert sum(one.value for one in families["vmtop_cpu_percent"].samples) == pytest.approx(sum(present), abs=1)


def test_hostile_names_are_escaped_in_every_format(tmp_path: Path) -> None:
    (frame,) = fleet_frames(1, 1)
    identity, workload = next(iter(frame.workloads.items()))
    name = "=cmd|'x'!A0,\"\\"
    frame = msgspec.structs.replace(frame, workloads={identity: msgspec.structs.replace(workload, name=name)})
    path = write(tmp_path / "a.vmtop.gz", [frame])
    (row,) = csv.DictReader(io.StringIO(run("export", str(path), "--workload", "*A0*").stdout))
    assert row["name"] == f"'{name}", "a spreadsheet takes it for text"
    text = run("export", str(path), "--format", "openmetrics", "--metric", "mem").stdout
    labels = [one.labels["name"] for family in parsed(text) for one in family.samples]
    assert name in labels


def test_an_export_is_by_workload_metric_time_and_step(path: Path, frames: list[Frame]) -> None:
    workload = next(iter(frames[0].workloads.values()))
    text = run(
        "export", str(path), "--workload", workload.name, "--metric", "cpu", "--from", "+20s", "--to", "+60s",
        "--step", "10s",
    ).stdout  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["name"] for row in rows} == {workload.name}
    assert len(rows) == 7

    def cpu_ns(number: int) -> int:
        return frames[number].samples[workload.id][0].cpu_total_ns or 0

    used = [cpu_ns(number) - cpu_ns(number - 10) for number in (30, 40)]
    assert [float(row["cpu_percent"]) for row in rows[1:3]] == pytest.approx([ns / 1e9 * 10 for ns in used], abs=0.01)
    before = cpu_ns(20) - cpu_ns(10)
    assert float(rows[0]["cpu_percent"]) == pytest.approx(before / 1e9 * 10, abs=0.01), "over the step before it"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--metric", "speed"), "unknown metric 'speed'"),
        (("--from", "tomorrowish"), "is not a time"),
        (("--from", "+2m", "--to", "start"), "is after"),
        (("--step", "often"), "invalid duration"),
        (("-o", "none/out.csv"), "No such file"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(arguments: tuple[str, ...], words: str, path: Path) -> None:
    told = run("export", str(path), *arguments)
    assert told.exit_code in (1, 2)
    assert words in told.stderr


def test_memory_and_rows_held_do_not_grow_with_the_session(tmp_path: Path) -> None:
    frames = fleet_frames(600, 4)
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    held = [len(session._parts) for _ in session.frames()]
    assert max(held) == 0, "an export keeps no member"
    session.close()
