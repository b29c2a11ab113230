"""What is written into the files of an LXC container's control group, in versions 1 and 2."""

from __future__ import annotations

import pytest

from collectors.engines.cgroup_limits import Group, read_group
from collectors.engines.lxc import limits as lxc_limits
from collectors.model.limits import Amount, LimitKey

MIB = 1 << 20
GROUP = Group(50_000, 20_000, 100, b"0-1\n", 256 * MIB, 300 * MIB, -1)


@pytest.mark.parametrize(
    ("key", "amount", "v1", "v2"),
    [
        (LimitKey.CPU, 1.5, [("cpu.cfs_quota_us", "30000")], [("cpu.max", "30000 20000")]),
        (LimitKey.CPU, None, [("cpu.cfs_quota_us", "-1")], [("cpu.max", "max 20000")]),
        (LimitKey.CPU_WEIGHT, 200, [("cpu.shares", "2048")], [("cpu.weight", "200")]),
        (LimitKey.CPU_WEIGHT, None, [("cpu.shares", "1024")], [("cpu.weight", "100")]),
        (LimitKey.PIDS, None, [("pids.max", "max")], [("pids.max", "max")]),
        (
            LimitKey.MEMORY,
            300 * MIB,
            [("memory.memsw.limit_in_bytes", str(344 * MIB)), ("memory.limit_in_bytes", str(300 * MIB))],
            [("memory.max", str(300 * MIB))],
        ),
        (
            LimitKey.MEMORY,
            100 * MIB,
            [("memory.limit_in_bytes", str(100 * MIB)), ("memory.memsw.limit_in_bytes", str(144 * MIB))],
            [("memory.max", str(100 * MIB))],
        ),
        (
            LimitKey.MEMORY,
            None,
            [("memory.memsw.limit_in_bytes", "-1"), ("memory.limit_in_bytes", "-1")],
            [("memory.max", "max")],
        ),
    ],
)
def test_the_files_are_those_of_the_version(
    key: LimitKey,
    amount: Amount | None,
    v1: list[tuple[str, str]],
    v2: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for is_old, expected in ((True, v1), (False, v2)):
        monkeypatch.setattr(lxc_limits, "is_v1", lambda _, is_old=is_old: is_old)
        assert list(lxc_limits._writes(key, amount, GROUP)) == expected


def test_a_group_is_read_in_both_versions() -> None:
    old = {
        "cpu.cfs_quota_us": b"-1\n",
        "cpu.cfs_period_us": b"100000\n",
        "cpu.shares": b"2048\n",
        "cpuset.cpus": b"0-1\n",
        "memory.limit_in_bytes": b"9223372036854771712\n",
        "memory.memsw.limit_in_bytes": b"9223372036854771712\n",
        "pids.max": b"max\n",
    }
    new = {"cpu.max": b"max 100000\n", "cpu.weight": b"200\n", "memory.max": b"max\n", "pids.max": b"max\n"}
    new["cpuset.cpus"] = b"0-1\n"
    assert read_group(lambda _, v1, v2: old.get(v1)) == Group(-1, 100_000, 200, b"0-1\n", -1, -1, -1)
    assert read_group(lambda _, v1, v2: new.get(v2)) == Group(-1, 100_000, 200, b"0-1\n", -1, None, -1)
    assert read_group(lambda _, v1, v2: b"garbage" if v1 or v2 else None) == Group(cpus=b"garbage")
