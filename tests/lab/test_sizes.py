"""Sizes of real workloads: limits as their engines have them, and advice that follows from what they do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collectors.model.workloads import Kind
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.metric_engines import ENGINES, metric_engine
from tests.helpers.served_hosts import ServedHost, served_hosts
from tui.cli.exit_codes import DONE
from tui.cli.main import main

pytestmark = pytest.mark.lab

MIB = 1 << 20
HOSTS = ("hv01", "hv02")
BUSY, FULL, IDLE, FREE = "sizes-busy", "sizes-full", "sizes-idle", "sizes-free"


def run(*words: str) -> Any:
    result = CliRunner().invoke(main, ["sizes", *words, "--json"], prog_name="vmtop")
    assert result.exit_code == DONE, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def sizes(docker_lab: DockerLab, libvirt_lab: LibvirtLab) -> Iterator[dict[str, Any]]:
    """Watch a container that is throttled, one whose memory is full, an idle one, one without limits, and a guest."""
    containers = [
        docker_lab.run_busy(BUSY, 0.2),
        docker_lab.run_memory_hog(FULL, held_mib=62, limit_mib=64),
        docker_lab.run(IDLE, "sleep 100000", nano_cpus=10**9, mem_limit=256 * MIB),
        docker_lab.run(FREE, "sleep 100000"),
    ]
    guest = libvirt_lab.start_tiny("sizes")
    sources = ("--docker", docker_lab.url, "--libvirt", libvirt_lab.uri)
    told = run(BUSY, FULL, IDLE, FREE, guest, "--over", "20s", *sources)
    yield {"guest" if one["kind"] == "vm" else one["name"]: one for one in told["workloads"]}
    for container in containers:
        docker_lab.remove(container)


def _size(one: dict[str, Any], resource: str) -> dict[str, Any]:
    return next(size for size in one["sizes"] if size["resource"] == resource)


def test_limits_are_those_of_the_engine_and_none_is_not_zero(sizes: dict[str, Any], docker_lab: DockerLab) -> None:
    for name in (BUSY, FULL, IDLE, FREE):
        limits = docker_lab.client.inspect_container(name)["HostConfig"]
        assert _size(sizes[name], "cpu")["has"] == (limits["NanoCpus"] / 1e9 or None)
        assert _size(sizes[name], "memory")["has"] == (limits["Memory"] or None)


def test_who_is_throttled_or_full_is_given_more_and_who_idles_less(sizes: dict[str, Any]) -> None:
    busy = _size(sizes[BUSY], "cpu")
    assert busy["advice"] == "more", busy
    assert busy["fits"] > 0.2
    assert "throttled in" in busy["why"]
    full = _size(sizes[FULL], "memory")
    assert full["advice"] == "more", full
    assert full["fits"] >= 80 * MIB
    idle = [_size(sizes[IDLE], resource) for resource in ("cpu", "memory")]
    assert [(size["advice"], size["fits"]) for size in idle] == [("less", 0.1), ("less", 16 * MIB)]
    assert {size["advice"] for size in sizes[FREE]["sizes"]} == {"no limit"}
    assert all("only" in one["weak_evidence"][0] for one in sizes.values()), "20 seconds are not much"


def test_a_guest_without_a_balloon_report_is_not_measurable_from_outside(sizes: dict[str, Any]) -> None:
    memory = _size(sizes["guest"], "memory")
    assert (memory["advice"], memory["fits"]) == ("unknown", None)
    assert "from outside" in memory["why"]
    assert memory["has"] > 0
    assert _size(sizes["guest"], "vcpus")["has"] == 1


def test_as_a_machine_a_container_weighs_the_overhead_of_the_guest_more(sizes: dict[str, Any]) -> None:
    for name in (BUSY, FULL, IDLE, FREE):
        other = sizes[name]["as_other_kind"]
        assert other["kind"] == Kind.VM
        assert other["memory_bytes"] > _size(sizes[name], "memory")["max"] + MIB
        assert "median overhead of" in other["how"]
        assert "smaps" in other["how"]


@pytest.mark.parametrize("engine", ENGINES)
def test_sizes_of_many_hosts_come_from_what_was_scraped(engine: str, tmp_path: Path) -> None:
    with served_hosts(HOSTS, 10, seeds=(1, 2)) as hosts, skip_or_fail():
        targets = {f"{name}:9922": address for name, (_, address) in hosts.items()}
        with metric_engine(engine, tmp_path / "engine", targets) as server:
            served = [host for host, _ in hosts.values()]
            server.daemon.wait_until(lambda: all(len(host.frames) >= 15 for host in served), 90, "scrapes")
            told = run("--prometheus", server.url, "--from", "2m ago")
            (named,) = run("--prometheus", server.url, "--from", "2m ago", told["workloads"][0]["name"])["workloads"][
                :1
            ]
    assert named["id"] in {one["id"] for one in told["workloads"]}
    assert {one["host"] for one in told["workloads"]} == set(HOSTS)
    containers = [one for one in told["workloads"] if one["kind"] == "container"]
    assert len(containers) >= 5
    checked = [_is_within(one, hosts[one["host"]][0]) for one in containers]
    assert checked.count(True) >= len(containers) / 2, "those that were there all the time"
    assert {host["host"] for host in told["hosts"]} == set(HOSTS)
    assert all(one["weak_evidence"] for one in told["workloads"])


def _is_within(one: dict[str, Any], host: ServedHost) -> bool:
    """Return whether the highest memory of a container is among what its host served."""
    values = list(_served(one["id"], host.frames))
    highest = _size(one, "memory")["max"]
    return highest is not None and bool(values) and min(values) * 0.99 <= highest <= max(values) * 1.01


def _served(identity: str, frames: Sequence[Any]) -> Iterator[float]:
    for frame in frames:
        for workload, samples in frame.samples.items():
            for sample in samples if workload.id.startswith(identity) else ():
                if sample.memory_charged_bytes is not None:
                    swap = max((other.memory_swap_bytes or 0 for other in samples), default=0)
                    yield sample.memory_charged_bytes - (sample.memory_inactive_file_bytes or 0) + swap
