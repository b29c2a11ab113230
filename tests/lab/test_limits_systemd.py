"""Limits of services and nspawn machines through a real systemd, which runs in a user-mode kernel with cgroup v2."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.model.actions import Result
from collectors.model.limits import Amount, Lasts, LimitKey, Way
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.limits import MIB, LimitsLab
from tests.helpers.lab.nspawn import NspawnLab, nspawn_machines
from tests.helpers.lab.process import find_program, wait_until
from tests.helpers.lab.systemd_units import units
from tests.helpers.lab.uml import UmlLab
from tests.helpers.lab.uml_systemd import run_under_systemd
from tests.lab.test_nspawn_systemd import IMAGES, UNITS, image, row_of, state_of

__all__ = ["image"]
GROUPS = Path("/sys/fs/cgroup")


@pytest.mark.lab
def test_limits_are_set_through_a_real_systemd(uml_lab: UmlLab) -> None:
    find_program("systemd-nspawn")
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
    environment = {"TMPDIR": "/run/lab/tmp", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "VMTOP_INSIDE_UML": "1"}
    finished = run_under_systemd(uml_lab.folder / "limits", argv, units() | UNITS, environment, 500)
    assert finished.returncode == 0, finished.stdout
    assert "skipped" not in finished.stdout, finished.stdout


@pytest.mark.lab
def test_a_machine_that_was_started_by_hand_has_no_unit_that_could_be_limited(lab_root: Path) -> None:
    parent, name = "vmtop-limits-nspawn.service", "vmtop-limits-hand"
    limits = LimitsLab(SourceSpec("nspawn"))
    with skip_or_fail(), nspawn_machines(lab_root / "nspawn-limits", parent) as lab:
        start_by_hand(lab, name, parent, limits)
        plan = limits.plan(limits.find(name), LimitKey.MEMORY, 64 * MIB)
        assert "started by hand, without a unit of its own" in plan.refusal
        assert "machinectl start" in plan.remedy


def start_by_hand(lab: NspawnLab, name: str, parent: str, limits: LimitsLab) -> None:
    lab.make_image(name)
    lab.start(name, parent)

    def is_there() -> bool:
        try:
            return bool(limits.find(name).cgroup)
        except ValueError:
            return False

    wait_until(is_there, 20, "the row of the machine")


def show(unit: str, name: str) -> str:
    words = ["systemctl", "show", "--value", f"--property={name}", unit]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def text(workload: Workload, name: str) -> str:
    """Return the text of a file of a workload's group; systemd switches off a controller that no unit needs."""
    assert workload.cgroup is not None
    path = GROUPS / workload.cgroup.lstrip("/") / name
    return path.read_text().strip() if path.exists() else "max"


