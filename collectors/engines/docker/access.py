"""Access to single containers of the sampled Docker engines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from collectors.engines.access import EngineAccess, ReadFacts, daemon_of
from collectors.engines.docker.connection.client import DockerDaemon, WrongEngine
from collectors.engines.docker.connection.endpoint import Endpoint
from collectors.engines.registry import owner
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import RawDescription, Table
from collectors.model.errors import WorkloadGone
from collectors.model.limits import EngineLimits
from collectors.model.logs import Log
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_json
from collectors.sampling.source import SourceSpec

_KNOWS_S = 10.0
"""Seconds for one of several engines to say whether it has a workload: one that hangs must not use up all the time that
an action on another one's workload has."""

_DEFAULT_ADDRESS = "unix:///var/run/docker.sock"


class DockerAccess(EngineAccess):
    """Everything that can be done with a container on demand.

    Args:
        specs: The Docker sources that are sampled.
    """

    engine = "docker"

    def __init__(self, specs: Sequence[SourceSpec]) -> None:
        self._urls: list[str | None] = [str(spec.options.get("url") or "") or None for spec in specs]
        self._daemons = [DockerDaemon(partial(self._find, spec), self.engine) for spec in specs]

    def _find(self, spec: SourceSpec) -> Endpoint:
        from collectors.engines.docker.connection.address import resolve

        options: dict[str, Any] = spec.options
        return resolve(**options)

    def daemon(self, workload: Workload) -> DockerDaemon:
        """Return the daemon that runs a container.

        Raises:
            SourceAbsent: None is known to run it, so that no other one may be asked.
            SourceError: As `daemon_of` does.
        """
        if (error := owner(workload).unreachable(workload)) is not None:
            raise error
        return daemon_of(self.daemons(workload), workload, _knows)

    def daemons(self, workload: Workload) -> list[DockerDaemon]:
        """Return the daemons that may have a container."""
        return self._daemons

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        """Return whether the docker command may reach another engine. Its current context is not checked."""
        if workload.endpoint:
            return True
        is_same = all(url is None or url == environ.get("DOCKER_HOST") for url in self._urls)
        return len(self._urls) > 1 or not is_same

    def command_address(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> str:
        """Return the address of the option or of DOCKER_HOST, unless it is the default socket. No context is read."""
        addresses = [(url or environ.get("DOCKER_HOST") or "").strip() for url in self._urls]
        if len(addresses) > 1:
            addresses = [address for address in addresses if workload.endpoint and _host(address) == workload.endpoint]
        return addresses[0] if len(addresses) == 1 and addresses[0] != _DEFAULT_ADDRESS else ""

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.docker.actions import DockerActions

        return DockerActions(self)

    def limits(self, workload: Workload) -> EngineLimits:
        from collectors.engines.docker.limits import DockerLimits

        return DockerLimits(self)

    def details(self) -> Callable[[Workload], list[Table]]:
        from collectors.engines.docker.details import DockerDetails

        return DockerDetails(self).tables

    def raw_description(self, workload: Workload) -> RawDescription:
        with self.daemon(workload).client() as client:
            inspection: Any = client.inspect_container(workload.id.id)
            text = json.dumps(redact_json(inspection), indent=2, ensure_ascii=False)  # which fails if it is too deep
        return RawDescription("inspection by the engine", text)

    def open_log(self, workload: Workload) -> Log:
        from collectors.engines.docker.logs import DockerLog

        return DockerLog(workload, self)

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        from collectors.engines.docker.console import DockerConsole

        return DockerConsole(workload, self, command)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        from collectors.engines.docker.console import DockerCommand

        return DockerCommand(workload, self, command)

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        from collectors.engines.docker.facts import DockerFacts

        yield DockerFacts(self).read


def _host(address: str) -> str:
    return Endpoint(address).shown


def _knows(daemon: DockerDaemon, workload: Workload) -> bool:
    try:
        with daemon.client(_KNOWS_S) as client:
            client.inspect_container(workload.id.id)
    except (WorkloadGone, WrongEngine):  # an id says nothing: another engine could list the same one
        return False
    return True
