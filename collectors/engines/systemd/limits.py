"""Limits of systemd's units, by `SetUnitProperties`, as `systemctl set-property` does.

With `runtime` they last until the host restarts, otherwise they are written below /etc/systemd/system.control.

Source: org.freedesktop.systemd1(5), systemd.resource-control(5).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from collectors.engines import cgroup_limits as cgroup
from collectors.engines.host_groups import host_cpus, is_v1
from collectors.engines.systemd.actions import unit_of
from collectors.engines.systemd.bus import NoSuchUnit, SystemBus, system_bus
from collectors.engines.systemd.shell_commands import argument
from collectors.kernel.sysfs_block import scan
from collectors.model.errors import WorkloadGone
from collectors.model.limits import Amount, Lasts, Limit, LimitError, LimitKey, Setting, Way, cpus_text
from collectors.model.workloads import Workload
from collectors.safety.untrusted import count

SERVICE_INTERFACE, SCOPE_INTERFACE = "org.freedesktop.systemd1.Service", "org.freedesktop.systemd1.Scope"
_ENDLESS = (1 << 64) - 1
"""`infinity`, and a weight that is not set."""
_US = 1_000_000
_PROPERTIES = {
    LimitKey.CPU: ("CPUQuotaPerSecUSec", "t"),
    LimitKey.CPU_WEIGHT: ("CPUWeight", "t"),
    LimitKey.CPUSET: ("AllowedCPUs", "ay"),
    LimitKey.MEMORY: ("MemoryMax", "t"),
    LimitKey.PIDS: ("TasksMax", "t"),
    LimitKey.DISK_READ: ("IOReadBandwidthMax", "a(st)"),
    LimitKey.DISK_WRITE: ("IOWriteBandwidthMax", "a(st)"),
    LimitKey.DISK_READ_IOPS: ("IOReadIOPSMax", "a(st)"),
    LimitKey.DISK_WRITE_IOPS: ("IOWriteIOPSMax", "a(st)"),
}
"""By limit: the property and its D-Bus type."""
_WRITTEN = {"CPUQuotaPerSecUSec": "CPUQuota"}
"""Properties that are written under another name."""
_NO_NETWORK = "systemd limits no networks: use tc(8)"
_NO_CPUS = "systemd pins units only with the unified hierarchy of cgroup v2, which this host does not use"


class SystemdLimits:
    """Reads and sets properties of a service. A subclass may find another unit for a workload."""

    settles_s = 1.0
    interface = SERVICE_INTERFACE

    def unit(self, workload: Workload) -> str:
        """Return the name of the unit whose properties limit a workload.

        Raises:
            SourceError: There is none, or its name is not valid.
        """
        return unit_of(workload)

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Ask for the unit's properties."""
        unit = self.unit(workload)
        with system_bus() as bus:
            properties = bus.properties(_path_of(bus, unit), self.interface)
        return limits_in(properties, _disks())

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return the property to set."""
        return new_setting(limit.key, amount, limit.settings.get("disks", ()))

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return the property as it was."""
        name = _PROPERTIES[limit.key][0]
        return Setting({name: limit.settings[name]}, limit.value)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Set the property."""
        name, signature = _PROPERTIES[key]
        value = setting.values[name]
        if signature == "a(st)":  # what is set is added to what is there, and an empty list removes all
            properties = [(name, (signature, [])), *([(name, (signature, list(value)))] if value else ())]
        else:
            properties = [(name, (signature, value))]
        try:
            with system_bus() as bus:
                bus.call("SetUnitProperties", "sba(sv)", (self.unit(workload), not way.is_kept, properties))
        except NoSuchUnit as error:
            raise WorkloadGone(error.reason) from error

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return the `systemctl set-property` that does the same."""
        name, _ = _PROPERTIES[key]
        words = " ".join(shlex.quote(f"{_WRITTEN.get(name, name)}={text}") for text in _texts(name, setting))
        runtime = "" if way.is_kept else " --runtime"
        return (f"systemctl set-property{runtime} {self.argument(workload)} {words}",)

    def argument(self, workload: Workload) -> str:
        """Return the unit's name, quoted for a shell."""
        return argument(workload)

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """Until the host restarts, unless it is kept."""
        return Lasts.ALWAYS if way.is_kept else Lasts.BOOT

    def cannot_keep(self, workload: Workload) -> str:
        """systemd keeps the limits of services."""
        return ""


