"""One `vmtop serve` that watches other hosts over SSH: equal names stay apart in the engine that scrapes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.metric_engines import PROMETHEUS, free_port, metric_engine
from tests.helpers.lab.process import Daemon

pytestmark = pytest.mark.lab
VMTOP = str(Path(sys.executable).with_name("vmtop"))
NAMES = ("hv01", "hv02")


@pytest.fixture(scope="module")
def fleet(far_lab: FarHosts) -> Iterator[FarHosts]:
    """Two hosts with a container of the same name."""
    for name in NAMES:
        far_lab.hosts[name].run("scraped")
    with far_lab.as_client():
        yield far_lab
    for name in NAMES:
        far_lab.hosts[name].inside("docker", "rm", "-f", "scraped")


def test_containers_of_one_name_on_two_hosts_are_two_series(fleet: FarHosts, tmp_path: Path) -> None:
    port = free_port()
    words = [word for name in NAMES for word in ("--host", name)]
    daemon = Daemon([VMTOP, "serve", "--listen", f"127.0.0.1:{port}", *words], tmp_path / "log")
    try:
        with metric_engine(PROMETHEUS, tmp_path / "engine", {"near": f"127.0.0.1:{port}"}) as engine:
            found = engine.wait_for('vmtop_tasks{name="scraped"}', len(NAMES), 60)
            assert {(one["metric"]["host"], one["metric"]["instance"]) for one in found} == {
                (name, "near") for name in NAMES
            }
            assert {one["metric"]["host"] for one in engine.query("vmtop_host_cpu_seconds_total")} == set(NAMES)
            up = {one["metric"]["host"] for one in engine.query('vmtop_source_up{source="ssh"} == 1')}
            assert up == set(NAMES)
    finally:
        daemon.stop()
