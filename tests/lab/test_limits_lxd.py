"""Limits of real instances of LXD: in its configuration, in the control group, and back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.model.actions import Result
from collectors.model.limits import Amount, Lasts, LimitKey
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.limits import MIB, LimitsLab, group_file
from tests.helpers.lab.lxd import LxdLab, lxd_daemon
from tests.lab.test_limits_podman import FILES

pytestmark = pytest.mark.lab

OWN = f"vmtop-{os.getpid()}"


@pytest.fixture(scope="module")
def daemon(lab_root: Path) -> Iterator[LxdLab]:
    with skip_or_fail(), lxd_daemon(lab_root / "lxd") as lab:
        yield lab


@pytest.fixture
def lab(daemon: LxdLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[LxdLab]:
    monkeypatch.setenv("LXD_DIR", str(daemon.home))
    yield daemon
    daemon.remove()


@pytest.fixture
def limits() -> LimitsLab:
    return LimitsLab(SourceSpec("lxd"))


def test_each_limit_is_in_the_configuration_and_in_the_kernel_and_is_undone(lab: LxdLab, limits: LimitsLab) -> None:
    name = f"{OWN}-limits"
    lab.launch(name, "-c", "limits.memory=64MiB", project="shop")
    web = limits.find(name)
    assert limits.value(web, LimitKey.MEMORY) == 64 * MIB
    cases: list[tuple[LimitKey, Amount | None, str, str, set[str]]] = [
        (LimitKey.CPU, 0.5, "limits.cpu.allowance", "50ms/100ms", {"50000", "50000 100000"}),
        (LimitKey.CPUSET, "1", "limits.cpu", "1-1", {"1"}),
        (LimitKey.MEMORY, 128 * MIB, "limits.memory", f"{128 * MIB}B", {str(128 * MIB)}),
        (LimitKey.MEMORY, 32 * MIB, "limits.memory", f"{32 * MIB}B", {str(32 * MIB)}),
        (LimitKey.MEMORY, None, "limits.memory", "", {"max"}),
        (LimitKey.PIDS, 50, "limits.processes", "50", {"50"}),
    ]
    for key, amount, option, written, texts in cases:
        before = group_file(web, *FILES[key])
        applied = limits.set(web, key, amount)
        assert applied.outcomes[0].change.lasts is Lasts.ALWAYS
        assert lab.run("lxc", "config", "get", "--project", "shop", name, option).strip() == written
        assert group_file(web, *FILES[key]) in texts, key
        limits.undo(applied)
        assert group_file(web, *FILES[key]) == before, key
    assert lab.run("lxc", "config", "get", "--project", "shop", name, "limits.memory").strip() == "64MiB"


def test_the_command_that_is_shown_does_the_same(lab: LxdLab, limits: LimitsLab) -> None:
    name = f"{OWN}-shown"
    lab.launch(name)
    web = limits.find(name)
    for key, amount in ((LimitKey.CPU, 0.75), (LimitKey.MEMORY, 96 * MIB), (LimitKey.PIDS, 44), (LimitKey.CPUSET, "0")):
        (command,) = limits.plan(web, key, amount).changes[0].commands
        subprocess.run(
            ["sh", "-c", command], check=True, capture_output=True, env={**os.environ, "LXD_DIR": str(lab.home)}
        )
        assert limits.value(web, key) == amount


def test_what_lxd_refuses_is_said_and_what_it_does_otherwise_too(lab: LxdLab, limits: LimitsLab) -> None:
    name = f"{OWN}-refused"
    lab.launch(name)
    web = limits.find(name)
    applied = limits.setter.apply(limits.plan(web, LimitKey.CPUSET, "77"))
    assert applied.result in (Result.FAILED, Result.DONE), applied.outcomes
    assert "limits.cpu.priority" in limits.plan(web, LimitKey.CPU_WEIGHT, 200).refusal
    assert "config device set" in limits.plan(web, LimitKey.DISK_READ, MIB).refusal
