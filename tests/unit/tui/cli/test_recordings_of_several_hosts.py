"""The commands on session files know the host of every workload."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from collectors.session.reader import Session
from tests.helpers.host_recordings import host_frames, record
from tests.unit.tui.cli.test_main import run


@pytest.fixture(name="paths")
def files_of_two_hosts(tmp_path: Path) -> list[str]:
    return [
        str(record(tmp_path / f"{name}.vmtop.gz", host_frames(name, 65, boot_s=boot_s, seed=seed)))
        for name, boot_s, seed in (("hv01", 1.0, 7), ("hv02", 9000.0, 8))
    ]


def test_info_lists_workloads_with_their_hosts(paths: list[str]) -> None:
    text = run("info", *paths).stdout
    assert "every 1 s on hv01, hv02" in text
    assert text.count("hv01       ") == text.count("hv02       ") == 5
    document = json.loads(run("info", *paths, "--json").stdout)
    assert document["hosts"] == ["hv01", "hv02"]
    assert {workload["host"] for workload in document["workloads"]} == {"hv01", "hv02"}
    assert document["frames"] == 65
    assert document["gaps"] == document["damage"] == []


def test_export_has_a_column_of_hosts_and_takes_one_of_them(paths: list[str]) -> None:
    both = list(csv.DictReader(io.StringIO(run("export", *paths, "--metric", "cpu").stdout)))
    assert {row["host"] for row in both} == {"hv01", "hv02"}
    assert len(both) == 65 * 2 * 5
    for name, path in zip(("hv01", "hv02"), paths, strict=True):
        alone = list(csv.DictReader(io.StringIO(run("export", path, "--metric", "cpu").stdout)))
        chosen = list(csv.DictReader(io.StringIO(run("export", *paths, "--metric", "cpu", "--host", name).stdout)))
        assert {row["host"] for row in alone} == {name}
        key = "time", "kind", "id", "cpu_percent"
        assert sorted([row[part] for part in key] for row in chosen) == sorted(
            [row[part] for part in key] for row in alone
        )


def test_openmetrics_of_two_hosts_does_not_mix_their_series(paths: list[str]) -> None:
    text = run("export", *paths, "--format", "openmetrics", "--metric", "cpu").stdout
    samples = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    keys = [(name.rpartition(" ")[0], at) for name, _, at in samples]
    assert len(keys) == len(set(keys))
    assert {name.partition('host="')[2].partition('"')[0] for name, _ in keys} == {"hv01", "hv02"}


def test_a_cut_of_two_hosts_is_one_file_that_says_the_same(paths: list[str], tmp_path: Path) -> None:
    target = tmp_path / "fleet.vmtop.gz"
    assert run("cut", *paths, "-o", str(target), "--from", "+10s", "--to", "+50s").exit_code == 0
    session = Session([target])
    frame = session.frame(session.last())
    assert frame is not None
    assert list(frame.hosts) == ["hv01", "hv02"]
    session.close()
    whole, part = (
        list(csv.DictReader(io.StringIO(run("export", *files, "--metric", "mem").stdout)))
        for files in (paths, [str(target)])
    )
    times = {row["time"] for row in part}
    key = "time", "host", "id", "memory_host_bytes"
    assert sorted([row[name] for name in key] for row in part) == sorted(
        [row[name] for name in key] for row in whole if row["time"] in times
    )


def test_a_fleet_and_another_host_replay_together(paths: list[str], tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.vmtop.gz"
    run("cut", *paths, "-o", str(fleet))
    other = record(tmp_path / "other.vmtop.gz", host_frames("hv03", 65, boot_s=77))
    document = json.loads(run("info", str(fleet), str(other), paths[0], "--json").stdout)
    assert document["hosts"] == ["hv01", "hv02", "hv03", "hv01@2"]
    assert len(document["workloads"]) == 4 * 5


def test_compare_takes_workloads_of_different_hosts(paths: list[str], tmp_path: Path) -> None:
    fleet = tmp_path / "fleet.vmtop.gz"
    run("cut", *paths, "-o", str(fleet))
    name = json.loads(run("info", paths[0], "--json").stdout)["workloads"][0]["name"]
    result = run("compare", "--past", "--session", str(fleet), f"hv01/{name}", f"hv02/{name}")
    assert result.exit_code == 0
    assert f"1 hv01/{name}: " in result.stdout
    assert f"2 hv02/{name}: " in result.stdout
    unclear = run("compare", "--past", "--session", str(fleet), name)
    assert unclear.exit_code == 3
    assert f"hv01/container:{name}" in unclear.stderr or f"hv01/vm:{name}" in unclear.stderr
    sides = json.loads(
        run("compare", "--past", "--session", str(fleet), f"hv01/{name}", f"hv02/{name}", "--json").stdout
    )["sides"]
    assert [side["host"] for side in sides] == ["hv01", "hv02"]


def test_the_report_has_charts_of_each_host(paths: list[str], tmp_path: Path) -> None:
    target = tmp_path / "fleet.html"
    assert run("report", *paths, "-o", str(target)).exit_code == 0
    page = target.read_text()
    assert page.count("<h2>Host hv0") == 2
    assert "not measured" not in page.partition("<h2>Workloads")[0]
    assert page.count("<td>hv01</td>") == page.count("<td>hv02</td>") == 5


def test_a_gap_of_one_host_is_that_host_s_alone(tmp_path: Path) -> None:
    frames = host_frames("hv02", 70, boot_s=77)
    paths = [
        str(record(tmp_path / "a.vmtop.gz", host_frames("hv01", 70))),
        str(record(tmp_path / "b.vmtop.gz", frames[:20] + frames[40:])),
    ]
    (gap,) = json.loads(run("info", *paths, "--json").stdout)["gaps"]
    assert gap["why"] == "hv02: suspended, stopped or too busy"
    assert gap["frames"] == 20


def test_damage_of_one_file_is_said_and_the_other_hosts_stay_whole(tmp_path: Path) -> None:
    paths = [str(record(tmp_path / f"{name}.vmtop.gz", host_frames(name, 100))) for name in ("hv01", "hv02")]
    data = bytearray(Path(paths[1]).read_bytes())
    data[len(data) // 3] ^= 0xFF
    Path(paths[1]).write_bytes(data)
    result = run("info", *paths, "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert [damage["path"] for damage in document["damage"]] == [paths[1]]
    frames = {workload["host"]: workload["frames"] for workload in document["workloads"]}
    assert frames["hv01"] == 100
