"""Limits as keys of the configuration of LXD's instances."""

from __future__ import annotations

import pytest

from collectors.engines.lxd import limits as lxd_limits
from collectors.engines.lxd.limits import LxdLimits, limits_in, new_setting
from collectors.model.limits import Amount, LimitError, LimitKey, Way
from collectors.model.workloads import Kind, State, Workload, WorkloadId

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _four_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lxd_limits, "host_cpus", lambda: frozenset(range(4)))


@pytest.mark.parametrize(
    ("key", "name", "written", "value", "is_measured"),
    [
        (LimitKey.CPU, "limits.cpu.allowance", "50ms/100ms", 0.5, True),
        (LimitKey.CPU, "limits.cpu.allowance", "50%", None, False),
        (LimitKey.CPU, "limits.cpu.allowance", "1ms/0ms", None, False),
        (LimitKey.CPU, "limits.cpu.allowance", "", None, True),
        (LimitKey.CPUSET, "limits.cpu", "0-1", "0-1", True),
        (LimitKey.CPUSET, "limits.cpu", "2", None, False),
        (LimitKey.CPUSET, "limits.cpu", "0-3", None, True),
        (LimitKey.MEMORY, "limits.memory", "64MiB", 64 * MIB, True),
        (LimitKey.MEMORY, "limits.memory", "50%", None, False),
        (LimitKey.PIDS, "limits.processes", "many", None, False),
        (LimitKey.PIDS, "limits.processes", "9", 9, True),
    ],
)
def test_a_key_is_an_amount_or_not_measured(
    key: LimitKey, name: str, written: str, value: Amount | None, is_measured: bool
) -> None:
    limit = limits_in({}, {name: written}, Kind.CONTAINER)[key]
    assert (limit.value, limit.is_measured) == (value, is_measured)


def test_an_undo_gives_the_value_of_the_profiles_back() -> None:
    web = Workload(WorkloadId("lxd", "shop/web"), Kind.CONTAINER, "web", State.RUNNING)
    limit = limits_in({}, {"limits.memory": "64MiB"}, Kind.CONTAINER)[LimitKey.MEMORY]
    lxd = LxdLimits(None)  # type: ignore[arg-type]  # it is not asked
    back = lxd.back(web, limit)
    assert (dict(back.values), back.amount) == ({"limits.memory": ""}, 64 * MIB)
    assert lxd.commands(web, LimitKey.MEMORY, new_setting(LimitKey.MEMORY, 32 * MIB), Way()) == (
        f"lxc config set --project shop web limits.memory={32 * MIB}B",
    )


def test_a_single_cpu_is_written_as_a_range_for_alone_it_is_a_number() -> None:
    assert dict(new_setting(LimitKey.CPUSET, "1").values) == {"limits.cpu": "1-1"}
    assert new_setting(LimitKey.CPUSET, "1").amount == "1"


def test_a_machine_keeps_a_number_of_virtual_cpus() -> None:
    limits = limits_in({}, {"limits.cpu": "2"}, Kind.VM)
    assert limits[LimitKey.VCPUS].value == 2
    assert "vcpus= or memory=" in limits[LimitKey.CPU].objection
    with pytest.raises(LimitError, match="name one"):
        new_setting(LimitKey.VCPUS, None)
