"""What Docker is sent for a limit: the swap and the period stay, and an undo puts back what was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.cgroup_limits import UNLIMITED_BYTES
from collectors.engines.docker.limits import DockerLimits, limits_in, new_setting, old_setting
from collectors.model.limits import Amount, LimitError, LimitKey, Setting, Way
from tests.helpers.fake_limits import WEB

MIB = 1 << 20
HOST_CPUS = 4


def setting(host: dict[str, Any], key: LimitKey, amount: Amount | None) -> Setting:
    return new_setting(limits_in(host, HOST_CPUS)[key], amount)


def command(found: Setting, key: LimitKey = LimitKey.CPU) -> str:
    (written,) = DockerLimits(None).commands(WEB, key, found, Way())  # type: ignore[arg-type]  # it is not asked
    return written


@pytest.mark.parametrize(
    ("host", "amount", "sent", "written"),
    [
        ({}, 1.5, {"CpuQuota": 150_000}, "docker update --cpu-quota=150000 web"),
        ({"CpuPeriod": 20_000}, 1.5, {"CpuQuota": 30_000}, "docker update --cpu-quota=30000 web"),
        ({"NanoCpus": 10**9}, 1.5, {"NanoCpus": 1_500_000_000}, "docker update --cpus=1.5 web"),
        ({"CpuQuota": 50_000}, None, {"CpuQuota": -1}, "docker update --cpu-quota=-1 web"),
        ({"NanoCpus": 10**9}, None, {"NanoCpus": HOST_CPUS * 10**9}, "docker update --cpus=4 web"),
    ],
)
def test_cpu_is_sent_in_the_form_that_is_there(
    host: dict[str, Any], amount: float | None, sent: dict[str, int], written: str
) -> None:
    found = setting(host, LimitKey.CPU, amount)
    assert dict(found.values) == sent
    assert command(found) == written


@pytest.mark.parametrize(
    ("memory", "both", "new", "sent"),
    [
        (256 * MIB, 512 * MIB, 300 * MIB, {"Memory": 300 * MIB, "MemorySwap": 556 * MIB}),
        (256 * MIB, 256 * MIB, 300 * MIB, {"Memory": 300 * MIB, "MemorySwap": 300 * MIB}),
        (256 * MIB, -1, 300 * MIB, {"Memory": 300 * MIB, "MemorySwap": -1}),
        (0, 0, 300 * MIB, {"Memory": 300 * MIB, "MemorySwap": -1}),
        (256 * MIB, 512 * MIB, None, {"Memory": 1 << 62, "MemorySwap": UNLIMITED_BYTES}),
    ],
)
def test_a_limit_of_memory_keeps_the_swap_that_the_container_may_have(
    memory: int, both: int, new: int | None, sent: dict[str, int]
) -> None:
    assert dict(setting({"Memory": memory, "MemorySwap": both}, LimitKey.MEMORY, new).values) == sent


def test_memory_that_was_taken_away_comes_back_with_its_swap() -> None:
    limit = limits_in({"Memory": 256 * MIB, "MemorySwap": 300 * MIB}, HOST_CPUS)[LimitKey.MEMORY]
    assert dict(old_setting(limit).values) == {"Memory": 256 * MIB, "MemorySwap": 300 * MIB}
    without = limits_in({"Memory": 0, "MemorySwap": 0}, HOST_CPUS)[LimitKey.MEMORY]
    assert dict(old_setting(without).values) == {"Memory": 1 << 62, "MemorySwap": UNLIMITED_BYTES}


def test_the_command_has_the_values_that_are_sent() -> None:
    found = setting({"Memory": 256 * MIB, "MemorySwap": 512 * MIB}, LimitKey.MEMORY, 300 * MIB)
    assert command(found) == f"docker update --memory={300 * MIB} --memory-swap={556 * MIB} web"


def test_a_quota_that_the_kernel_would_refuse_is_refused_before() -> None:
    with pytest.raises(LimitError, match="too little for its period"):
        setting({"CpuPeriod": 20_000}, LimitKey.CPU, 0.01)


@pytest.mark.parametrize("value", ["512m", True, [], {}, 1.5])
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Memory", LimitKey.MEMORY),
        ("MemorySwap", LimitKey.MEMORY),
        ("NanoCpus", LimitKey.CPU),
        ("PidsLimit", LimitKey.PIDS),
        ("CpuShares", LimitKey.CPU_WEIGHT),
    ],
)
def test_what_is_no_number_is_not_measured(name: str, key: LimitKey, value: object) -> None:
    limit = limits_in({name: value}, HOST_CPUS)[key]
    assert (limit.value, limit.is_measured) == (None, False)


def test_all_cpus_of_the_host_are_no_limit() -> None:
    for everything in ("0-3", "0,1,2,3", ""):
        assert limits_in({"CpusetCpus": everything}, HOST_CPUS)[LimitKey.CPUSET].value is None
    assert limits_in({"CpusetCpus": "3,0"}, HOST_CPUS)[LimitKey.CPUSET].value == "0,3"
    assert dict(setting({}, LimitKey.CPUSET, None).values) == {"CpusetCpus": "0-3"}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.one_of(st.integers(-1, 1 << 40), st.none())
            for name in ("NanoCpus", "CpuQuota", "CpuPeriod", "CpuShares", "Memory", "MemorySwap", "PidsLimit")
        },
    ),
    st.sampled_from([LimitKey.CPU, LimitKey.CPU_WEIGHT, LimitKey.MEMORY, LimitKey.PIDS]),
)
def test_what_puts_a_limit_back_amounts_to_what_it_was(host: dict[str, Any], key: LimitKey) -> None:
    limit = limits_in(host, HOST_CPUS)[key]
    try:
        back = old_setting(limit)
    except LimitError:
        return
    assert back.amount == limit.value
    after = limits_in({**host, **back.values}, HOST_CPUS)[key]
    assert after.value == limit.value
