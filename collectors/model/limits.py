"""Limits of workloads: which kinds there are, how their amounts are written and read, and what an engine has to offer.

The table `LIMITS` is the only list of them. An amount is a number in the unit of its row, or for `cpuset` the canonical
list of CPUs such as `0-2,5`; `None` is "no limit". What an engine did not report is neither: `Limit.is_measured`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from collectors.model.workloads import Kind, Workload
from collectors.safety.sanitize import sanitize

Amount = float | str
"""A number in the unit of the limit, or for `cpuset` a list of CPUs."""
NONE = "none"
"""How "no limit" is written."""
_NUMBER = re.compile(r"(\d{1,20}(?:\.\d{1,9})?)", re.ASCII)
_SIZE = re.compile(r"(\d{1,20}(?:\.\d{1,9})?)\s*([kmgtp]?)i?b?", re.ASCII)
_CPUS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)
_POWERS = {letter: 1 << (10 * power) for power, letter in enumerate(("", "k", "m", "g", "t", "p"))}
_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_MOST_CPUS = 1 << 13
"""CONFIG_NR_CPUS of the largest kernels."""
_MOST_AMOUNT = float(1 << 63)
"""Of what is told: the kernel counts in 64 bits."""
_DECIMALS = 5
"""Of cores: a quota is in microseconds, and its period is 100,000 of them by default."""


class LimitKey(StrEnum):
    """A kind of limit, as it is typed."""

    CPU = "cpu"
    CPU_WEIGHT = "cpu_weight"
    CPUSET = "cpuset"
    VCPUS = "vcpus"
    MEMORY = "memory"
    PIDS = "pids"
    DISK_READ = "disk_read"
    DISK_WRITE = "disk_write"
    DISK_READ_IOPS = "disk_read_iops"
    DISK_WRITE_IOPS = "disk_write_iops"
    NET_IN = "net_in"
    NET_OUT = "net_out"


class Quantity(StrEnum):
    """What an amount is a number of."""

    CORES = "cores"
    WEIGHT = "weight"
    CPUS = "CPUs"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes/s"
    PER_SECOND = "operations/s"
    COUNT = "number"


class LimitError(Exception):
    """A limit is not possible. The message is a sentence without a period: what is wrong, and what to do."""


class LimitSpec(NamedTuple):
    """A row of the table of limits."""

    key: LimitKey
    quantity: Quantity
    label: str
    bounds: str
    """What it bounds, in a few words."""
    kinds: frozenset[Kind]
    """The workloads that can have it."""
    least: float = 1
    most: float = 1 << 50


_ALL = frozenset({Kind.VM, Kind.CONTAINER, Kind.SERVICE})
_GROUPS = frozenset({Kind.CONTAINER, Kind.SERVICE})
_MACHINES = frozenset({Kind.VM})
_FLOW, _RATE = Quantity.BYTES_PER_SECOND, Quantity.PER_SECOND
LIMITS: Mapping[LimitKey, LimitSpec] = {
    spec.key: spec
    for spec in (
        LimitSpec(
            LimitKey.CPU, Quantity.CORES, "CPU", "CPU time, as so many cores used all the time", _ALL, 0.01, 8192
        ),
        LimitSpec(
            LimitKey.CPU_WEIGHT,
            Quantity.WEIGHT,
            "CPU weight",
            "its share of CPU time when others want it too; 100 is what one has that nobody set",
            _ALL,
            1,
            10_000,
        ),
        LimitSpec(LimitKey.CPUSET, Quantity.CPUS, "CPUs", "the CPUs of the host on which it may run", _ALL),
        LimitSpec(LimitKey.VCPUS, Quantity.COUNT, "virtual CPUs", "the CPUs that its guest sees", _MACHINES, 1, 4096),
        LimitSpec(
            LimitKey.MEMORY,
            Quantity.BYTES,
            "memory",
            "memory; of a virtual machine, what its balloon leaves the guest",
            _ALL,
            1 << 20,
        ),
        LimitSpec(LimitKey.PIDS, Quantity.COUNT, "tasks", "processes and threads", _GROUPS, 1, 1 << 22),
        LimitSpec(LimitKey.DISK_READ, _FLOW, "disk read", "bytes read per second, of each disk", _ALL, 1024),
        LimitSpec(LimitKey.DISK_WRITE, _FLOW, "disk write", "bytes written per second, of each disk", _ALL, 1024),
        LimitSpec(LimitKey.DISK_READ_IOPS, _RATE, "disk reads", "reads per second, of each disk", _ALL, 1, 10**9),
        LimitSpec(LimitKey.DISK_WRITE_IOPS, _RATE, "disk writes", "writes per second, of each disk", _ALL, 1, 10**9),
        LimitSpec(LimitKey.NET_IN, _FLOW, "network in", "bytes received per second, of each interface", _ALL, 1000),
        LimitSpec(LimitKey.NET_OUT, _FLOW, "network out", "bytes sent per second, of each interface", _ALL, 1000),
    )
}
"""By key, in the order in which they are shown."""


class Lasts(StrEnum):
    """How long a limit lasts."""

    RUN = "until it ends"
    BOOT = "until the host restarts"
    ALWAYS = "until it is changed"


class Limit(NamedTuple):
    """A limit of a workload as its engine has it now."""

    key: LimitKey
    value: Amount | None = None
    """`None` is no limit if `is_measured`, otherwise unknown."""
    is_measured: bool = True
    """Whether the engine reported it, as something that can be read."""
    objection: str = ""
    """Why it cannot be changed while the workload runs, as a clause with what to do; empty if it can."""
    most: float | None = None
    """The highest amount that this workload can have; `None` if only the engine knows."""
    settings: Mapping[str, Any] = {}
    """The engine's own values, with which it is put back as it was."""


