"""Limits of real containers of LXC: in the control group, through lxc-cgroup, and back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.model.limits import Amount, Lasts, LimitKey, Way
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.limits import MIB, LimitsLab, group_file
from tests.helpers.lab.lxc import LIMIT, LxcLab, lxc_containers
from tests.lab.test_limits_podman import FILES

pytestmark = pytest.mark.lab

OWN = f"vmtop-{os.getpid()}"


@pytest.fixture
def lab(lab_root: Path, request: pytest.FixtureRequest) -> Iterator[LxcLab]:
    with skip_or_fail(), lxc_containers(lab_root / f"lxc-{abs(hash(request.node.name)) % 10**6}") as lxc:
        yield lxc


@pytest.fixture
def limits() -> LimitsLab:
    return LimitsLab(SourceSpec("lxc"))


def test_each_limit_is_in_the_kernel_and_is_undone(lab: LxcLab, limits: LimitsLab) -> None:
    name = f"{OWN}-limits"
    lab.start(name)
    web = limits.find(name)
    assert limits.value(web, LimitKey.MEMORY) == LIMIT
    cases: list[tuple[LimitKey, Amount | None, set[str]]] = [
        (LimitKey.CPU, 0.5, {"50000", "50000 100000"}),
        (LimitKey.CPU_WEIGHT, 200, {"2048", "200"}),
        (LimitKey.CPUSET, "1", {"1"}),
        (LimitKey.MEMORY, LIMIT * 2, {str(LIMIT * 2)}),
        (LimitKey.MEMORY, LIMIT // 2, {str(LIMIT // 2)}),
        (LimitKey.MEMORY, None, {"max"}),
        (LimitKey.PIDS, 50, {"50"}),
    ]
    for key, amount, texts in cases:
        before = group_file(web, *FILES[key])
        applied = limits.set(web, key, amount)
        assert group_file(web, *FILES[key]) in texts, key
        limits.undo(applied)
        assert group_file(web, *FILES[key]) == before, key


def test_the_commands_that_are_shown_do_the_same(lab: LxcLab, limits: LimitsLab) -> None:
    name = f"{OWN}-shown"
    lab.start(name)
    web = limits.find(name)
    for key, amount in ((LimitKey.CPU, 0.75), (LimitKey.MEMORY, 96 * MIB), (LimitKey.PIDS, 44)):
        for command in limits.plan(web, key, amount).changes[0].commands:
            subprocess.run(["sh", "-c", command], check=True, capture_output=True)
        assert limits.value(web, key) == amount


def test_it_ends_with_the_run_and_what_lxc_does_not_keep_is_refused(lab: LxcLab, limits: LimitsLab) -> None:
    name = f"{OWN}-run"
    lab.start(name)
    web = limits.find(name)
    plan = limits.plan(web, LimitKey.PIDS, 50, Way(is_kept=True))
    assert "LXC keeps only what is in the container's configuration" in plan.refusal
    assert limits.plan(web, LimitKey.PIDS, 50).changes[0].lasts is Lasts.RUN
    assert limits.plan(web, LimitKey.DISK_READ, MIB).refusal
