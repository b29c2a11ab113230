"""Limits of the demo's workloads, which do not exist: for trying out what is shown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from collectors.engines.demo.fleet import DemoWorkload
from collectors.model.errors import WorkloadGone
from collectors.model.limits import Amount, Lasts, Limit, LimitKey, Setting, Way, limits_for, write_amount
from collectors.model.workloads import Kind, Workload, WorkloadId


class DemoLimits:
    """Changes the limits of the demo's workloads.

    Args:
        fleet: The workloads by identity, shared with the demo's source.
    """

    settles_s = 0.0

    def __init__(self, fleet: Mapping[WorkloadId, DemoWorkload]) -> None:
        self._fleet = fleet

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Return the simulated limits."""
        life = self._life(workload)
        values: dict[LimitKey, Amount | None] = dict(life.limits)
        values.setdefault(LimitKey.MEMORY, life.limit)
        if life.kind is Kind.VM:
            values[LimitKey.VCPUS] = life.cores
        elif life.quota:
            values[LimitKey.CPU] = life.cores
        return {spec.key: Limit(spec.key, values.get(spec.key)) for spec in limits_for(life.kind)}

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return the amount as it is."""
        return Setting({"amount": amount}, amount)

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return the amount that was read."""
        return Setting({"amount": limit.value}, limit.value)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Change what the simulation goes by, or only what is shown."""
        life, amount = self._life(workload), setting.amount
        if key is LimitKey.MEMORY:
            life.limit = None if amount is None else int(float(amount))
        elif key is LimitKey.VCPUS and amount is not None:
            life.cores = float(amount)
        elif key is LimitKey.CPU and life.kind is not Kind.VM:
            life.quota = amount is not None
            life.cores = life.cores if amount is None else float(amount)
        else:
            life.limits[key] = amount

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return a command that does not exist either."""
        return (f"demo set {key}={write_amount(key, setting.amount)} {shlex.quote(workload.name)}",)

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """The demo keeps it as if it were Docker."""
        return Lasts.ALWAYS

    def cannot_keep(self, workload: Workload) -> str:
        """The demo keeps every limit."""
        return ""

    def _life(self, workload: Workload) -> DemoWorkload:
        life = self._fleet.get(workload.id)
        if life is None or life.is_removed:
            raise WorkloadGone("the demo no longer has it")
        return life
