"""Amounts of limits and the values of cgroups that mean the same, for engines that set cgroups. Pure.

A weight of 100 is what a group has that nobody set: `cpu.weight` 100, or 1024 shares of version 1.

Source: kernel Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/{memory,cpusets}.rst, scheduler/sched-bwc.rst.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from collectors.kernel.cgroup import parsers
from collectors.model.limits import Amount, Limit, LimitError, LimitKey, cpus_text

DEFAULT_PERIOD_US = 100_000
LEAST_QUOTA_US = 1000
"""The kernel takes no shorter one (min_cfs_quota_period)."""
DEFAULT_SHARES = 1024
_SHARES_OF_1 = DEFAULT_SHARES / 100
UNLIMITED_BYTES = (1 << 63) - (1 << 12)
"""What `memory.limit_in_bytes` of version 1 holds without a limit, with pages of 4 KiB."""
_ENDLESS = 1 << 62

ReadFile = Callable[[str, str, str], bytes | None]
"""Returns the text of a controller's file by its controller and its names in versions 1 and 2; `None` without it."""


def quota_us(cores: float, period_us: int) -> int:
    """Return the CPU time in a period that amounts to so many cores, in microseconds.

    Raises:
        LimitError: The kernel takes no quota that is so short.
    """
    quota = round(cores * period_us)
    if quota < LEAST_QUOTA_US:
        least = LEAST_QUOTA_US / period_us
        raise LimitError(f"cpu={cores:g} is too little for its period of {period_us} µs: the least is {least:g}")
    return quota


def cores(quota: int | None, period_us: int | None) -> float | None:
    """Return the cores of a quota; `None` without one (0 or below)."""
    return None if not quota or quota < 0 else quota / (period_us or DEFAULT_PERIOD_US)


def shares(weight: float) -> int:
    """Return the shares of version 1 for a weight."""
    return max(2, round(weight * _SHARES_OF_1))


def weight(shares_: int | None) -> int | None:
    """Return the weight for shares; `None` for those that nobody set (0 or 1024)."""
    if not shares_ or shares_ == DEFAULT_SHARES:
        return None
    return max(1, min(10_000, round(shares_ / _SHARES_OF_1)))


def bytes_limit(value: int | None) -> int | None:
    """Return a limit of memory; `None` without one: 0, -1, or more than any host has."""
    return None if value is None or value <= 0 or value >= _ENDLESS else value


def cpus(written: bytes | str, of_host: frozenset[int]) -> str | None:
    """Return a list of CPUs in its canonical form; `None` if it is empty or has all of the host's."""
    listed = parsers.cpu_list(written.encode(errors="replace") if isinstance(written, str) else written)
    return None if listed is None or listed >= of_host else cpus_text(listed)


class Group(NamedTuple):
    """The values of a cgroup that limit it; `None` is not measured."""

    quota_us: int | None = None
    """-1 without a quota."""
    period_us: int | None = None
    weight: int | None = None
    """As in `LimitKey.CPU_WEIGHT`, 100 if nobody set it."""
    cpus: bytes | None = None
    memory_bytes: int | None = None
    """-1 without a limit."""
    memory_and_swap_bytes: int | None = None
    """Of version 1; -1 without a limit, `None` where swap is not counted with memory."""
    pids: int | None = None
    """-1 without a limit."""


def read_group(read: ReadFile) -> Group:
    """Return what limits a group. What cannot be read is `None`."""
    quota, period = _cpu_max(read)
    old_shares = read("cpu", "cpu.shares", "")
    new_weight = read("cpu", "", "cpu.weight") if old_shares is None else None
    counted = parsers.number(old_shares or b"")
    own_weight = parsers.number(new_weight or b"") if counted is None else weight(counted) or 100
    swap = read("memory", "memory.memsw.limit_in_bytes", "")
    return Group(
        quota,
        period,
        own_weight,
        read("cpuset", "cpuset.cpus", "cpuset.cpus"),
        _or_endless(read("memory", "memory.limit_in_bytes", "memory.max")),
        _or_endless(swap),
        _or_endless(read("pids", "pids.max", "pids.max")),
    )


def _cpu_max(read: ReadFile) -> tuple[int | None, int | None]:
    """Return quota and period in microseconds; a quota of -1 is none."""
    old = read("cpu", "cpu.cfs_quota_us", "")
    if old is not None:
        period = parsers.number(read("cpu", "cpu.cfs_period_us", "") or b"")
        return (-1 if old.strip() == b"-1" else parsers.number(old)), period
    words = (read("cpu", "", "cpu.max") or b"").split()
    if not words:
        return None, None
    period = parsers.number(words[1]) if words[1:] else DEFAULT_PERIOD_US
    return (-1 if words[0] == b"max" else parsers.number(words[0])), period


def _or_endless(text: bytes | None) -> int | None:
    """Return a number; -1 for `max` and for what is more than any host has, `None` for anything else."""
    if text is None:
        return None
    number = -1 if text.strip() in (b"max", b"-1") else parsers.number(text)
    return -1 if number is not None and number >= _ENDLESS else number


def group_limits(group: Group, of_host: frozenset[int]) -> dict[LimitKey, Limit]:
    """Return a group's values as limits, without `settings`; those that could not be read are not measured."""
    ordinary = None if group.weight == 100 else group.weight
    rows: tuple[tuple[LimitKey, object, Amount | None], ...] = (
        (LimitKey.CPU, group.quota_us, cores(group.quota_us, group.period_us)),
        (LimitKey.CPU_WEIGHT, group.weight, ordinary),
        (LimitKey.CPUSET, group.cpus, cpus(group.cpus or b"", of_host)),
        (LimitKey.MEMORY, group.memory_bytes, bytes_limit(group.memory_bytes)),
        (LimitKey.PIDS, group.pids, None if group.pids == -1 else group.pids),
    )
    return {key: Limit(key, value, raw is not None, objection_to(raw is not None)) for key, raw, value in rows}


def objection_to(is_measured: bool) -> str:
    """Return why a limit is left alone whose value is not known: nobody could put it back. Empty if it is known."""
    return "" if is_measured else "what it is now cannot be read, so that nobody could put it back"


def unsettable(found: dict[LimitKey, Limit], keys: tuple[LimitKey, ...], why: str) -> None:
    """Add limits that an engine cannot set, with the reason; what they are is not measured."""
    found.update({key: Limit(key, is_measured=False, objection=why) for key in keys})


DISKS = (LimitKey.DISK_READ, LimitKey.DISK_WRITE, LimitKey.DISK_READ_IOPS, LimitKey.DISK_WRITE_IOPS)
NETWORKS = (LimitKey.NET_IN, LimitKey.NET_OUT)
