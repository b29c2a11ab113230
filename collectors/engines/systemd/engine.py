"""systemd: the services of this host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.systemd.access import SystemdAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec


class SystemdEngine(Engine):
    """Services of the system manager. Scopes, and services of users' own managers, can only be watched."""

    name = "systemd"
    about = About(
        "systemd",
        "services: descriptions, results, exit codes, restarts, failed ones",
        "systemd's D-Bus; actions need root, or polkit's leave",
        "systemd 252 in a virtual machine of its own",
    )
    engine_names = frozenset({"systemd"})
    kinds = frozenset({"service"})
    verbs = ("start", "stop", "restart")
    lacks = "vmtop only starts, stops and restarts services"
    has_aliases = True

    def owns(self, workload: Workload) -> bool:
        return workload.kind == "service"

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.systemd.source import SystemdSource

        return SystemdSource

    def connect(self, specs: Sequence[SourceSpec]) -> SystemdAccess:
        from collectors.engines.systemd.access import SystemdAccess

        return SystemdAccess()

    def unlisted(self, typed: str) -> Workload | None:
        from collectors.engines.systemd.source import service_named

        return service_named(typed)

    def forbids(self, verb: Verb, workload: Workload) -> str:
        if is_of_user(workload):
            return "a user's own service manager runs it: use systemctl --user as that user"
        if not is_managed(workload):
            return "only services that systemd manages can be acted on"
        return super().forbids(verb, workload)

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.systemd.shell_commands import commands

        return commands(request)

    def warnings(self, request: Request) -> list[str]:
        from collectors.engines.systemd.shell_commands import warnings

        return warnings(request)


def is_of_user(workload: Workload) -> bool:
    """Return whether a workload is a unit of a user's own service manager, `user@UID.service`."""
    return workload.id.engine == "systemd-user"


def is_managed(workload: Workload) -> bool:
    """Return whether a workload is a service that the system manager starts and stops."""
    return workload.id.engine == "systemd" and workload.id.id.endswith(".service")
