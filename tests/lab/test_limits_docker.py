"""Limits of real containers of Docker: in the control group, in `docker inspect`, and back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from collectors.model.actions import Result
from collectors.model.limits import Amount, LimitKey
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.limits import MIB, LimitsLab, group_file
from tests.helpers.lab.process import find_program
from tui.cli.main import main

pytestmark = pytest.mark.lab


@pytest.fixture
def limits(docker_lab: DockerLab) -> LimitsLab:
    return LimitsLab(SourceSpec("docker", {"url": docker_lab.url}))


@pytest.fixture
def box(docker_lab: DockerLab) -> Iterator[str]:
    identity = docker_lab.run("limits-box", "sleep 1000")
    yield "limits-box"
    docker_lab.remove(identity)


def host_config(lab: DockerLab, workload: Workload) -> dict[str, Any]:
    return host_config_of(lab, workload.id.id)


def host_config_of(lab: DockerLab, identity: str) -> dict[str, Any]:
    config: dict[str, Any] = lab.client.inspect_container(identity)["HostConfig"]
    return config


@pytest.mark.parametrize(
    ("key", "amount", "controller", "v1_name", "v1_text", "v2_name", "v2_text", "field"),
    [
        (LimitKey.CPU, 0.5, "cpu", "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000", ("CpuQuota", 50_000)),
        (LimitKey.CPU_WEIGHT, 200, "cpu", "cpu.shares", "2048", "cpu.weight", "79", ("CpuShares", 2048)),
        (LimitKey.CPUSET, "1", "cpuset", "cpuset.cpus", "1", "cpuset.cpus", "1", ("CpusetCpus", "1")),
        (
            LimitKey.MEMORY,
            64 * MIB,
            "memory",
            "memory.limit_in_bytes",
            str(64 * MIB),
            "memory.max",
            str(64 * MIB),
            ("Memory", 64 * MIB),
        ),
        (LimitKey.PIDS, 50, "pids", "pids.max", "50", "pids.max", "50", ("PidsLimit", 50)),
    ],
)
def test_a_limit_is_in_the_kernel_and_in_the_engine_and_is_undone(
    docker_lab: DockerLab,
    limits: LimitsLab,
    box: str,
    key: LimitKey,
    amount: Amount,
    controller: str,
    v1_name: str,
    v1_text: str,
    v2_name: str,
    v2_text: str,
    field: tuple[str, Any],
) -> None:
    web = limits.find(box)
    before = group_file(web, controller, v1_name, v2_name)
    assert limits.value(web, key) is None
    applied = limits.set(web, key, amount)
    assert group_file(web, controller, v1_name, v2_name) in (v1_text, v2_text)
    assert host_config(docker_lab, web)[field[0]] == field[1]
    limits.undo(applied)
    assert limits.value(web, key) is None
    assert group_file(web, controller, v1_name, v2_name) == before


def test_the_swap_moves_with_the_memory_and_comes_back_with_it(docker_lab: DockerLab, limits: LimitsLab) -> None:
    identity = docker_lab.run("limits-swap", "sleep 1000", mem_limit=64 * MIB, memswap_limit=80 * MIB)
    web = limits.find("limits-swap")
    raised = limits.set(web, LimitKey.MEMORY, 128 * MIB)
    config = host_config(docker_lab, web)
    assert (config["Memory"], config["MemorySwap"]) == (128 * MIB, 144 * MIB)
    freed = limits.set(web, LimitKey.MEMORY, None)
    assert limits.value(web, LimitKey.MEMORY) is None
    assert group_file(web, "memory", "memory.limit_in_bytes", "memory.max") == "max"
    limits.undo(freed)
    limits.undo(raised)
    config = host_config(docker_lab, web)
    assert (config["Memory"], config["MemorySwap"]) == (64 * MIB, 80 * MIB)
    assert group_file(web, "memory", "memory.limit_in_bytes", "memory.max") == str(64 * MIB)
    docker_lab.remove(identity)


def test_a_container_that_was_run_with_cpus_keeps_that_form_and_one_with_a_period_its_period(
    docker_lab: DockerLab, limits: LimitsLab
) -> None:
    nano = docker_lab.run("limits-nano", "sleep 1000", nano_cpus=500_000_000)
    web = limits.find("limits-nano")
    applied = limits.set(web, LimitKey.CPU, 1.25)
    assert host_config(docker_lab, web)["NanoCpus"] == 1_250_000_000
    freed = limits.set(web, LimitKey.CPU, None)
    assert limits.value(web, LimitKey.CPU) is None
    limits.undo(freed)
    limits.undo(applied)
    assert host_config(docker_lab, web)["NanoCpus"] == 500_000_000
    docker_lab.remove(nano)
    period = docker_lab.run("limits-period", "sleep 1000", cpu_period=20_000, cpu_quota=10_000)
    web = limits.find("limits-period")
    applied = limits.set(web, LimitKey.CPU, 1.5)
    assert group_file(web, "cpu", "cpu.cfs_quota_us", "cpu.max") in ("30000", "30000 20000")
    limits.undo(applied)
    assert group_file(web, "cpu", "cpu.cfs_quota_us", "cpu.max") in ("10000", "10000 20000")
    docker_lab.remove(period)


@pytest.mark.parametrize(
    ("key", "amount"), [(LimitKey.CPU, 0.75), (LimitKey.MEMORY, 96 * MIB), (LimitKey.PIDS, 33), (LimitKey.CPUSET, "0")]
)
def test_the_command_that_is_shown_does_the_same(
    docker_lab: DockerLab, limits: LimitsLab, box: str, key: LimitKey, amount: Amount
) -> None:
    web = limits.find(box)
    (change,) = limits.plan(web, key, amount).changes
    (command,) = change.commands
    words = command.replace("docker update", f"{find_program('docker')} -H {docker_lab.url} update")
    subprocess.run(["sh", "-c", words], check=True, capture_output=True)
    assert limits.value(web, key) == amount


def test_what_the_engine_refuses_is_said_with_its_reason_and_the_rest_is_done(
    docker_lab: DockerLab, limits: LimitsLab, box: str
) -> None:
    web = limits.find(box)
    plan = limits.setter.plan(web, {LimitKey.MEMORY: 2 * MIB, LimitKey.PIDS: 40})
    applied = limits.setter.apply(plan)
    assert [outcome.result for outcome in applied.outcomes] == [Result.FAILED, Result.DONE]
    assert "the engine refused" in applied.outcomes[0].sentence
    assert limits.value(web, LimitKey.MEMORY) is None
    limits.undo(applied)
    assert limits.value(web, LimitKey.PIDS) is None


@pytest.mark.parametrize("key", [LimitKey.DISK_READ, LimitKey.NET_IN, LimitKey.VCPUS])
def test_what_docker_cannot_is_refused(limits: LimitsLab, box: str, key: LimitKey) -> None:
    assert limits.plan(limits.find(box), key, 1 << 20).refusal


def test_a_container_that_was_made_anew_under_its_name_is_left_alone(
    docker_lab: DockerLab, limits: LimitsLab, box: str
) -> None:
    plan = limits.plan(limits.find(box), LimitKey.PIDS, 40)
    docker_lab.remove(plan.workload.id.id)
    again = docker_lab.run(box, "sleep 1000")
    applied = limits.setter.apply(plan)
    assert applied.result is Result.GONE
    assert docker_lab.client.inspect_container(again)["HostConfig"]["PidsLimit"] is None
    docker_lab.remove(again)


def test_a_container_that_was_restarted_since_is_left_alone_and_an_undo_survives_a_restart(
    docker_lab: DockerLab, limits: LimitsLab, box: str
) -> None:
    web = limits.find(box)
    plan = limits.plan(web, LimitKey.PIDS, 40)
    docker_lab.client.restart(web.id.id, timeout=0)
    assert limits.setter.apply(plan).result is Result.CHANGED
    applied = limits.set(web, LimitKey.PIDS, 40)
    docker_lab.client.restart(web.id.id, timeout=0)
    assert limits.value(web, LimitKey.PIDS) == 40
    limits.undo(applied)
    assert limits.value(web, LimitKey.PIDS) is None


def test_the_command_warns_sets_and_says_what_was_there(docker_lab: DockerLab) -> None:
    identity = docker_lab.run_memory_hog("limits-hog", held_mib=48, limit_mib=128)
    words = ["set", "container:limits-hog", "memory=40M", "--docker", docker_lab.url]
    shown = CliRunner().invoke(main, [*words, "--dry-run"], prog_name="vmtop")
    assert shown.exit_code == 0, shown.output
    assert "memory=40MiB (was 128MiB), until it is changed" in shown.stdout
    assert "it may be killed at once (out of memory)" in shown.stdout
    assert host_config_of(docker_lab, identity)["Memory"] == 128 * MIB
    done = CliRunner().invoke(main, [*words[:2], "memory=256M", *words[3:], "--yes", "--json"], prog_name="vmtop")
    assert done.exit_code == 0, done.output
    (line,) = map(json.loads, done.stdout.splitlines())
    assert (line["old"], line["after"], line["result"]) == (128 * MIB, 256 * MIB, "done")
    assert host_config_of(docker_lab, identity)["Memory"] == 256 * MIB
    docker_lab.remove(identity)
