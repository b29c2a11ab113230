"""Limits of a domain's virtual CPUs: their quota and weight, the CPUs of the host they run on, and how many there are.

The quota holds for each virtual CPU by itself: `cpu` is that of all together.

Source: https://libvirt.org/formatdomain.html#cpu-tuning, virDomainSetSchedulerParametersFlags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines import cgroup_limits as cgroup
from collectors.engines.host_groups import is_v1
from collectors.engines.libvirt.limits.part import AFFECT_CONFIG, AFFECT_LIVE, CONFIG, LIVE, Seen
from collectors.kernel.cgroup.parsers import cpu_list
from collectors.model.limits import Amount, Limit, LimitError, LimitKey, Setting, cpus_text
from collectors.safety.untrusted import count, whole_number

if TYPE_CHECKING:
    from libvirt import virDomain

_MAXIMUM = 4
"""VIR_DOMAIN_VCPU_MAXIMUM."""
_NO_SCHEDULER = "libvirt does not say what it is: a session without control groups has none"
_FIELDS = {LimitKey.CPU: ("vcpu_quota", "vcpu_period"), LimitKey.CPU_WEIGHT: ("cpu_shares",)}


class Scheduling:
    """Quota and weight."""

    keys = (LimitKey.CPU, LimitKey.CPU_WEIGHT)

    def read(self, seen: Seen) -> dict[LimitKey, Limit]:
        """Ask for the scheduler's parameters."""
        live = seen.domain.schedulerParametersFlags(AFFECT_LIVE)
        config = seen.domain.schedulerParametersFlags(AFFECT_CONFIG) if seen.is_persistent else None
        number = seen.domain.vcpusFlags(AFFECT_LIVE)
        return {key: _scheduled(key, live, config, number) for key in self.keys}

    def new(self, limit: Limit, amount: Amount | None) -> Setting:
        """Return the quota of each virtual CPU, with the period that is there; or the weight."""
        if limit.key is LimitKey.CPU_WEIGHT:
            weight = 100 if amount is None else int(float(amount))
            return Setting({"cpu_shares": cgroup.shares(weight) if is_v1("cpu") else weight}, _ordinary(weight))
        period = int(limit.settings["period"])
        if amount is None:
            return Setting({"vcpu_quota": -1, "vcpu_period": period}, None)
        number = int(limit.settings["vcpus"])
        quota = cgroup.quota_us(float(amount) / number, period)
        return Setting({"vcpu_quota": quota, "vcpu_period": period}, quota / period * number)

    def write(self, domain: virDomain, key: LimitKey, values: Mapping[str, Any], flags: int) -> None:
        """Set the scheduler's parameters."""
        domain.setSchedulerParametersFlags(dict(values), flags)

    def commands(self, key: LimitKey, values: Mapping[str, Any], name: str, flags: str) -> Iterator[str]:
        """Yield `schedinfo`."""
        yield f"schedinfo {name}{flags} " + " ".join(f"{field}={value}" for field, value in values.items())


def _scheduled(key: LimitKey, live: Mapping[str, Any], config: Mapping[str, Any] | None, number: int) -> Limit:
    period = count(live.get("vcpu_period")) or cgroup.DEFAULT_PERIOD_US
    if key is LimitKey.CPU:
        quota = whole_number(live.get("vcpu_quota"))
        each = cgroup.cores(quota, period)
        value: Amount | None = None if each is None else each * number
        is_known = quota is not None
        most = float(number)
    else:
        shares = count(live.get("cpu_shares"))
        value = _ordinary(shares if shares is None or not is_v1("cpu") else cgroup.weight(shares))
        is_known, most = shares is not None, None
    settings = {LIVE: _of(key, live, period), CONFIG: None if config is None else _of(key, config, period)}
    objection = "" if is_known else _NO_SCHEDULER
    return Limit(key, value, is_known, objection, most, {**settings, "period": period, "vcpus": number})


def _of(key: LimitKey, parameters: Mapping[str, Any], period: int) -> dict[str, int]:
    """Return parameters as they are set back: a definition has 0 for what it does not say."""
    if key is LimitKey.CPU:
        quota = whole_number(parameters.get("vcpu_quota")) or -1
        return {"vcpu_quota": quota, "vcpu_period": count(parameters.get("vcpu_period")) or period}
    ordinary = cgroup.DEFAULT_SHARES if is_v1("cpu") else 100
    return {"cpu_shares": count(parameters.get("cpu_shares")) or ordinary}


