"""The commands on sessions: what they print, what they refuse, how a recording ends."""

from __future__ import annotations

import gzip
import json
import os
import struct
import time
from pathlib import Path

import msgspec
import pytest

from collectors.analysis.rates import Deriver
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Event, Frame, Unmeasured
from collectors.session.encode import sealed
from collectors.session.format import PREFIX, Gap
from collectors.session.sinks import file_writer
from collectors.session.writer import MemberMaker
from tests.helpers.html_page import parsed
from tests.helpers.strategies import frame, workload
from tests.unit.collectors.session.test_session_file import fleet_frames, read, write
from tests.unit.tui.cli.test_main import run
from tui.presenters.reports.page.page_script import SCRIPT

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
    assert "intact" in told.stdout


def test_a_gap_is_told_with_its_reason(tmp_path: Path) -> None:
    frames = fleet_frames(20, 2)
    path = write(tmp_path / "a.vmtop.gz", [*frames[:5], *frames[15:]])
    told = json.loads(run("info", "--json", str(path)).stdout)
    assert [(gap["frames"], gap["why"]) for gap in told["gaps"]] == [(10, "suspended, stopped or too busy")]


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
    for number, one in enumerate(frames):
        writer.write(one, Gap(one.wall - 2, one.wall - 1, 2, "why not") if number == 60 else None)
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
    assert old.read_text().startswith("time,host,kind")
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


def test_a_report_is_one_page_that_loads_and_runs_nothing(tmp_path: Path) -> None:
    frames = fleet_frames(100, 6)
    event = Event(frames[50].wall, frames[50].host.id, "note", "<script>alert(1)</script>", "<img src=x>")
    frames[50] = msgspec.structs.replace(frames[50], events=(event,))
    path, target = write(tmp_path / "a.vmtop.gz", frames), tmp_path / "report.html"
    assert run("report", str(path), "-o", str(target)).exit_code == 0
    page = parsed(target.read_text())
    assert page.scripts == [SCRIPT]
    assert not {tag for tag, _ in page.tags} & {"img", "link", "iframe", "object", "embed", "form", "base"}
    assert not any(name in ("src", "style") or name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in page.tags)
    assert "<script>alert(1)</script>" in page.text, "told as text"
    for one in frames[0].workloads.values():
        assert one.name in page.text
    assert sum(tag == "svg" for tag, _ in page.tags) >= 10
    paths = [attrs["d"] or "" for tag, attrs in page.tags if tag == "path"]
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


def test_an_empty_cell_of_a_report_says_why_in_its_title(tmp_path: Path) -> None:
    hostile = '"><script>x</script>'
    note = Unmeasured(Topic.MEMORY, Cause.NO_RIGHT, hostile)
    described = workload("web", unmeasured=(note,))
    frames = [frame(second, {described: {"cpu_total_ns": second}}) for second in (1, 2, 3, 4)]
    path, target = write(tmp_path / "a.vmtop.gz", frames), tmp_path / "report.html"
    assert run("report", str(path), "-o", str(target)).exit_code == 0
    page = parsed(target.read_text())
    titles = [attrs["title"] for tag, attrs in page.tags if tag == "td" and "title" in attrs]
    assert f"this user may not read {hostile}" in titles
