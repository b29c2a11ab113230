"""Access to single machines of systemd-nspawn."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from collectors.engines.access import EngineAccess
from collectors.engines.nspawn.machines import (
    Way,
    leader_of,
    read_registration,
    read_settings,
    unit_of,
    way_of,
)
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import Fact, Page, RawDescription, Table
from collectors.model.errors import AccessDenied, SourceAbsent, SourceError, WorkloadGone
from collectors.model.limits import EngineLimits
from collectors.model.logs import Log
from collectors.model.workloads import Workload
from collectors.safety.permissions import as_root
from collectors.safety.redact import redact_text
from collectors.safety.sanitize import sanitize

_SHELL = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
"""Runs bash if the machine has it. A constant: it never contains a name or label."""
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "TERM": "xterm-256color",
    "container": "systemd-nspawn",
}
"""Nothing of vmtop's own environment is passed on."""
_WAYS = {
    Way.UNIT: "its unit",
    Way.MACHINED: "a command line, and registered with machined",
    Way.BARE: "a command line, without machined",
}


class NspawnAccess(EngineAccess):
    """Everything that can be done with a machine on demand."""

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        return False  # its name is its id

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.nspawn.actions import NspawnActions

        return NspawnActions()

    def limits(self, workload: Workload) -> EngineLimits:
        from collectors.engines.nspawn.limits import NspawnLimits

        return NspawnLimits(workload)

    def details(self) -> Callable[[Workload], list[Table]]:
        return tables

    def raw_description(self, workload: Workload) -> RawDescription | None:
        settings = read_settings(workload.id.id)
        if settings is None:
            return None
        return RawDescription(settings[0], "\n".join(map(redact_text, settings[1].splitlines())))

    def open_log(self, workload: Workload) -> Log:
        from collectors.engines.systemd.journal import JournalLog

        unit = log_unit(workload)
        if not unit:
            raise SourceAbsent(
                f"{workload.name} was started from a command line: it prints to that terminal, and nothing keeps it"
            )
        return JournalLog(unit)

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        from collectors.engines.child_process import ChildConsole

        program = "command" if command else "shell"
        words = [*_way_in(workload), *(command or _SHELL)]
        return ChildConsole(f"a {program} in machine {workload.name}", program, words, _ENVIRONMENT)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        from collectors.engines.child_process import ChildCommand

        return ChildCommand([*_way_in(workload), *command], _ENVIRONMENT)


def _way_in(workload: Workload) -> list[str]:
    """Return the words of a command that runs another one in all namespaces of a machine.

    Raises:
        AccessDenied: This user is not root.
        SourceError: The process that was found is not inside a machine.
        WorkloadGone: The machine has ended.
    """
    if os.geteuid() != 0:
        raise AccessDenied(f"only root may enter {workload.name}", as_root())
    leader = leader_of(workload)
    try:
        is_outside = os.readlink(f"/proc/{leader.pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
    except FileNotFoundError:
        raise WorkloadGone("it has ended") from None
    if is_outside:
        raise SourceError(f"the first process of {workload.name} is not inside a machine: it may still be starting")
    return ["nsenter", f"--target={leader.pid}", "--all", "--"]


def log_unit(workload: Workload) -> str:
    """Return the unit whose journal has what a machine prints; empty if none has."""
    if way_of(workload) is Way.UNIT:
        return unit_of(workload)
    units = [part for part in (workload.cgroup or "").split("/") if part.endswith((".service", ".scope"))]
    return units[-1] if units and units[-1].endswith(".service") else ""


def tables(workload: Workload) -> list[Table]:
    """Return what is known of a machine without asking machined."""
    way = way_of(workload)
    registration = read_registration(workload.id.id)
    try:
        leader = str(leader_of(workload).pid)
    except SourceError:
        leader = ""
    facts = (
        Fact("name", sanitize(workload.id.id)),
        Fact("started by", _WAYS[way] if leader else None),
        Fact("unit", sanitize(unit_of(workload)) if way is Way.UNIT else None),
        Fact("root", sanitize(registration.get("ROOT") or workload.image) or None),
        Fact("class", sanitize(registration.get("CLASS")) or None),
        Fact("first process", leader or None),
    )
    found = [Table(Page.FACTS, "Machine", facts=facts)]
    if (settings := read_settings(workload.id.id)) is not None:
        rows = [line.partition("=") for line in settings[1].splitlines() if "=" in line and not line.startswith("#")]
        lines = tuple(Fact(sanitize(key.strip()), sanitize(redact_text(value.strip()))) for key, _, value in rows)
        found.append(Table(Page.FACTS, sanitize(settings[0]), facts=lines))
    return found
