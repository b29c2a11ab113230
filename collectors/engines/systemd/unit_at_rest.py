"""What systemd knows about a service that does not run: its slice, and whether it is meant to run at all. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from collectors.safety.untrusted import count


class UnitAtRest(NamedTuple):
    """A service that does not run."""

    slice: str
    """The slice that it will run in, such as `system.slice`."""
    is_meant_to_run: bool
    """False if it is at rest because its work is done, or there has been none: it was not stopped by anyone."""
    restarts: int | None = None
    """How often systemd has started it again by itself (NRestarts)."""


def unit_at_rest(unit: Mapping[str, Any], service: Mapping[str, Any]) -> UnitAtRest:
    """Return what the properties of a unit say (org.freedesktop.systemd1(5)); missing ones say nothing.

    Args:
        unit: The properties of `org.freedesktop.systemd1.Unit`.
        service: Those of `org.freedesktop.systemd1.Service`.
    """
    is_done_at_once = service.get("Type") == "oneshot" and service.get("RemainAfterExit") is not True
    is_for_other_hosts = unit.get("ConditionResult") is False and bool(unit.get("ConditionTimestamp"))
    waits_for_a_trigger = bool(unit.get("TriggeredBy")) and not unit.get("InactiveExitTimestamp")
    return UnitAtRest(
        str(service.get("Slice") or "system.slice"),
        not (is_done_at_once or is_for_other_hosts or waits_for_a_trigger),
        count(service.get("NRestarts")),
    )


def slice_path(name: str) -> str:
    """Return the path of a slice's cgroup by its name: `a-b.slice` is `/a.slice/a-b.slice`, the root `-.slice` empty.

    systemd.slice(5): a dash separates the name of a slice from that of the slice around it.
    """
    parts = name.removesuffix(".slice").split("-")
    if not any(parts):
        return ""
    return "".join(f"/{'-'.join(parts[: depth + 1])}.slice" for depth in range(len(parts)))
