"""A client that asks Podman through Podman's own API where Docker's leaves something out or makes something up.

Imports docker-py, so it is imported late.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.engines.docker.connection.bounded_client import BoundedClient
from collectors.engines.podman.entries import as_dockers


class PodmanClient(BoundedClient):
    """Lists and inspects through `/libpod`: Docker's API tells nothing of pods and runtimes."""

    libpod = ""
    """The version of Podman's own API."""

    def containers(self, *_: Any, size: bool = False, **__: Any) -> list[Any]:
        """Return all containers, in the form of Docker's list, with `Pod`, `PodName`, `IsInfra` and `Health`."""
        answer = self._ask("/containers/json", all="true", **({"size": "true"} if size else {}))
        if not isinstance(answer, list):
            raise ValueError("the list of containers is not a list")
        return [as_dockers(entry) for entry in answer]

    def inspect_container(self, container: Any) -> Any:
        """Return Podman's own description."""
        return self._ask(f"/containers/{container}/json")

    def top(self, container: Any, ps_args: str | None = None) -> Any:
        """Return the processes; Docker's form has each row as one text."""
        return self._ask(f"/containers/{container}/top", stream="false")

    def update_resources(self, container: str, resources: Mapping[str, Any]) -> None:
        """Have a container's runtime change the resources that are named, in the form of the OCI specification."""
        address = f"{self.base_url}/v{self.libpod}/libpod/containers/{container}/update"
        response = self.post(address, json=resources, timeout=self.timeout)
        self._raise_for_status(response)

    def _ask(self, path: str, **parameters: str) -> Any:
        address = f"{self.base_url}/v{self.libpod}/libpod{path}"
        response = self.get(address, params=parameters, timeout=self.timeout)
        self._raise_for_status(response)
        return response.json()
