"""The commands on sessions: what they print, what they refuse, how a recording ends."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import struct
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import msgspec
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collectors.analysis.rates import Deriver
from collectors.model.metrics import METRICS
from collectors.model.workloads import Event, Frame
from collectors.session.encode import sealed
from collectors.session.format import PREFIX, Gap
from collectors.session.reader import Session
from collectors.session.sinks import file_writer
from collectors.session.writer import MemberMaker
from tests.helpers.lab.process import wait_until
from tests.terminal.test_sessions import frames_of
from tests.unit.collectors.session.test_session_file import fleet_frames, read, write
from tests.unit.tui.cli.test_main import FLEET_COMMAND, run


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return fleet_frames(150, 8)


@pytest.fixture
def path(frames: list[Frame], tmp_path: Path) -> Path:
    return write(tmp_path / "a.vmtop.gz", frames)


# --- record ----------------------------------------------------------------------------------------------------------


def recording(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*FLEET_COMMAND, "record", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )


def has_frames(path: Path, count: int = 3) -> bool:
    return frames_of(path) >= count


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 129), (signal.SIGKILL, -9)]
)
def test_however_a_recording_ends_the_file_is_whole(number: signal.Signals, code: int, tmp_path: Path) -> None:
    path = tmp_path / "a.vmtop.gz"
    process = recording(str(path), "--interval", "0.2")
    wait_until(lambda: has_frames(path), 20, "three frames")
    process.send_signal(number)
    _, words = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in words
    gzip.decompress(path.read_bytes())
    session = Session([path])
    assert not any(session.part(index).problem for index in range(len(session.members)))
    assert session.members[-1].member.is_closed == (number != signal.SIGKILL)
    session.close()


def test_killed_at_any_moment_no_frame_that_was_there_is_lost(tmp_path: Path) -> None:
    for turn in range(5):
        path = tmp_path / f"{turn}.vmtop.gz"
        process = recording(str(path), "--interval", "0.2")
        wait_until(lambda path=path: has_frames(path), 20, "three frames")  # type: ignore[misc]
        time.sleep(0.037 * turn)
        before = frames_of(path)
        process.kill()
        process.communicate(timeout=60)
        assert len(read(path)) >= before
        gzip.decompress(path.read_bytes())


def test_a_recording_ends_when_its_time_is_up_and_into_a_pipe(tmp_path: Path) -> None:
    process = recording("-", "--interval", "0.2", "--duration", "1s")
    data, words = process.communicate(timeout=30)
    assert process.returncode == 0
    (tmp_path / "a.vmtop.gz").write_bytes(data)
    assert 1 <= len(read(tmp_path / "a.vmtop.gz")) <= 9
    assert b"standard output" in words


def test_a_pipe_that_closes_ends_the_recording(tmp_path: Path) -> None:
    process = recording("-", "--interval", "0.2")
    assert process.stdout is not None
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(20) == 1
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("taken.gz",), "taken.gz exists already: choose another name, or --force"),
        (("none/a.gz",), "No such file or directory"),
        (("link.gz",), "symbolic link"),
        (("link.gz", "--force"), "symbolic link"),
        (("a.gz", "--keep", "3"), "--keep needs"),
        (("a.gz", "--rotate-size", "lots"), "not a size"),
        (("a.gz", "--duration", "soon"), "invalid duration"),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken.gz").write_text("precious")
    Path("link.gz").symlink_to("taken.gz")
    told = run("record", *arguments)
    assert told.exit_code in (1, 2)
    assert words in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert Path("taken.gz").read_text() == "precious"


# --- info ------------------------------------------------------------------------------------------------------------


def test_info_tells_span_workloads_events_and_the_size_of_a_sample(path: Path, frames: list[Frame]) -> None:
    told = json.loads(run("info", "--json", str(path)).stdout)
    assert told["schema"] == "vmtop.info/1"
    assert told["frames"] == 150
    assert told["workload_samples"] == sum(len(frame.workloads) + 1 for frame in frames)
    assert told["bytes_per_workload_sample"] == path.stat().st_size / told["workload_samples"]
    assert {one["id"] for one in told["workloads"]} == {one.id for frame in frames for one in frame.workloads}
    deriver = Deriver()
    peak = max(
        reading.value("cpu_percent") or 0.0
        for frame in frames
        for reading in deriver.feed(frame).readings.values()
        if reading.workload.id.id == told["workloads"][0]["id"]
    )
    assert told["workloads"][0]["peaks"]["cpu_percent"] == pytest.approx(peak)
    shown = run("info", str(path))
    assert shown.exit_code == 0
    assert all(len(line) <= 80 for line in shown.stdout.splitlines() if not line.startswith("file"))
    assert "150 every 1 s on demo" in shown.stdout


def test_info_names_damage_and_exits_with_1(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    told = run("info", str(path))
    assert told.exit_code == 1
    assert "damage    " in told.stdout
    assert "whole" in told.stdout


def test_a_gap_is_told_with_its_reason(tmp_path: Path) -> None:
    frames = fleet_frames(20, 2)
    path = write(tmp_path / "a.vmtop.gz", [*frames[:5], *frames[15:]])
    told = json.loads(run("info", "--json", str(path)).stdout)
    assert [(gap["frames"], gap["why"]) for gap in told["gaps"]] == [(10, "suspended, stopped or too busy")]


# --- export ----------------------------------------------------------------------------------------------------------


def expected_rows(frames: list[Frame], key: str) -> list[tuple[str, float | None]]:
    deriver, rows = Deriver(), []
    for frame in frames:
        moment = deriver.feed(frame)
        rows += [(one.workload.name, one.value(key)) for one in (moment.host, *moment.readings.values())]
    return rows


def test_csv_and_json_lines_have_every_frame_and_workload(path: Path, frames: list[Frame]) -> None:
    expected = expected_rows(frames, "cpu_percent")
    rows = list(csv.DictReader(io.StringIO(run("export", str(path)).stdout)))
    assert list(rows[0]) == ["time", "kind", "engine", "id", "name", "state", *METRICS]
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


# --- cut and report --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("since", "until"), [(0, 150), (3, 9), (10, 130), (59, 61), (60, 120), (149, 150)])
def test_a_cut_has_the_frames_of_its_span(since: int, until: int, path: Path, frames: list[Frame]) -> None:
    target = path.with_name("cut.vmtop.gz")
    begin, end = frames[since].wall, frames[until - 1].wall
    stamp = [time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall)) for wall in (begin, end)]
    assert run("cut", str(path), "--from", stamp[0], "--to", stamp[1], "-o", str(target)).exit_code == 0
    assert read(target) == frames[since:until]
    assert json.loads(run("info", "--json", str(target)).stdout)["damage"] == []


def test_a_cut_without_limits_has_every_frame_and_every_gap(tmp_path: Path) -> None:
    frames = [
        msgspec.structs.replace(frame, wall=frame.wall + 0.0006 - (3600 if number > 100 else 0))
        for number, frame in enumerate(fleet_frames(150, 2))
    ]
    path, target = tmp_path / "a.vmtop.gz", tmp_path / "cut.vmtop.gz"
    writer = file_writer(path)
    for number, frame in enumerate(frames):
        writer.write(frame, Gap(frame.wall - 2, frame.wall - 1, 2, "why not") if number == 60 else None)
    assert run("cut", str(path), "-o", str(target)).exit_code == 0
    assert read(target) == frames
    told = json.loads(run("info", "--json", str(target)).stdout)
    assert [gap["why"] for gap in told["gaps"]] == ["why not"]


HOSTILE = (
    b'{"k":"frame"}',
    b'{"k":"frame","wall":1750000002,"at_ns":1,"boot_ns":1,"interval_s":1,"workloads":[],"samples":[{"x":1}],"sources":[]}',
    b'{"k":"frame","wall":1750000002,"at_ns":1,"boot_ns":1,"interval_s":1,"workloads":[],"samples":5,"sources":[]}',
    b'{"k":"frame","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"k":"frame","a":"\\ud800"}',
    b'{"k":"frame","wall":1750000002,"at_ns":1,"boot_ns":1,"interval_s":1,"workloads":[],"samples":[],"sources":[],"a":'
    + b"9" * 5000
    + b"}",
)


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_lines_end_their_member_in_every_command(line: bytes, tmp_path: Path) -> None:
    good = write(tmp_path / "good.vmtop.gz", fleet_frames(1, 1))
    text = gzip.decompress(good.read_bytes()) + sealed(line)
    maker = MemberMaker("f1ee7f1ee7f1ee70", 0, 1750000001.0)
    path = tmp_path / "bad.vmtop.gz"
    path.write_bytes(maker.add(text, 1750000001.0, 0) + maker.end())
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1750000000))
    for command in (
        ("info",),
        ("export",),
        ("cut", "--from", stamp, "-o", str(tmp_path / "c")),
        ("report", "-o", str(tmp_path / "r")),
    ):
        told = run(*command, str(path))
        assert told.exception is None or isinstance(told.exception, SystemExit), command
    assert len(read(path)) >= 1


@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63), 10**15])
def test_absurd_times_in_a_header_are_no_traceback(extreme: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(70, 1))
    data = bytearray(path.read_bytes())
    for offset in (len(PREFIX) + 12, len(PREFIX) + 20):
        data[offset : offset + 8] = struct.pack("<q", extreme)
    path.write_bytes(data)
    for command in (("export", "--from", "14:05"), ("cut", "--from", "14:05", "-o", str(tmp_path / "c")), ("info",)):
        told = run(*command, str(path))
        assert told.exception is None or isinstance(told.exception, SystemExit), command


def test_force_replaces_only_when_the_new_file_is_finished(path: Path) -> None:
    old = path.with_name("old")
    for command in (("cut", "--from", "2037-01-01"), ("cut", "--from", "garbage"), ("export", "--workload", "nobody")):
        old.write_text("precious")
        assert run(*command, str(path), "-o", str(old), "--force").exit_code == 1
        assert old.read_text() == "precious"
    assert run("export", str(path), "-o", str(old), "--force").exit_code == 0
    assert old.read_text().startswith("time,kind")
    assert sorted(one.name for one in path.parent.iterdir()) == sorted([path.name, "old"]), "nothing else is left"


def test_a_cut_keeps_what_a_later_version_added(tmp_path: Path) -> None:
    lines = gzip.decompress(write(tmp_path / "a.vmtop.gz", fleet_frames(3, 1)).read_bytes()).splitlines()
    later = [{k: v for k, v in json.loads(line).items() if k != "crc"} for line in lines]
    for line in later:
        line["mood"] = "sunny"
        for block in line.get("samples", []):
            block["columns"]["fans"] = [1] * len(block["rows"])
    text = [sealed(json.dumps(line, separators=(",", ":")).encode()) for line in later]
    walls = [line["wall"] for line in later if line["k"] == "frame"]
    maker = MemberMaker("f1ee7f1ee7f1ee70", 0, walls[0])
    data = maker.add(b"".join(text), walls[-1], 0)
    (tmp_path / "b.vmtop.gz").write_bytes(data + maker.end())
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(walls[1]))
    target = tmp_path / "cut.vmtop.gz"
    assert run("cut", str(tmp_path / "b.vmtop.gz"), "--from", stamp, "-o", str(target)).exit_code == 0
    kept = [json.loads(line) for line in gzip.decompress(target.read_bytes()).splitlines()]
    assert all(line["mood"] == "sunny" for line in kept)
    cut_frames = [line for line in kept if line["k"] == "frame"]
    assert [line["wall"] for line in cut_frames] == walls[1:]
    assert cut_frames[0]["samples"][0]["columns"]["fans"]
    assert len(read(target)) == 2


@pytest.mark.parametrize("command", [("cut",), ("export",), ("report",)])
def test_what_is_read_is_never_written_over(command: tuple[str, ...], path: Path) -> None:
    before = path.read_bytes()
    other = path.with_name("other-name.vmtop.gz")
    other.symlink_to(path)
    for target in (path, other):
        told = run(*command, str(path), "-o", str(target), "--force")
        assert told.exit_code == 1
        assert "is what is read" in told.stderr
    assert path.read_bytes() == before


def test_a_cut_without_frames_leaves_nothing_behind(path: Path) -> None:
    target = path.with_name("cut.vmtop.gz")
    told = run("cut", str(path), "--from", "2001-01-01", "--to", "2001-01-02", "-o", str(target))
    assert told.exit_code == 1
    assert "no frame lies in this span" in told.stderr
    assert not target.exists()


class Tags(HTMLParser):
    """Collects what a page would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_is_one_page_that_loads_and_runs_nothing(tmp_path: Path) -> None:
    frames = fleet_frames(100, 6)
    event = Event(frames[50].wall, frames[50].host.id, "note", "<script>alert(1)</script>", "<img src=x>")
    frames[50] = msgspec.structs.replace(frames[50], events=(event,))
    path, target = write(tmp_path / "a.vmtop.gz", frames), tmp_path / "report.html"
    assert run("report", str(path), "-o", str(target)).exit_code == 0
    page = Tags()
    page.feed(target.read_text())
    assert not {tag for tag, _ in page.found} & {"script", "img", "link", "iframe", "object", "a"}
    assert not any(name in ("src", "href") or name.startswith("on") for _, attrs in page.found for name in attrs)
    assert "<script>alert(1)</script>" in page.text, "told as text"
    for workload in frames[0].workloads.values():
        assert workload.name in page.text
    assert sum(tag == "svg" for tag, _ in page.found) >= 10
    paths = [attrs["d"] or "" for tag, attrs in page.found if tag == "path"]
    assert max(map(len, paths)) > 500
    assert target.stat().st_mode & 0o777 == 0o600


def test_every_command_names_a_file_that_is_no_session(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.gz"
    foreign.write_bytes(gzip.compress(b"hello"))
    for command in (("info",), ("export",), ("cut", "-o", str(tmp_path / "x")), ("report", "-o", str(tmp_path / "y"))):
        told = run(*command, str(foreign))
        assert told.exit_code == 1
        assert "foreign.gz is not a vmtop session" in told.stderr
    assert not os.path.lexists(tmp_path / "x")
