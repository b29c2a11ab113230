"""Limits as properties of systemd's units."""

from __future__ import annotations

import pytest

from collectors.engines.systemd import limits as systemd_limits
from collectors.engines.systemd.limits import SystemdLimits, limits_in, new_setting
from collectors.model.limits import Amount, LimitError, LimitKey, Way
from collectors.model.workloads import Kind, State, Workload, WorkloadId

MIB = 1 << 20
ENDLESS = (1 << 64) - 1
CALM = Workload(WorkloadId("systemd", "/system.slice/calm.service"), Kind.SERVICE, "calm.service", State.RUNNING)


@pytest.fixture(autouse=True)
def _four_cpus_and_cgroup_v2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd_limits, "host_cpus", lambda: frozenset(range(4)))
    monkeypatch.setattr(systemd_limits, "is_v1", lambda _: False)


@pytest.mark.parametrize(
    ("key", "raw", "value", "is_measured"),
    [
        (LimitKey.CPU, 1_500_000, 1.5, True),
        (LimitKey.CPU, ENDLESS, None, True),
        (LimitKey.CPU, "many", None, False),
        (LimitKey.CPU, None, None, False),
        (LimitKey.CPU_WEIGHT, 100, None, True),
        (LimitKey.CPU_WEIGHT, 200, 200, True),
        (LimitKey.CPUSET, b"\x05", "0,2", True),
        (LimitKey.CPUSET, b"", None, True),
        (LimitKey.CPUSET, b"\x0f", None, True),
        (LimitKey.CPUSET, 5, None, False),
        (LimitKey.MEMORY, 64 * MIB, 64 * MIB, True),
        (LimitKey.PIDS, True, None, False),
        (LimitKey.DISK_READ, [("/dev/sda", 1000), ("/dev/sdb", 2000)], 1000, True),
        (LimitKey.DISK_READ, [], None, True),
        (LimitKey.DISK_READ, ["what?"], None, True),
    ],
)
def test_a_property_is_an_amount_or_not_measured(
    key: LimitKey, raw: object, value: Amount | None, is_measured: bool
) -> None:
    name = systemd_limits._PROPERTIES[key][0]
    limit = limits_in({name: raw}, ())[key]
    assert (limit.value, limit.is_measured) == (value, is_measured)


@pytest.mark.parametrize(
    ("key", "amount", "written"),
    [
        (LimitKey.CPU, 1.5, "CPUQuota=150%"),
        (LimitKey.CPU, None, "CPUQuota="),
        (LimitKey.CPU_WEIGHT, None, "CPUWeight="),
        (LimitKey.MEMORY, 64 * MIB, f"MemoryMax={64 * MIB}"),
        (LimitKey.MEMORY, None, "MemoryMax=infinity"),
        (LimitKey.PIDS, None, "TasksMax=infinity"),
        (LimitKey.CPUSET, "0,2-3", "AllowedCPUs=0,2-3"),
        (LimitKey.DISK_WRITE, 1000, "IOWriteBandwidthMax= 'IOWriteBandwidthMax=/dev/sda 1000'"),
    ],
)
def test_the_command_sets_the_same_property(key: LimitKey, amount: Amount | None, written: str) -> None:
    setting = new_setting(key, amount, ["/dev/sda"])
    systemd = SystemdLimits()
    assert systemd.commands(CALM, key, setting, Way()) == (f"systemctl set-property --runtime calm.service {written}",)
    assert systemd.commands(CALM, key, setting, Way(True)) == (f"systemctl set-property calm.service {written}",)


def test_a_host_without_disks_has_none_to_limit() -> None:
    with pytest.raises(LimitError, match="no disk"):
        new_setting(LimitKey.DISK_READ, 1000, ())


def test_version_1_pins_no_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd_limits, "is_v1", lambda _: True)
    assert "unified hierarchy" in limits_in({}, ())[LimitKey.CPUSET].objection
