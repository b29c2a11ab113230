"""Limits of real containers of Podman: in the control group, back again, and what Podman forgets."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from collectors.model.limits import Amount, Lasts, LimitKey, Way
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.limits import MIB, LimitsLab, group_file
from tests.helpers.lab.podman_engine import PodmanLab
from tests.helpers.lab.process import find_program

pytestmark = pytest.mark.lab

FILES = {
    LimitKey.CPU: ("cpu", "cpu.cfs_quota_us", "cpu.max"),
    LimitKey.CPU_WEIGHT: ("cpu", "cpu.shares", "cpu.weight"),
    LimitKey.CPUSET: ("cpuset", "cpuset.cpus", "cpuset.cpus"),
    LimitKey.MEMORY: ("memory", "memory.limit_in_bytes", "memory.max"),
    LimitKey.PIDS: ("pids", "pids.max", "pids.max"),
}


@pytest.fixture
def limits(podman_lab: PodmanLab) -> Iterator[LimitsLab]:
    yield LimitsLab(SourceSpec("podman", {"url": podman_lab.url}))
    podman_lab.remove()


@pytest.mark.parametrize(
    ("key", "amount", "texts"),
    [
        (LimitKey.CPU, 0.5, {"50000", "50000 100000"}),
        (LimitKey.CPU_WEIGHT, 200, {"2048", "79"}),
        (LimitKey.CPUSET, "1", {"1"}),
        (LimitKey.MEMORY, 64 * MIB, {str(64 * MIB)}),
        (LimitKey.PIDS, 50, {"50"}),
    ],
)
def test_a_limit_is_in_the_kernel_and_is_undone(
    podman_lab: PodmanLab, limits: LimitsLab, key: LimitKey, amount: Amount, texts: set[str]
) -> None:
    podman_lab.run("limits-web", "sleep 1000")
    web = limits.find("limits-web")
    before, old = group_file(web, *FILES[key]), limits.value(web, key)
    applied = limits.set(web, key, amount)
    assert group_file(web, *FILES[key]) in texts
    limits.undo(applied)
    assert (group_file(web, *FILES[key]), limits.value(web, key)) == (before, old)


def test_the_swap_moves_with_the_memory_and_both_come_back(podman_lab: PodmanLab, limits: LimitsLab) -> None:
    podman_lab.run("limits-swap", "sleep 1000", "--memory=64m", "--memory-swap=80m")
    web = limits.find("limits-swap")
    raised = limits.set(web, LimitKey.MEMORY, 128 * MIB)
    lowered = limits.set(web, LimitKey.MEMORY, 32 * MIB)
    freed = limits.set(web, LimitKey.MEMORY, None)
    assert group_file(web, *FILES[LimitKey.MEMORY]) == "max"
    for applied in (freed, lowered, raised):
        limits.undo(applied)
    assert group_file(web, *FILES[LimitKey.MEMORY]) == str(64 * MIB)
    both = group_file(web, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
    assert both in (str(80 * MIB), str(16 * MIB))


def test_it_lasts_for_the_run_and_is_refused_where_it_is_to_be_kept(podman_lab: PodmanLab, limits: LimitsLab) -> None:
    podman_lab.run("limits-kept", "sleep 1000")
    web = limits.find("limits-kept")
    plan = limits.plan(web, LimitKey.MEMORY, 64 * MIB)
    assert plan.changes[0].lasts is Lasts.RUN
    kept = limits.plan(web, LimitKey.MEMORY, 64 * MIB, Way(is_kept=True))
    assert "forgets it when the container restarts" in kept.refusal
    limits.setter.apply(kept)
    assert limits.value(web, LimitKey.MEMORY) is None


@pytest.mark.parametrize(("key", "amount"), [(LimitKey.CPU, 0.75), (LimitKey.MEMORY, 96 * MIB), (LimitKey.CPUSET, "0")])
def test_the_command_that_is_shown_does_the_same(
    podman_lab: PodmanLab, limits: LimitsLab, key: LimitKey, amount: Amount
) -> None:
    podman_lab.run("limits-shown", "sleep 1000")
    web = limits.find("limits-shown")
    (command,) = limits.plan(web, key, amount).changes[0].commands
    words = command.replace("podman", find_program("podman"), 1)
    environment = {**os.environ, **podman_lab.environment}
    subprocess.run(["sh", "-c", words], check=True, capture_output=True, env=environment)
    assert limits.value(web, key) == amount
