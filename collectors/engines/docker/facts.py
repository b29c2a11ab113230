"""Facts about a container that only the engine knows: its size, its privileges and its runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.containers import runtime_of
from collectors.model.errors import SourceError
from collectors.model.facts import Fact, unknown
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import count, objects

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess


class DockerFacts:
    """Queries containers one at a time; the sizes of all containers only once."""

    def __init__(self, access: DockerAccess) -> None:
        self._access = access
        self._sizes: dict[str, Fact] | None = None

    def read(self, workload: Workload) -> dict[str, Fact]:
        """Return `size_bytes`, `is_privileged` and `runtime`.

        Raises:
            SourceError: The engine cannot be queried.
        """
        with self._access.daemon(workload).client() as client:
            inspection: Any = client.inspect_container(workload.id.id)
        if not isinstance(inspection, Mapping):
            raise SourceError("the engine's answer is not a description")
        return {"size_bytes": self._size(workload), **privileges(inspection)}

    def _size(self, workload: Workload) -> Fact:
        if self._sizes is None:
            self._sizes = self._ask_sizes(workload)
        return self._sizes.get(workload.id.id, unknown("the engine did not report its size"))

    def _ask_sizes(self, workload: Workload) -> dict[str, Fact]:
        """Return the sizes of all containers of the engine, by id; empty if it does not answer."""
        try:
            with self._access.daemon(workload).client() as client:
                entries: Any = client.containers(all=True, size=True)
        except SourceError:
            return {}
        sizes = {}
        for entry in objects(entries):
            own, whole = count(entry.get("SizeRw")) or 0, count(entry.get("SizeRootFs")) or 0
            how = f"engine: SizeRw {own:,} of its own; the rest of {whole:,} bytes is its image, which others share"
            sizes[str(entry.get("Id"))] = Fact(float(whole), how)
        return sizes


def privileges(inspection: Mapping[str, Any]) -> dict[str, Fact]:
    """Return the facts about isolation in an inspection; empty if it has none."""
    host = inspection.get("HostConfig")
    if not isinstance(host, Mapping):
        return {}
    return {
        "is_privileged": Fact(float(bool(host.get("Privileged"))), "engine: HostConfig.Privileged"),
        "runtime": Fact(sanitize(str(runtime_of(inspection) or "")), "engine: its runtime"),
    }
