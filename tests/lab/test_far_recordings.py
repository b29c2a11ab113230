"""What real hosts recorded, each by itself, replays as one fleet; workloads of different hosts are compared live."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.fleet.recordings.opening import open_recording
from collectors.session.playback import Playback
from tests.helpers.lab.far_hosts import FarHosts
from tests.unit.tui.cli.test_main import run

pytestmark = pytest.mark.lab
NAMES = ("hv01", "hv02")
VMTOP = str(Path(sys.executable).with_name("vmtop"))


@pytest.fixture(scope="module")
def fleet(far_lab: FarHosts) -> Iterator[FarHosts]:
    """Two hosts with a container `cache` on each, busy on the first."""
    far_lab.hosts["hv01"].run("cache", "while :; do :; done", "--cpus", "0.2")
    far_lab.hosts["hv02"].run("cache")
    with far_lab.as_client():
        yield far_lab
    for name in NAMES:
        far_lab.hosts[name].inside("docker", "rm", "-f", "cache")


@pytest.fixture(scope="module")
def files(fleet: FarHosts) -> list[Path]:
    """What each host records by itself, at the same time."""
    words = "vmtop record own.vmtop.gz --duration 8s --interval 0.5 --force"
    argv = [[f"{fleet.folder}/bin/ssh", "-o", "BatchMode=yes", name, words] for name in NAMES]
    children = [subprocess.Popen(one, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) for one in argv]
    for child in children:
        _, said = child.communicate(timeout=120)
        assert child.returncode == 0, said
    return [fleet.hosts[name].home / "own.vmtop.gz" for name in NAMES]


def test_recordings_of_two_hosts_replay_with_the_values_of_each(files: list[Path]) -> None:
    session = open_recording(files)
    playback = Playback(session)
    playback.go(session.total() - 3)
    moment = playback.moment
    assert moment is not None
    assert list(moment.hosts) == list(NAMES)
    caches = {one.host: reading for one, reading in moment.readings.items() if reading.workload.name == "cache"}
    assert caches["hv01"].value("cpu_percent") == pytest.approx(20, abs=12)
    assert caches["hv02"].value("cpu_percent") == pytest.approx(0, abs=2)
    assert all(host.reading is not None and host.ledger.cpu_cores is not None for host in moment.hosts.values())
    assert {one.host for one in moment.readings} == set(NAMES)
    session.close()
    document = json.loads(run("info", *map(str, files), "--json").stdout)
    assert document["hosts"] == list(NAMES)
    assert document["damage"] == []


def test_workloads_of_two_hosts_are_compared_as_they_are_now(fleet: FarHosts) -> None:
    hosts = [word for name in NAMES for word in ("--host", name)]
    words = ["compare", *hosts, "hv01/cache", "hv02/cache", "--window", "3s", "--json"]
    done = subprocess.run([VMTOP, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [(side["host"], side["name"]) for side in document["sides"]] == [(name, "cache") for name in NAMES]
    (cpu,) = [row for row in document["metrics"] if row["key"] == "cpu_percent"]
    busy, idle = (value["mean"] for value in cpu["values"])
    assert busy > 5 > idle
    unclear = subprocess.run(
        [VMTOP, "compare", *hosts, "cache"], capture_output=True, text=True, timeout=120, check=False
    )
    assert unclear.returncode == 3
    assert "hv01/container:cache" in unclear.stderr
