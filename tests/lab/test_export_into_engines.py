"""A recorded session stands beside what Prometheus and VictoriaMetrics scraped: the real engines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from collectors.model.workloads import Frame
from collectors.prometheus import importer
from tests.helpers.host_recordings import host_frames, record
from tests.helpers.lab.metric_engines import PROMETHEUS, VICTORIA_METRICS, MetricEngine, metric_engine
from tests.unit.tui.cli.test_main import run

pytestmark = pytest.mark.lab
_FRAMES = 70


@pytest.fixture(name="frames")
def frames_of_two_hosts() -> dict[str, list[Frame]]:
    wall = float(int(time.time()) - 300)
    return {
        name: host_frames(name, _FRAMES, boot_s=boot_s, seed=seed, wall=wall)
        for name, boot_s, seed in (("hv01", 1.0, 7), ("hv02", 9000.0, 8))
    }


@pytest.fixture(name="paths")
def files_of_two_hosts(frames: dict[str, list[Frame]], tmp_path: Path) -> list[str]:
    return [str(record(tmp_path / f"{name}.vmtop.gz", one_host)) for name, one_host in frames.items()]


def has_all(engine: MetricEngine, frames: dict[str, list[Frame]], instance: str = "{host}") -> None:
    for name, one_host in frames.items():
        where = instance.replace("{host}", name)
        for frame in (one_host[0], one_host[-1]):
            found = engine.query(f'vmtop_cpu_seconds_total{{instance="{where}"}}', frame.wall)
            counted = {one["metric"]["id"]: float(one["value"][1]) for one in found}
            expected = {
                workload.short_id: sample.cpu_total_ns / 1e9
                for identity, workload in frame.workloads.items()
                for sample in frame.samples.get(identity, ())[:1]
                if sample.cpu_total_ns is not None
            }
            stopped = {one.short_id for one in frame.workloads.values()} - expected.keys()
            assert {key: value for key, value in counted.items() if key not in stopped} == pytest.approx(
                expected, abs=1e-6
            )
            assert counted


def test_victoria_metrics_has_each_counter_of_each_host(
    frames: dict[str, list[Frame]], paths: list[str], tmp_path: Path
) -> None:
    with metric_engine(VICTORIA_METRICS, tmp_path / "engine") as engine:
        done = run("export", *paths, "--into", engine.url, "--label", "instance={host}:9922")
        assert done.exit_code == 0, done.stderr
        engine.request("/internal/force_flush", {})
        has_all(engine, frames, "{host}:9922")
        assert run("export", *paths, "--into", engine.url, "--label", "instance={host}:9922").exit_code == 0
        engine.request("/internal/force_flush", {})
        has_all(engine, frames, "{host}:9922")
        assert not engine.query(
            "count by (__name__) ({__name__=~'vmtop_self.*|vmtop_build.*'})", frames["hv01"][-1].wall
        )


def test_prometheus_has_each_counter_of_each_host_in_blocks(
    frames: dict[str, list[Frame]], paths: list[str], tmp_path: Path
) -> None:
    done = run("export", *paths, "--into", str(tmp_path / "blocks"))
    assert done.exit_code == 0, done.stderr
    assert "samples are in 1 block in" in done.stderr or "samples are in 2 blocks in" in done.stderr
    with metric_engine(PROMETHEUS, tmp_path / "engine", blocks=tmp_path / "blocks") as engine:
        has_all(engine, frames)
        refused = run("export", *paths, "--into", engine.url)
        assert refused.exit_code == 1
        assert "takes no imports of samples" in refused.stderr


def test_a_recording_of_a_fleet_by_one_vmtop_has_an_instance_a_host(
    frames: dict[str, list[Frame]], paths: list[str], tmp_path: Path
) -> None:
    fleet = tmp_path / "fleet.vmtop.gz"
    assert run("cut", *paths, "-o", str(fleet)).exit_code == 0
    with metric_engine(VICTORIA_METRICS, tmp_path / "engine") as engine:
        assert run("export", str(fleet), "--into", engine.url).exit_code == 0
        engine.request("/internal/force_flush", {})
        has_all(engine, frames)


def test_a_server_that_goes_away_in_between_leaves_a_way_to_go_on(
    frames: dict[str, list[Frame]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "PAUSES_S", ())
    path = record(tmp_path / "a.vmtop.gz", frames["hv01"])
    with metric_engine(VICTORIA_METRICS, tmp_path / "engine") as engine:
        taken = importer.Importer.send

        def send_and_stop(self: importer.Importer, batch: importer.Batch) -> None:
            taken(self, batch)
            engine.daemon.stop()

        monkeypatch.setattr(importer.Importer, "send", send_and_stop)
        monkeypatch.setattr(importer.batches, "__defaults__", (20_000,))
        failed = run("export", str(path), "--into", engine.url)
    assert failed.exit_code == 1
    assert "have arrived: go on from there with --from '" in failed.stderr
