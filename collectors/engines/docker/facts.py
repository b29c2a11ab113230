"""What only the engine knows of a container for the comparison of classes: its size, its privileges, its runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from collectors.model.errors import SourceError
from collectors.model.facts import Fact, unknown
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import count, objects

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess

_SIZES_TIMEOUT_S = 20.0
"""An engine adds up every file of every container for it."""


class DockerFacts:
    """Asks for one container after the other; for the sizes of all containers once."""

    def __init__(self, access: DockerAccess) -> None:
        self._access = access
        self._sizes: dict[str, Fact] | None = None

    def read(self, workload: Workload) -> dict[str, Fact]:
        """Return `size_bytes`, `is_privileged` and `runtime`.

        Raises:
            SourceError: The engine cannot be asked.
        """
        with self._access.daemon(workload).client() as client:
            inspection: Any = client.inspect_container(workload.id.id)
        if not isinstance(inspection, Mapping):
            raise SourceError("the engine's answer is no description")
        return {"size_bytes": self._size(workload), **privileges(inspection)}

    def _size(self, workload: Workload) -> Fact:
        if self._sizes is None:
            self._sizes = self._ask_sizes(workload)
        return self._sizes.get(workload.id.id, unknown("the engine did not tell its size"))

    def _ask_sizes(self, workload: Workload) -> dict[str, Fact]:
        """Ask once for all containers of the engine: it goes through their files."""
        try:
            with self._access.daemon(workload).client(_SIZES_TIMEOUT_S) as client:
                listed: Any = client.containers(all=True, size=True)
        except SourceError:
            return {}
        sizes = {}
        for entry in objects(listed):
            own, whole = count(entry.get("SizeRw")) or 0, count(entry.get("SizeRootFs")) or 0
            how = f"engine: SizeRw {own:,} of its own, the rest of {whole:,} bytes is its image, shared by all of it"
            sizes[str(entry.get("Id"))] = Fact(float(whole), how)
        return sizes


def privileges(inspection: Mapping[str, Any]) -> dict[str, Fact]:
    """Return what an inspection tells of a container's isolation; empty when it has no such part."""
    host = inspection.get("HostConfig")
    if not isinstance(host, Mapping):
        return {}
    return {
        "is_privileged": Fact(float(bool(host.get("Privileged"))), "engine: HostConfig.Privileged"),
        "runtime": Fact(sanitize(str(host.get("Runtime") or "")), "engine: HostConfig.Runtime"),
    }
