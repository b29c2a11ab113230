"""Access to the engines for what happens on demand: actions, details, logs and consoles."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence

from collectors.engines import registry
from collectors.engines.access import EngineAccess
from collectors.engines.base import Engine
from collectors.model.actions import EngineActions
from collectors.model.limit_changes.elsewhere import AnyLimits
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec


class EngineConnections:
    """Finds the access to a workload's engine. Each access is created when it is first needed.

    Args:
        specs: The sources that are sampled.
        environ: Environment variables that tell the engines' own commands where their daemons are.
        is_root: Whether the user is root: some commands then use other daemons.
        hosts: What can be done on other hosts, by `WorkloadId.host`; the workloads of the rest can only be watched.
    """

    def __init__(
        self,
        specs: Sequence[SourceSpec],
        environ: Mapping[str, str] = os.environ,
        is_root: bool = os.geteuid() == 0,
        hosts: Mapping[str, EngineAccess] | None = None,
    ) -> None:
        self._specs = tuple(specs)
        self._environ = environ
        self._is_root = is_root
        self._hosts = hosts or {}
        sampled = [registry.engine_of_source(spec.name) for spec in specs]
        self._simulated = next((engine for engine in sampled if engine.is_simulated), None)
        self._lock = threading.Lock()
        self._accesses: dict[Engine, EngineAccess] = {}

    @property
    def is_simulated(self) -> bool:
        """Whether the workloads do not exist."""
        return self._simulated is not None

    def of(self, workload: Workload) -> EngineAccess:
        """Return the access to a workload's engine; for an unknown engine, one that can only be watched."""
        if workload.id.host and self._simulated is None:  # never this host's engine, which may have the same id
            return self.of_host(workload.id.host)
        engine = self._simulated or registry.owner(workload)
        with self._lock:
            if engine not in self._accesses:
                names = {engine.name, *engine.sources}
                self._accesses[engine] = engine.connect([spec for spec in self._specs if spec.name in names])
            return self._accesses[engine]

    def of_host(self, host: str) -> EngineAccess:
        """Return what can be done on another host, by its name."""
        return self._hosts.get(host) or EngineAccess()

    def needs_id(self, workload: Workload) -> bool:
        """Return whether a command typed by hand needs the id, because the name could mean another workload there."""
        return self.of(workload).needs_id(workload, self._environ, self._is_root)

    def command_address(self, workload: Workload) -> str:
        """Return the address that a command typed by hand has to name; empty where it finds the engine by itself."""
        return self.of(workload).command_address(workload, self._environ, self._is_root)

    def actions(self, workload: Workload) -> EngineActions:
        """Return the actions for a workload.

        Raises:
            SourceAbsent: vmtop can only watch it.
        """
        return self.of(workload).actions(workload)

    def limits(self, workload: Workload) -> AnyLimits:
        """Return what reads and sets the limits of a workload.

        Raises:
            SourceAbsent: vmtop cannot set any; the remedy says who can.
        """
        return self.of(workload).limits(workload)
