"""The commands that do what an action does. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace

from collectors.engines.nspawn.machines import Way, as_service, way_of
from collectors.engines.systemd.shell_commands import argument
from collectors.engines.systemd.shell_commands import commands as unit_commands
from collectors.model.actions import Request, Verb


def commands(request: Request) -> tuple[str, ...]:
    """Return the equivalent commands; none for a machine that neither a unit nor machined knows."""
    workload, way = request.workload, way_of(request.workload)
    if way is Way.UNIT:
        service = as_service(workload)
        if request.verb is Verb.KILL:
            return (f"systemctl kill --signal=SIGKILL {argument(service)}",)
        return unit_commands(replace(request, workload=service))
    if way is Way.MACHINED:
        verb = "poweroff" if request.verb is Verb.STOP else "terminate"
        return (f"machinectl {verb} {shlex.quote(workload.id.id)}",)
    return ()