def _ordinary(weight: int | None) -> int | None:
    return None if weight == 100 else weight


class Pinning:
    """The CPUs of the host on which the virtual CPUs run."""

    keys = (LimitKey.CPUSET,)

    def read(self, seen: Seen) -> dict[LimitKey, Limit]:
        """Ask where each virtual CPU is pinned to; different ones together are the limit."""
        live = seen.domain.vcpuPinInfo(AFFECT_LIVE)
        config = seen.domain.vcpuPinInfo(AFFECT_CONFIG) if seen.is_persistent else None
        of_host = frozenset(range(len(live[0]) if live else 0))
        cpus = {cpu for pinned in live for cpu, is_on in enumerate(pinned) if is_on}
        value = cgroup.cpus(cpus_text(cpus), of_host)
        settings = {LIVE: _lists(live), CONFIG: None if config is None else _lists(config), "host": cpus_text(of_host)}
        return {LimitKey.CPUSET: Limit(LimitKey.CPUSET, value, bool(live), settings=settings)}

    def new(self, limit: Limit, amount: Amount | None) -> Setting:
        """Return the same CPUs for every virtual CPU."""
        host = str(limit.settings["host"])
        of_host = cpu_list(host.encode()) or frozenset()
        cpus = host if amount is None else str(amount)
        if absent := (cpu_list(cpus.encode()) or frozenset()) - of_host:
            raise LimitError(f"its host has no CPU {cpus_text(absent)}: there are {host}")
        return Setting(dict.fromkeys(limit.settings[LIVE], cpus), cgroup.cpus(cpus, of_host))

    def write(self, domain: virDomain, key: LimitKey, values: Mapping[str, Any], flags: int) -> None:
        """Pin each virtual CPU."""
        places = len(domain.vcpuPinInfo(AFFECT_LIVE)[0])
        for vcpu, listed in values.items():
            cpus = cpu_list(str(listed).encode()) or frozenset()
            domain.pinVcpuFlags(int(vcpu), tuple(cpu in cpus for cpu in range(places)), flags)

    def commands(self, key: LimitKey, values: Mapping[str, Any], name: str, flags: str) -> Iterator[str]:
        """Yield `vcpupin` for each virtual CPU."""
        for vcpu, cpus in values.items():
            yield f"vcpupin {name} {vcpu} {cpus}{flags}"


def _lists(pinning: list[tuple[bool, ...]]) -> dict[str, str]:
    """Return the CPUs of each virtual CPU by its number."""
    return {
        str(vcpu): cpus_text(cpu for cpu, is_on in enumerate(pinned) if is_on) for vcpu, pinned in enumerate(pinning)
    }


class Plugging:
    """How many virtual CPUs there are."""

    keys = (LimitKey.VCPUS,)

    def read(self, seen: Seen) -> dict[LimitKey, Limit]:
        """Ask how many there are now, and how many there can be."""
        number = seen.domain.vcpusFlags(AFFECT_LIVE)
        most = seen.domain.vcpusFlags(AFFECT_LIVE | _MAXIMUM)
        config = {"vcpus": seen.domain.vcpusFlags(AFFECT_CONFIG)} if seen.is_persistent else None
        settings = {LIVE: {"vcpus": number}, CONFIG: config}
        return {LimitKey.VCPUS: Limit(LimitKey.VCPUS, number, most=float(most), settings=settings)}

    def new(self, limit: Limit, amount: Amount | None) -> Setting:
        """Return the number; it is at most the maximum of the definition."""
        if amount is None:
            raise LimitError(f"it has {limit.most:.0f} virtual CPUs at most: name a number up to that")
        return Setting({"vcpus": int(float(amount))}, amount)

    def write(self, domain: virDomain, key: LimitKey, values: Mapping[str, Any], flags: int) -> None:
        """Plug or unplug virtual CPUs."""
        domain.setVcpusFlags(values["vcpus"], flags)

    def commands(self, key: LimitKey, values: Mapping[str, Any], name: str, flags: str) -> Iterator[str]:
        """Yield `setvcpus`."""
        yield f"setvcpus {name} {values['vcpus']}{flags}"