class Setting(NamedTuple):
    """What is sent to an engine for one limit, and what it amounts to."""

    values: Mapping[str, Any]
    """The engine's own values."""
    amount: Amount | None
    """What is read back when it has taken effect."""
    warnings: tuple[str, ...] = ()
    """What the engine makes of it, as sentences, where that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a limit is set: whether it is kept, and how a command typed by hand reaches the workload."""

    is_kept: bool = False
    """Whether it is also written where the next start reads it (`--persist`)."""
    by_id: bool = False
    """As of `Request.by_id`."""
    address: str = ""
    """As of `Request.address`."""


LIVE_ONLY = Way()


class EngineLimits(Protocol):
    """Reads and sets the limits of the workloads of one engine. All calls but `setting` and `commands` block.

    `read` and `send` raise `SourceError` in its kinds, as `EngineActions` does: `SourceDown` of `send` means that it is
    not known whether the engine did it.
    """

    settles_s: float
    """Seconds in which a value shows after the engine has accepted it."""

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Return the limits that a workload of its kind can have; those that this engine cannot set say why."""

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return what would be sent for a new amount.

        Raises:
            LimitError: The engine cannot have that amount.
        """

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return what would be sent to have a limit as it was read."""

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Have the engine set it, and return when it has accepted it."""

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return the commands of the engine's own tool that do the same, quoted for a shell."""

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """Return how long what is sent lasts."""

    def cannot_keep(self, workload: Workload) -> str:
        """Return why a limit cannot be kept for the next start, as a clause with what to do; empty if it can."""


def limits_for(kind: Kind) -> Iterable[LimitSpec]:
    """Return the rows of the limits that workloads of a kind can have."""
    return (spec for spec in LIMITS.values() if kind in spec.kinds)


def parse_amount(key: LimitKey, written: str) -> Amount | None:
    """Read a typed amount: `1.5`, `512M` (of 1024 each), `0-3,5`; `none` is `None`.

    Raises:
        LimitError: It is none, or out of the range of the limit.
    """
    spec, text, shown = LIMITS[key], written.strip().lower(), f"{key}={sanitize(written.strip(), 60)}"
    if not text:
        raise LimitError(f"{key}= has no amount: {key}={NONE} takes the limit away")
    if text == NONE:
        return None
    if spec.quantity is Quantity.CPUS:
        return cpus_text(_parse_cpus(shown, text))
    if text.startswith("-"):
        raise LimitError(f"{shown}: an amount cannot be below 0; {key}={NONE} takes the limit away")
    return _checked(spec, shown, _parse_number(spec, shown, text))


