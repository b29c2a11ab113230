"""Podman as a source: Docker's, with sockets, pods and on-demand services of its own."""

from __future__ import annotations

from collectors.engines.docker.connection.endpoint import Endpoint
from collectors.engines.docker.source import DockerSource
from collectors.engines.podman.address import resolve
from collectors.model.errors import SourceDown


class PodmanSource(DockerSource):
    """Reads a Podman engine through its API. Its arguments are those of `DockerSource`."""

    name = "podman"

    def _find(self) -> Endpoint:
        return resolve(self._url, self._insecure)

    def _check_greeting(self) -> None:
        if self._greeting.engine != self.name:
            place = self._endpoint.location
            raise SourceDown(f"Docker answers at {place}, not Podman", f"vmtop --docker {self._url or 'URL'}")
