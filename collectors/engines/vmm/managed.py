"""What all engines have in common that are asked by a manager's command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from collectors.engines.base import Engine
from collectors.engines.vmm.manager import Manager, equivalent

if TYPE_CHECKING:
    from collectors.engines.vmm.managed_access import ManagedAccess
    from collectors.engines.vmm.registered import Registered
    from collectors.model.actions import Request
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec


class ManagedEngine(Engine):
    """Machines of a manager that is asked by its own command. A subclass names the command, and finds stopped ones."""

    manager: Manager
    kinds = frozenset({"vm"})

    def managers(self, workload: Workload) -> Manager:
        """Return the command for one workload."""
        return self.manager

    def registered(self) -> Iterable[Registered]:
        """Yield the machines in the manager's own files, running or not.

        Raises:
            SourceAbsent: This host has no such manager.
            AccessDenied: This user may not read its files.
        """
        raise NotImplementedError

    def is_running(self, machine: Registered) -> bool:
        """Return whether a machine runs that is not a VMM process, such as a container."""
        return False

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.vmm.registry_source import registry_source

        return registry_source(self)

    def connect(self, specs: Sequence[SourceSpec]) -> ManagedAccess:
        from collectors.engines.vmm.managed_access import ManagedAccess

        return ManagedAccess(self)

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.vmm.managed_access import owner_of
        from collectors.engines.vmm.manager_command import user_name

        workload = request.workload
        manager = self.managers(workload)
        owner = 0 if manager.is_roots else owner_of(workload)
        user = user_name(owner) if owner not in (None, os.geteuid()) else ""
        line = equivalent(manager, request.verb, workload.id.id, request.timeout_s, user)
        return (line,) if line else ()
