"""Finds the way into a workload."""

from __future__ import annotations

from collectors.engines.family import Family, family
from collectors.engines.registry import Reach
from collectors.model.console import Console
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Kind, State, Workload


def open_console(workload: Workload, reach: Reach) -> Console:
    """Open a shell in a container, or the console of a domain. Blocks.

    Raises:
        SourceError: There is no way in, with the reason.
    """
    known = family(workload)
    if workload.kind is Kind.SERVICE:
        raise SourceAbsent(f"{workload.name} is a service of this host: it has no shell of its own")
    if workload.state not in (State.RUNNING, State.BLOCKED):
        raise SourceAbsent(f"{workload.name} is {workload.state}: there is no one to answer")
    if known is Family.DOCKER:
        from collectors.engines.docker.console import DockerConsole

        return DockerConsole(workload, reach)
    if known is Family.LIBVIRT:
        from collectors.engines.libvirt.console import LibvirtConsole

        return LibvirtConsole(workload, reach)
    raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, and vmtop has no way in")
