"""Finds the engine that acts on a workload. An engine's library is imported when it is first needed."""

from __future__ import annotations

import threading

from collectors.engines.family import Family, family
from collectors.engines.registry import Reach
from collectors.model.actions import Engine
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Workload


class Engines:
    """The engines that this run of vmtop can act through.

    Args:
        reach: How they are reached.
        instead: One engine for everything, such as the demo's.
    """

    def __init__(self, reach: Reach, instead: Engine | None = None) -> None:
        self._reach = reach
        self._instead = instead
        self._lock = threading.Lock()
        self._made: dict[Family, Engine] = {}

    def of(self, workload: Workload) -> Engine:
        """Return the engine of a workload.

        Raises:
            SourceAbsent: vmtop can only watch it.
        """
        if self._instead is not None:
            return self._instead
        known = family(workload)
        if known is None:
            raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, which vmtop can only watch")
        with self._lock:
            if known not in self._made:
                self._made[known] = self._make(known)
            return self._made[known]

    def _make(self, known: Family) -> Engine:
        match known:
            case Family.DOCKER:
                from collectors.engines.docker.actions import DockerEngine

                return DockerEngine(self._reach)
            case Family.LIBVIRT:
                from collectors.engines.libvirt.actions import LibvirtEngine

                return LibvirtEngine(self._reach)
            case Family.SYSTEMD:
                from collectors.engines.systemd.actions import SystemdEngine

                return SystemdEngine()
