"""How often systemd has started running services again by itself (NRestarts in org.freedesktop.systemd1(5))."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.engines.systemd.bus import SERVICE, SystemBus
from collectors.model.workloads import WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import count


def read_restarts(bus: SystemBus, path: str) -> tuple[WorkloadId, int | None]:
    """Return which workload the running service at an object path is, by its control group, and its restarts."""
    group = bus.get(path, SERVICE, "ControlGroup")
    return WorkloadId("systemd", sanitize(str(group))), count(bus.get(path, SERVICE, "NRestarts"))


def by_workload(answers: Iterable[tuple[WorkloadId, int | None]]) -> dict[WorkloadId, int]:
    """Return the restarts that are known."""
    return {identity: restarts for identity, restarts in answers if restarts is not None}
