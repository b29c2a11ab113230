"""Facts about a service from systemd: the duration of its activation, its user, and its sandboxing.

Activation is the time from leaving `inactive` to reaching `active`, on systemd's own monotonic clock, regardless of
what started the service (org.freedesktop.systemd1(5); the settings are those of systemd.exec(5)).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.engines.systemd.bus import SERVICE, UNIT, SystemBus
from collectors.model.facts import Fact, unknown
from collectors.safety.sanitize import sanitize

_SWITCHES = (
    "DynamicUser", "NoNewPrivileges", "PrivateDevices", "PrivateNetwork", "PrivateTmp", "PrivateUsers",
    "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
    "ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID",
)  # fmt: skip
_CHOICES = ("ProtectHome", "ProtectSystem", "ProtectProc")
_OFF = frozenset({"", "no", "false", "default"})
_ALL_NAMESPACES = 0x7E020000
"""All CLONE_NEW* flags: systemd's value for "no namespace is restricted"."""


def read_unit(bus: SystemBus, name: str) -> dict[str, Fact]:
    """Return `startup_running_seconds`, `user` and `sandbox` of a service.

    Raises:
        SourceError: systemd does not answer, or has no such unit.
    """
    (path,) = bus.call("GetUnit", "s", (name,))
    return {**activation(bus.properties(path, UNIT)), **sandbox(bus.properties(path, SERVICE))}


def activation(unit: Mapping[str, Any]) -> dict[str, Fact]:
    """Return how long the last activation of a unit took."""
    left = int(unit.get("InactiveExitTimestampMonotonic") or 0)
    reached = int(unit.get("ActiveEnterTimestampMonotonic") or 0)
    if not left or reached < left:
        return {"startup_running_seconds": unknown("systemd has no record of an activation")}
    how = "systemd: ActiveEnterTimestamp minus InactiveExitTimestamp, of its last activation"
    return {"startup_running_seconds": Fact((reached - left) / 1e6, how)}


def sandbox(service: Mapping[str, Any]) -> dict[str, Fact]:
    """Return the user that a service runs as, and the names of its sandbox settings, separated by blanks."""
    in_force = [name for name in _SWITCHES if _is_on(name, service.get(name))]
    in_force += [f"{name}={service[name]}" for name in _CHOICES if str(service.get(name) or "") not in _OFF]
    how = "systemd: properties of the service (systemd.exec(5))"
    return {
        "user": Fact(sanitize(str(service.get("User") or "root"), 40), how),
        "sandbox": Fact(sanitize(" ".join(in_force)), how),
    }


def _is_on(name: str, value: object) -> bool:
    if name == "RestrictNamespaces":
        return isinstance(value, int) and value & _ALL_NAMESPACES != _ALL_NAMESPACES
    return value is True
