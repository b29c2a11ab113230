"""Workloads side by side: the statistics of a window, the differences, the text, the document, the screen."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Deriver
from collectors.comparison.side_by_side import Column, side_by_side
from collectors.comparison.window_statistics import STATS, Past, Window, fill, statistics
from collectors.model.metrics import METRICS
from collectors.model.workloads import Frame, Kind, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.unit.collectors.session.test_session_file import fleet_frames, write
from tests.unit.tui.cli.test_main import fleet, run
from tui.cli import sources
from tui.cli.commands.sessions import compare
from tui.presenters.comparison.side_by_side import as_text

__all__ = ["fleet"]


# --- the window ------------------------------------------------------------------------------------------------------


@given(st.lists(st.none() | st.floats(0, 1e15), max_size=200))
def test_statistics_are_those_of_the_known_values(values: list[float | None]) -> None:
    known = sorted(value for value in values if value is not None)
    found = statistics(values)
    if not known:
        assert found is None
        return
    assert found is not None
    assert found.ticks == len(known)
    assert found.mean == pytest.approx(sum(known) / len(known))
    assert found.max == known[-1]
    for percent, value in ((50, found.p50), (95, found.p95)):
        below = sum(one <= value for one in known)
        assert value in known
        assert below * 100 >= percent * len(known), "at least so many percent are not above it"
        assert (below - known.count(value)) * 100 < percent * len(known), "and it is the least such value"


def test_a_window_has_the_values_of_its_seconds_with_rates_from_before() -> None:
    frames = fleet_frames(200, 4)
    identity = next(iter(frames[0].workloads))
    window = fill(frames, [identity], frames[99].wall)
    whole, last = window.past(identity), window.past(identity, 10)
    assert whole is not None
    assert last is not None
    assert whole.walls == [frame.wall for frame in frames[100:]]
    assert last.walls == whole.walls[-10:]
    assert None not in whole.values["cpu_percent"], "the first has a rate from the frame before the window"
    deriver = Deriver()
    expected = [deriver.feed(frame).readings[identity].value("cpu_percent") for frame in frames][100:]
    assert whole.values["cpu_percent"] == expected
    assert window.past(WorkloadId("docker", "nobody")) is None


def test_a_window_is_bounded() -> None:
    frames = fleet_frames(50, 2)
    identity = next(iter(frames[0].workloads))
    past = fill(frames, [identity], 0.0, longest=20).past(identity)
    assert past is not None
    assert past.walls == [frame.wall for frame in frames[-20:]]
    assert Window().past(identity) is None


# --- the sides -------------------------------------------------------------------------------------------------------


def side(name: str, **values: list[float | None]) -> Column:
    workload = Workload(WorkloadId("docker", name), Kind.CONTAINER, name)
    count = max(map(len, values.values()), default=0)
    columns = {key: values.get(key, [None] * count) for key in METRICS}
    return Column(name, Past(workload, [float(place) for place in range(count)], columns))


def test_differences_are_to_the_first_and_less_is_better_only_where_it_costs() -> None:
    sides = [
        side("one", cpu_percent=[10.0, 30.0], net_rx_bytes_per_second=[100.0, 100.0]),
        side("two", cpu_percent=[30.0, 50.0], net_rx_bytes_per_second=[300.0, 300.0]),
        side("three", cpu_percent=[5.0, 5.0]),
    ]
    rows = {row.metric.key: row for row in side_by_side(sides)}
    cpu = rows["cpu_percent"]
    assert [cell.difference for cell in cpu.cells] == [0.0, 20.0, -15.0]
    assert [cell.percent for cell in cpu.cells] == [0.0, 100.0, -75.0]
    assert (cpu.best, cpu.worst) == (2, 1)
    flow = rows["net_rx_bytes_per_second"]
    assert (flow.best, flow.worst) == (None, None)
    assert flow.cells[2].stats is None
    assert flow.cells[2].difference is None
    assert not rows["pids"].is_known
    assert list(rows) == list(METRICS), "every metric has a row"


def test_what_is_about_equal_is_neither_best_nor_worst() -> None:
    rows = side_by_side([side("one", cpu_percent=[10.0]), side("two", cpu_percent=[10.04])])
    assert (rows[0].best, rows[0].worst) == (None, None)


def test_from_nothing_there_is_no_percentage() -> None:
    (row, *_) = side_by_side([side("one", cpu_percent=[0.0]), side("two", cpu_percent=[5.0])])
    assert row.cells[1].difference == 5.0
    assert row.cells[1].percent is None


@pytest.mark.parametrize("stat", STATS)
def test_the_statistic_that_is_shown_is_the_one_that_is_compared(stat: str) -> None:
    sides = [side("one", cpu_percent=[1.0, 2.0, 90.0]), side("two", cpu_percent=[3.0, 4.0, 5.0])]
    (row, *_) = side_by_side(sides, stat)
    first, second = (cell.stats.of(stat) for cell in row.cells if cell.stats is not None)
    assert row.cells[1].difference == second - first
    assert row.best == (0 if first < second else 1)


@pytest.mark.parametrize("count", range(1, 9))
def test_the_text_fits_80_columns_with_any_number_of_sides(count: int) -> None:
    sides = [side(f"a-rather-long-name-{number}", cpu_percent=[number * 111.0]) for number in range(count)]
    lines = as_text(sides, side_by_side(sides)).splitlines()
    assert all(len(line) <= 80 for line in lines)
    (cpu,) = [line for line in lines if line.startswith("  CPU%")]
    assert all(f"{number * 111}" in cpu for number in range(count))


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, list[Frame]]:
    frames = fleet_frames(60, 8)
    return write(tmp_path / "before.vmtop.gz", frames), frames


def test_a_session_is_compared_as_the_frames_in_it_tell(recorded: tuple[Path, list[Frame]]) -> None:
    path, frames = recorded
    first, second = list(frames[0].workloads.values())[:2]
    told = json.loads(run("compare", first.name, second.name, "--session", str(path), "--past", "--json").stdout)
    assert told["schema"] == "vmtop.compare/1"
    assert [one["id"] for one in told["sides"]] == [first.id.id, second.id.id]
    assert [one["readings"] for one in told["sides"]] == [60, 60]
    assert [row["key"] for row in told["metrics"]] == list(METRICS)
    deriver = Deriver()
    values = [deriver.feed(frame).readings[first.id].value("cpu_percent") for frame in frames]
    known = [value for value in values if value is not None]
    cpu = told["metrics"][0]["values"]
    assert cpu[0]["mean"] == pytest.approx(sum(known) / len(known), abs=0.001)
    assert cpu[0]["samples"] == len(known)
    assert cpu[1]["difference"] == pytest.approx(cpu[1]["mean"] - cpu[0]["mean"], abs=0.002)


def test_the_window_is_the_last_of_the_session(recorded: tuple[Path, list[Frame]]) -> None:
    path, frames = recorded
    name = next(iter(frames[0].workloads.values())).name
    told = json.loads(run("compare", name, "--session", str(path), "--past", "--window", "10s", "--json").stdout)
    assert told["window_seconds"] == 10
    assert told["sides"][0]["readings"] == 10
    assert told["metrics"][0]["values"][0]["samples"] == 10


def test_the_first_of_a_window_has_rates_from_before_it(recorded: tuple[Path, list[Frame]]) -> None:
    path, frames = recorded
    name = next(iter(frames[0].workloads.values())).name
    told = json.loads(run("compare", name, "--session", str(path), "--past", "--window", "9.5s", "--json").stdout)
    assert told["metrics"][0]["values"][0]["samples"] == told["sides"][0]["readings"] == 10


def test_a_side_without_a_value_says_why(recorded: tuple[Path, list[Frame]]) -> None:
    path, frames = recorded
    name = next(one.name for one in frames[0].workloads.values() if one.kind is not Kind.VM)
    told = json.loads(run("compare", name, "--session", str(path), "--past", "--json").stdout)
    values = {row["key"]: row["values"][0] for row in told["metrics"]}
    assert (
        values["vcpu_percent"]["reason"]
        == "only virtual machines have virtual CPUs, and of this one nothing shows them"
    )
    assert all(("reason" in value) is (value["samples"] == 0) for value in values.values())


@pytest.mark.usefixtures("fleet")
def test_every_moment_that_was_watched_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, deriver = fleet_frames(4), Deriver()
    monkeypatch.setattr(compare, "moments", lambda *_, **_options: (deriver.feed(frame) for frame in frames))
    name = next(iter(frames[0].workloads.values())).name
    told = json.loads(run("compare", name, "--window", "60s", "--json").stdout)
    assert told["sides"][0]["readings"] == 4


@pytest.mark.usefixtures("fleet")
def test_before_and_now_stand_beside_each_other(recorded: tuple[Path, list[Frame]]) -> None:
    path, _ = recorded
    told = run("compare", "db-primary", "--session", str(path), "--window", "1s")
    assert told.exit_code == 0
    assert "1 db-primary @before: vm by qemu, 1 reading" in told.stdout
    assert "2 db-primary now: vm by qemu" in told.stdout
    assert all(len(line) <= 80 for line in told.stdout.splitlines())


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nobody", "--window", "1s"), 3, "nobody: no such workload"),
        (("db-primary", "nobody", "--window", "1s"), 3, "nobody: no such workload"),
        (("db-prim", "--window", "1s"), 3, "db-prim: no such workload; did you mean vm:db-primary"),
        (("db-primary", "--past"), 2, "--past needs --session"),
        (("db-primary", "--session", "none.gz"), 1, "none.gz cannot be read"),
        (("db-primary", "--window", "soon"), 2, "invalid duration"),
        (("--stat", "max"), 2, "needs names"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(arguments: tuple[str, ...], code: int, words: str) -> None:
    told = run("compare", *arguments)
    assert told.exit_code == code
    assert words in told.stderr
    assert told.stdout == ""


def test_a_name_that_one_who_is_down_may_know_is_not_called_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))  # and no one listens
    docker = SourceSpec("docker", {"url": f"unix://{tmp_path}/dead.sock"})
    monkeypatch.setattr(sources, "specs", lambda *_: [*sources.demo(20, 7), docker])
    told = run("compare", "nobody", "--window", "1s")
    assert told.exit_code == 8
    assert f"nobody: docker at unix://{tmp_path}/dead.sock has not answered" in told.stderr
    assert "nothing listens" in told.stderr
    assert "no such workload" not in told.stderr