def _path_of(bus: SystemBus, unit: str) -> str:
    try:
        return str(bus.call("GetUnit", "s", (unit,))[0])
    except NoSuchUnit as error:
        raise WorkloadGone(error.reason) from error


def _disks() -> tuple[str, ...]:
    """Return the device files of this host's disks."""
    return tuple(f"/dev/{device.name}" for _, device in sorted(scan().items()) if device.is_disk)


def limits_in(properties: Mapping[str, Any], disks: tuple[str, ...]) -> dict[LimitKey, Limit]:
    """Return the limits in the properties of a unit; one of another type is not measured."""
    found = {}
    for key, (name, signature) in _PROPERTIES.items():
        raw = properties.get(name)
        value, is_known = read_value(key, raw)
        settings: dict[str, Any] = {name: raw}
        if signature == "a(st)":
            settings["disks"] = disks
        found[key] = Limit(key, value, is_known, cgroup.objection_to(is_known), settings=settings)
    if is_v1("cpuset"):
        cgroup.unsettable(found, (LimitKey.CPUSET,), _NO_CPUS)
    cgroup.unsettable(found, cgroup.NETWORKS, _NO_NETWORK)
    return found


def read_value(key: LimitKey, raw: object) -> tuple[Amount | None, bool]:
    """Return the amount of a property, and whether it is one."""
    if key is LimitKey.CPUSET:
        if not isinstance(raw, bytes | bytearray | list):
            return None, False
        cpus = {8 * place + bit for place, byte in enumerate(bytes(raw)) for bit in range(8) if byte >> bit & 1}
        return (cgroup.cpus(cpus_text(cpus), host_cpus()) if cpus else None), True
    if isinstance(raw, list):
        amounts = {amount for entry in raw if (amount := _amount_of(entry)) is not None}
        return (min(amounts) if amounts else None), True
    number = count(raw)
    if number is None:
        return None, False
    if number >= _ENDLESS >> 1:
        return None, True
    if key is LimitKey.CPU_WEIGHT and number == 100:
        return None, True
    return (number / _US if key is LimitKey.CPU else number), True


def _amount_of(entry: object) -> int | None:
    return count(entry[1]) if isinstance(entry, tuple | list) and len(entry) == 2 else None


def new_setting(key: LimitKey, amount: Amount | None, disks: Sequence[str]) -> Setting:
    """Return the property for a new amount; a limit of disks is set for each disk of the host.

    Raises:
        LimitError: The host has no disk.
    """
    name, signature = _PROPERTIES[key]
    if signature == "a(st)":
        if amount is not None and not disks:
            raise LimitError("this host has no disk that could be limited")
        return Setting({name: [] if amount is None else [(disk, int(float(amount))) for disk in disks]}, amount)
    if key is LimitKey.CPUSET:
        cpus = [] if amount is None else _numbers(str(amount))
        mask = bytearray(max(cpus, default=-1) // 8 + 1)
        for cpu in cpus:
            mask[cpu // 8] |= 1 << cpu % 8
        return Setting({name: bytes(mask)}, None if amount is None else cgroup.cpus(str(amount), host_cpus()))
    if amount is None:
        return Setting({name: _ENDLESS}, None)
    if key is LimitKey.CPU:
        return Setting({name: round(float(amount) * _US)}, amount)
    return Setting({name: int(float(amount))}, None if key is LimitKey.CPU_WEIGHT and amount == 100 else amount)


def _numbers(cpus: str) -> list[int]:
    ranges = (piece.partition("-") for piece in cpus.split(","))
    return [cpu for first, _, last in ranges for cpu in range(int(first), int(last or first) + 1)]


def _texts(name: str, setting: Setting) -> list[str]:
    """Return what is written after the property's name in a unit file, once for each entry."""
    value = setting.values[name]
    if isinstance(value, list):
        return ["", *(f"{disk} {amount}" for disk, amount in value)]
    if isinstance(value, bytes | bytearray):
        return [cpus_text(8 * place + bit for place, byte in enumerate(value) for bit in range(8) if byte >> bit & 1)]
    if value >= _ENDLESS >> 1:
        return ["" if name in ("CPUWeight", "CPUQuotaPerSecUSec") else "infinity"]
    return [f"{value / _US * 100:.6f}".rstrip("0").rstrip(".") + "%" if name == "CPUQuotaPerSecUSec" else str(value)]
