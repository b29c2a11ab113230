"""Access to single containers of the sampled Podman engines, and of those that an address of Docker leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.engines.docker.access import DockerAccess
from collectors.engines.docker.connection.client import DockerDaemon
from collectors.engines.docker.connection.endpoint import Endpoint
from collectors.engines.podman.engine import OF_USER
from collectors.engines.podman.sockets import own_socket, user_of
from collectors.model.limits import EngineLimits
from collectors.model.logs import Log
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec


class PodmanAccess(DockerAccess):
    """Everything that can be done with a container of Podman on demand."""

    engine = "podman"

    def __init__(self, specs: Sequence[SourceSpec]) -> None:
        super().__init__(specs)
        self._addresses = [str(spec.options.get("url") or "") for spec in specs if spec.name == "podman"]
        self._addresses += [
            str(spec.options["url"]) for spec in specs if spec.name == "docker" and spec.options.get("url")
        ]

    def _find(self, spec: SourceSpec) -> Endpoint:
        from collectors.engines.podman.address import resolve

        options: dict[str, Any] = spec.options
        return resolve(**options) if spec.name == "podman" else super()._find(spec)

    def daemons(self, workload: Workload) -> list[DockerDaemon]:
        """Return the daemons that may have a container: a user's, only if it may be that user's container."""
        user = OF_USER.search(workload.cgroup or "")
        owner = int(user[1]) if user else 0
        pairs = zip(self._daemons, self._urls, strict=True)
        others = ((daemon, user_of((url or "").removeprefix("unix://"))) for daemon, url in pairs)
        return [daemon for daemon, other in others if other is None or not workload.cgroup or other == owner]

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        """Return whether the podman command may reach another engine: without its address, it is this user's."""
        return not self._is_own(workload, environ, is_root)

    def command_address(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> str:
        """Return the address of the engine, unless it is this user's own."""
        if self._is_own(workload, environ, is_root):
            return ""
        addresses = list(filter(None, [address or environ.get("CONTAINER_HOST", "") for address in self._addresses]))
        if len(addresses) > 1:
            addresses = [address for address in addresses if self._fits(address, workload)]
        return addresses[0] if len(addresses) == 1 else ""

    def _is_own(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        if workload.endpoint or environ.get("CONTAINER_HOST"):
            return False
        own = "unix://" + own_socket(environ, 0 if is_root else 1)
        return own in self._addresses and (len(self._addresses) == 1 or self._fits(own, workload))

    def _fits(self, address: str, workload: Workload) -> bool:
        """Return whether an address is of the workload's host and of the user in whose slice its group is."""
        if workload.endpoint or not address.startswith("unix://"):
            return Endpoint(address).shown == workload.endpoint
        user = OF_USER.search(workload.cgroup or "")
        return bool(workload.cgroup) and (user_of(address.removeprefix("unix://")) or 0) == (
            int(user[1]) if user else 0
        )

    def limits(self, workload: Workload) -> EngineLimits:
        from collectors.engines.podman.limits import PodmanLimits

        return PodmanLimits(self)

    def open_log(self, workload: Workload) -> Log:
        from collectors.engines.podman.logs import PodmanLog

        return PodmanLog(workload, self)
