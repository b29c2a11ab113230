"""Access to single domains of the sampled libvirt daemons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from collectors.engines.access import EngineAccess, ReadFacts, daemon_of
from collectors.engines.libvirt.connection import LibvirtDaemon
from collectors.engines.libvirt.uri import endpoint_of
from collectors.kernel.vmm.qemu import UUID
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import RawDescription, Table
from collectors.model.errors import SourceAbsent, WorkloadGone
from collectors.model.limits import EngineLimits
from collectors.model.logs import Log
from collectors.model.workloads import Workload
from collectors.safety.permissions import as_root
from collectors.safety.redact import redact_text
from collectors.sampling.source import SourceSpec

_NO_COMMANDS = "its console runs no commands: open it without one, and type there"

_SYSTEM_URI = "qemu:///system"


class LibvirtAccess(EngineAccess):
    """Everything that can be done with a domain on demand.

    Args:
        specs: The libvirt sources that are sampled.
    """

    def __init__(self, specs: Sequence[SourceSpec]) -> None:
        self._uris: list[str | None] = [str(spec.options.get("uri") or "") or None for spec in specs]
        options: list[dict[str, Any]] = [dict(spec.options) for spec in specs]
        self._daemons = [LibvirtDaemon(**arguments) for arguments in options]

    def daemon(self, workload: Workload) -> LibvirtDaemon:
        """Return the daemon that has a domain.

        Raises:
            SourceAbsent: Its UUID is not known: only its control group was seen.
            SourceError: As of `daemon_of`.
        """
        if not UUID.fullmatch(workload.id.id):
            raise SourceAbsent(
                f"no libvirt that vmtop asks lists {workload.name}, and its UUID is not known", as_root()
            )
        return daemon_of(self._daemons, workload, _knows)

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        """Return whether virsh may reach another libvirt: its own variable overrides libvirt's (virsh(1))."""
        default = environ.get("LIBVIRT_DEFAULT_URI") or ""
        virsh = environ.get("VIRSH_DEFAULT_CONNECT_URI") or default or (_SYSTEM_URI if is_root else "")
        is_same = all((uri or default or _SYSTEM_URI) == virsh for uri in self._uris)
        return bool(workload.endpoint) or len(self._uris) > 1 or not is_same

    def command_address(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> str:
        """Return the connection's URI, unless virsh opens the same one whatever the environment is."""
        uris = [(uri or environ.get("LIBVIRT_DEFAULT_URI") or _SYSTEM_URI).strip() for uri in self._uris]
        if len(uris) > 1:
            uris = [uri for uri in uris if workload.endpoint and endpoint_of(uri) == workload.endpoint]
        is_plain = uris == [_SYSTEM_URI] and is_root and not self.needs_id(workload, environ, is_root)
        return uris[0] if len(uris) == 1 and not is_plain else ""

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.libvirt.actions import LibvirtActions

        return LibvirtActions(self)

    def limits(self, workload: Workload) -> EngineLimits:
        from collectors.engines.libvirt.limits.setter import LibvirtLimits

        return LibvirtLimits(self)

    def details(self) -> Callable[[Workload], list[Table]]:
        from collectors.engines.libvirt.details import LibvirtDetails

        return LibvirtDetails(self).tables

    def raw_description(self, workload: Workload) -> RawDescription:
        with self.daemon(workload).connection() as connection:
            xml = connection.lookupByUUIDString(workload.id.id).XMLDesc(0)
        return RawDescription("definition of the domain", redact_text(xml))

    def open_log(self, workload: Workload) -> Log:
        from collectors.engines.libvirt.console_log import open_console_log

        return open_console_log(workload, self)

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        if command:
            raise SourceAbsent(_NO_COMMANDS)
        from collectors.engines.libvirt.console import LibvirtConsole

        return LibvirtConsole(workload, self)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        raise SourceAbsent(_NO_COMMANDS)

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        from collectors.engines.libvirt.facts import LibvirtFacts

        yield LibvirtFacts(self, may_write).read


def _knows(daemon: LibvirtDaemon, workload: Workload) -> bool:
    try:
        with daemon.connection() as connection:
            connection.lookupByUUIDString(workload.id.id)
    except WorkloadGone:
        return False
    return True
