"""How to reach the engine of one workload, for what is done on demand: an action, a look closer, its logs, a shell.

Made from the same specs that the sampler reads, and apart from the sampler's connections: a call here may hang or fail
without touching the numbers. All calls block; the caller has a thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from collectors.engines.docker.client import DockerReach, _docker_knows
from collectors.engines.family import DOCKER_ENGINES
from collectors.engines.libvirt.connection import LibvirtReach, _libvirt_knows
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.workloads import Kind, Workload
from collectors.sampling.source import SourceSpec

log = logging.getLogger(__name__)

Owner = TypeVar("Owner")
_SYSTEM_URI = "qemu:///system"


class Reach:
    """All engines that this run of vmtop was told of.

    Args:
        specs: The sources that are sampled.
        environ: Where the `docker` and `virsh` of the person look for their engine.
        is_root: Whether the person is: `virsh` then looks for the system's domains, else for the person's own.
    """

    def __init__(
        self, specs: Sequence[SourceSpec], environ: Mapping[str, str] = os.environ, is_root: bool = os.geteuid() == 0
    ) -> None:
        self._is_same_docker = _is_same_docker([_options(spec) for spec in specs if spec.name == "docker"], environ)
        self._is_same_libvirt = _is_same_libvirt(
            [_options(spec) for spec in specs if spec.name == "libvirt"], environ, is_root
        )
        self._docker = [DockerReach(**_options(spec)) for spec in specs if spec.name == "docker"]
        self._is_demo = any(spec.name == "demo" for spec in specs)
        self._libvirt = [LibvirtReach(**_options(spec)) for spec in specs if spec.name == "libvirt"]

    def needs_id(self, workload: Workload) -> bool:
        """Whether a command that a person types could go to another engine, on which the name is somebody else's.

        An id there is no one's. Pure: no engine is asked.
        """
        if self._is_demo:
            return False
        if workload.endpoint or workload.id.engine == "podman":
            return True
        return not (self._is_same_libvirt if workload.kind is Kind.VM else self._is_same_docker)

    def docker(self, workload: Workload) -> DockerReach:
        """Return the engine that runs a container.

        Raises:
            SourceAbsent: No engine that vmtop can speak to runs it.
            SourceError: Several could, and none can be asked.
            WorkloadGone: None of several knows it.
        """
        if workload.id.engine not in DOCKER_ENGINES:
            raise SourceAbsent(f"{workload.name} is run by {workload.id.engine}, which vmtop can only watch")
        return self._owner(self._docker, workload, _docker_knows)

    def libvirt(self, workload: Workload) -> LibvirtReach:
        """Return the connection that has a domain. Raises as `docker` does."""
        if workload.kind is not Kind.VM:
            raise SourceAbsent(f"{workload.name} is no virtual machine")
        return self._owner(self._libvirt, workload, _libvirt_knows)

    def _owner(self, known: list[Owner], workload: Workload, knows: Callable[[Owner, Workload], bool]) -> Owner:
        if self._is_demo:
            raise SourceAbsent("the demo's workloads do not exist: there is nothing more to read")
        if not known:
            raise SourceAbsent(f"no engine that vmtop can speak to runs {workload.name}")
        if len(known) == 1:
            return known[0]
        failure: SourceError = WorkloadGone("no engine knows it any more")
        for one in known:
            try:
                if knows(one, workload):
                    return one
            except SourceError as error:
                failure = error
        raise failure


def _is_same_docker(engines: Sequence[Mapping[str, Any]], environ: Mapping[str, str]) -> bool:
    """Whether the docker command finds the one engine that vmtop speaks to. Which context it is in is not looked up."""
    given = [engine.get("url") for engine in engines]
    return len(given) < 2 and all(url is None or url == environ.get("DOCKER_HOST") for url in given)


def _is_same_libvirt(daemons: Sequence[Mapping[str, Any]], environ: Mapping[str, str], is_root: bool) -> bool:
    """Whether virsh finds the one libvirt that vmtop speaks to: its own variable goes before libvirt's (virsh(1))."""
    default = environ.get("LIBVIRT_DEFAULT_URI") or ""
    virsh = environ.get("VIRSH_DEFAULT_CONNECT_URI") or default or (_SYSTEM_URI if is_root else "")
    return len(daemons) < 2 and all((one.get("uri") or default or _SYSTEM_URI) == virsh for one in daemons)


def _options(spec: SourceSpec) -> dict[str, Any]:
    return dict(spec.options)
