"""Access to single machines and hosts of the sampled servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from collectors.engines.access import EngineAccess, ReadFacts, daemon_of
from collectors.engines.vsphere import address as addresses
from collectors.engines.vsphere.client import VsphereDaemon
from collectors.model.actions import EngineActions
from collectors.model.console import Console
from collectors.model.details import RawDescription, Table
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.workloads import Kind, Workload
from collectors.sampling.source import SourceSpec


class VsphereAccess(EngineAccess):
    """Everything that can be done with a machine on demand.

    Args:
        specs: The vSphere sources that are sampled.
    """

    def __init__(self, specs: Sequence[SourceSpec]) -> None:
        self._urls = [str(spec.options["url"]) for spec in specs]
        self._daemons = [VsphereDaemon(url) for url in self._urls]

    def daemon(self, workload: Workload) -> VsphereDaemon:
        """Return the server that has a machine. Raises as `daemon_of` does."""
        return daemon_of(self._daemons, workload, _knows)

    def command_address(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> str:
        """Return the server's URL; it has no password."""
        for url in self._urls:
            try:
                address = addresses.parse(url)
            except SourceError:
                continue  # its source says what is wrong with it
            if address.shown == workload.endpoint:
                return address.url
        return ""

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.vsphere.actions import VsphereActions

        if workload.kind is Kind.HOST:
            raise SourceAbsent("vmtop does not act on hosts")
        return VsphereActions(self)

    def details(self) -> Callable[[Workload], list[Table]]:
        from collectors.engines.vsphere.details import VsphereDetails

        return VsphereDetails(self).tables

    def raw_description(self, workload: Workload) -> RawDescription:
        from collectors.engines.vsphere.details import configuration

        return configuration(self, workload)

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        address = self.command_address(workload, {}, False)
        raise SourceAbsent("the console of a machine of vSphere is in a browser", f"{address}/ui")

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        from collectors.engines.vsphere.details import read_facts

        yield lambda workload: read_facts(self, workload)


def _knows(daemon: VsphereDaemon, workload: Workload) -> bool:
    from collectors.engines.vsphere.machines import find

    try:
        with daemon.session() as session:
            find(session, workload)
    except WorkloadGone:
        return False
    return True