def _parse_number(spec: LimitSpec, shown: str, text: str) -> Decimal:
    is_size = spec.quantity in (Quantity.BYTES, Quantity.BYTES_PER_SECOND)
    text = text.removesuffix("/s") if spec.quantity in (Quantity.BYTES_PER_SECOND, Quantity.PER_SECOND) else text
    match = (_SIZE if is_size else _NUMBER).fullmatch(text)
    if match is None:
        example = {Quantity.CORES: "1.5", Quantity.BYTES: "512M", Quantity.BYTES_PER_SECOND: "10M"}
        wanted = example.get(spec.quantity, "100")
        raise LimitError(f"{shown}: write a number of {spec.quantity}, such as {spec.key}={wanted}, or {NONE}")
    return Decimal(match[1]) * (_POWERS[match[2].lower()] if is_size else 1)


def _checked(spec: LimitSpec, shown: str, number: Decimal) -> float:
    """Return a number in the range of a limit: cores in hundred-thousandths, all others whole."""
    if spec.quantity is Quantity.CORES:
        amount: float = round(float(number), _DECIMALS)
    elif number != number.to_integral_value() and spec.quantity not in (Quantity.BYTES, Quantity.BYTES_PER_SECOND):
        raise LimitError(f"{shown}: write a whole number")
    else:
        amount = int(number)
    if amount < spec.least:
        unit = "; was the unit forgotten, as in 512M?" if spec.quantity is Quantity.BYTES else ""
        raise LimitError(f"{shown}: the least is {write_amount(spec.key, spec.least)}{unit}")
    if amount > spec.most:
        raise LimitError(f"{shown}: the most is {write_amount(spec.key, spec.most)}; {spec.key}={NONE} is no limit")
    return amount


def _parse_cpus(shown: str, text: str) -> frozenset[int]:
    cpus: set[int] = set()
    for piece in text.split(","):
        match = _CPUS.fullmatch(piece.strip())
        if match is None:
            raise LimitError(f"{shown}: write CPUs and ranges of them, such as cpuset=0-3,5, or {NONE}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise LimitError(f"{shown}: the range {piece.strip()} runs backwards; write {last}-{first}")
        if last >= _MOST_CPUS:
            raise LimitError(f"{shown}: no host has a CPU {last}; the first is 0")
        cpus.update(range(first, last + 1))
    return frozenset(cpus)


def is_amount(key: LimitKey, amount: Amount | None) -> bool:
    """Return whether an amount that another host tells can be one of a limit: of its type, and a number of its size."""
    if amount is None:
        return True
    if isinstance(amount, str) or LIMITS[key].quantity is Quantity.CPUS:
        try:
            return isinstance(amount, str) and LIMITS[key].quantity is Quantity.CPUS and bool(_parse_cpus("", amount))
        except LimitError:
            return False
    return 0 <= amount <= _MOST_AMOUNT


def cpus_text(cpus: Iterable[int]) -> str:
    """Return CPUs as the kernel writes them: `0-2,5`; empty for none."""
    ranges: list[list[int]] = []
    for cpu in sorted(set(cpus)):
        if ranges and ranges[-1][1] == cpu - 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)


def write_amount(key: LimitKey, amount: Amount | None) -> str:
    """Return an amount so that `parse_amount` reads the same: `1.5GiB`, `0.25`, `0-3`, `none`."""
    if amount is None:
        return NONE
    if isinstance(amount, str):
        return amount
    quantity = LIMITS[key].quantity
    if quantity is Quantity.CORES:
        return f"{amount:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    if quantity not in (Quantity.BYTES, Quantity.BYTES_PER_SECOND):
        return f"{amount:.0f}"
    whole = int(amount)
    end = "/s" if quantity is Quantity.BYTES_PER_SECOND else ""
    for size, unit in _UNITS:
        if whole >= size and whole * 1000 % size == 0:
            return f"{Decimal(whole) / size:f}{unit}{end}"
    return f"{whole}B{end}"


def is_same(key: LimitKey, first: Amount | None, second: Amount | None) -> bool:
    """Return whether two amounts are the same limit: engines round to pages, microseconds and weights of their own."""
    if first is None or second is None or isinstance(first, str) or isinstance(second, str):
        return first == second
    slack = {Quantity.CORES: 0.0101, Quantity.BYTES: 65_536, Quantity.BYTES_PER_SECOND: 1024, Quantity.WEIGHT: 1}
    return abs(first - second) <= slack.get(LIMITS[key].quantity, 0)