@pytest.fixture(scope="module")
def own_etc() -> None:
    """Hide the machine's /etc/systemd: the root of this kernel is the machine's, and what is kept is written there."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/etc/systemd"], check=True)


@pytest.fixture
def calm(own_etc: None) -> Iterator[Workload]:
    subprocess.run(["systemctl", "start", "calm.service"], check=True)
    yield LimitsLab(SourceSpec("systemd")).find("calm.service")
    subprocess.run(["systemctl", "stop", "calm.service"], check=True)


CASES: list[tuple[LimitKey, Amount, str, str, str, str]] = [
    (LimitKey.CPU, 0.5, "cpu.max", "50000 100000", "CPUQuotaPerSecUSec", "500ms"),
    (LimitKey.CPU_WEIGHT, 200, "cpu.weight", "200", "CPUWeight", "200"),
    (LimitKey.MEMORY, 64 * MIB, "memory.max", str(64 * MIB), "MemoryMax", str(64 * MIB)),
    (LimitKey.PIDS, 50, "pids.max", "50", "TasksMax", "50"),
]


@pytest.mark.uml
@pytest.mark.parametrize(("key", "amount", "file", "written", "name", "told"), CASES)
@pytest.mark.parametrize("is_kept", [False, True])
def test_a_limit_is_in_the_kernel_and_in_the_unit_and_is_undone(
    calm: Workload, key: LimitKey, amount: Amount, file: str, written: str, name: str, told: str, is_kept: bool
) -> None:
    limits = LimitsLab(SourceSpec("systemd"))
    old = limits.value(calm, key)
    applied = limits.set(calm, key, amount, Way(is_kept=is_kept))
    assert text(calm, file) == written
    assert show("calm.service", name) == told
    folder = "/etc" if is_kept else "/run"
    assert list(Path(f"{folder}/systemd/system.control/calm.service.d").glob("*.conf"))
    assert applied.outcomes[0].change.lasts is (Lasts.ALWAYS if is_kept else Lasts.BOOT)
    subprocess.run(["systemctl", "restart", "calm.service"], check=True)
    assert text(calm, file) == written, "it survives a restart of the service"
    limits.undo(applied)
    assert limits.value(calm, key) == old
    assert text(calm, file) != written


@pytest.mark.uml
@pytest.mark.parametrize(
    ("key", "amount"), [(LimitKey.CPU, 0.75), (LimitKey.MEMORY, 96 * MIB), (LimitKey.PIDS, None), (LimitKey.CPU, None)]
)
def test_the_command_that_is_shown_does_the_same(calm: Workload, key: LimitKey, amount: Amount | None) -> None:
    limits = LimitsLab(SourceSpec("systemd"))
    (command,) = limits.plan(calm, key, amount).changes[0].commands
    subprocess.run(["sh", "-c", command], check=True)
    assert limits.value(calm, key) == amount


@pytest.mark.uml
def test_disks_are_throttled_where_there_is_one_and_refused_where_the_kernel_cannot(calm: Workload) -> None:
    limits = LimitsLab(SourceSpec("systemd"))
    plan = limits.setter.plan(calm, {LimitKey.DISK_READ: MIB})
    if plan.refusal:
        assert "no disk" in plan.refusal
        return
    applied = limits.setter.apply(plan)
    assert applied.result is Result.DONE, applied.outcomes
    assert f" {MIB}" in show("calm.service", "IOReadBandwidthMax")
    limits.undo(applied)
    assert show("calm.service", "IOReadBandwidthMax") == ""


@pytest.mark.uml
def test_a_service_that_was_started_again_since_is_left_alone(calm: Workload) -> None:
    limits = LimitsLab(SourceSpec("systemd"))
    plan = limits.plan(calm, LimitKey.PIDS, 50)
    subprocess.run(["systemctl", "restart", "calm.service"], check=True)
    assert limits.setter.apply(plan).result is Result.CHANGED


@pytest.mark.uml
def test_a_machine_has_the_limits_of_its_unit(image: str) -> None:
    subprocess.run(["systemctl", "start", f"systemd-nspawn@{image}.service"], check=True)
    limits, machine = LimitsLab(SourceSpec("nspawn")), row_of(image)
    applied = limits.set(machine, LimitKey.MEMORY, 64 * MIB)
    assert text(machine, "memory.max") == str(64 * MIB)
    (command,) = applied.outcomes[0].change.commands
    assert command == f"systemctl set-property --runtime systemd-nspawn@{image}.service MemoryMax={64 * MIB}"
    limits.undo(applied)
    assert text(machine, "memory.max") == "max"
    subprocess.run(["systemctl", "stop", f"systemd-nspawn@{image}.service"], check=True)


@pytest.mark.uml
def test_a_machine_of_machined_has_the_limits_of_its_scope_and_keeps_none(image: str) -> None:
    words = [find_program("systemd-nspawn"), "-q", "-M", image, "-D", str(IMAGES / image), "/sbin/init"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as nspawn:
        try:
            limits, machine = LimitsLab(SourceSpec("nspawn")), row_of(image)
            assert "its scope is made anew" in limits.plan(machine, LimitKey.PIDS, 50, Way(is_kept=True)).refusal
            applied = limits.set(machine, LimitKey.PIDS, 50)
            assert text(machine, "pids.max") == "50"
            assert applied.outcomes[0].change.lasts is Lasts.RUN
            limits.undo(applied)
            assert text(machine, "pids.max") != "50"
        finally:
            subprocess.run(["machinectl", "terminate", image], check=False)
            wait_until(lambda: state_of(image) == "", 20, "the end of the machine")
            nspawn.kill()
