"""One closer look: what the engine and the kernel tell of a workload, and what of it cannot be read."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.engines.docker.details import DockerDetails
from collectors.engines.family import Family, family
from collectors.engines.libvirt.details import LibvirtDetails
from collectors.engines.registry import Reach
from collectors.kernel.details import KernelDetails
from collectors.model.details import Details, Fact, Page, Table
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize


class DetailsReader:
    """Looks at one workload, again and again, from one thread. Rates come with the second look.

    Args:
        reach: The way to the engines.
        root: Where the cgroup trees are mounted.
        proc: Where the kernel tells of processes.
    """

    def __init__(self, reach: Reach, root: str = "/sys/fs/cgroup", proc: str = "/proc") -> None:
        self._kernel = KernelDetails(root, proc)
        self._docker = DockerDetails(reach)
        self._libvirt = LibvirtDetails(reach)

    def read(self, workload: Workload) -> Details:
        """Look. Blocks for as long as an engine takes; what fails is told in `problems`, and the rest is there."""
        tables: list[Table] = []
        problems: list[str] = []
        known = family(workload)
        parts: list[Callable[[Workload], list[Table]]] = []
        if known is Family.DOCKER:
            parts.append(self._docker.tables)
        elif known is Family.LIBVIRT:
            parts.append(self._libvirt.tables)
        else:
            tables.append(_plain(workload))
        for part in (*parts, self._kernel.tables):
            try:
                tables += part(workload)
            except SourceError as error:
                problems.append(error.reason + (f"; fix: {error.remedy}" if error.remedy else ""))
            except OSError as error:
                problems.append(f"a file of the kernel cannot be read: {sanitize(str(error))}")
        return Details(time.monotonic_ns(), tuple(tables), tuple(problems))


def _plain(workload: Workload) -> Table:
    """Tell what is known of a workload whose engine cannot be asked."""
    facts = (
        Fact("id", workload.id.id),
        Fact("engine", workload.id.engine),
        Fact("description", workload.description),
        Fact("belongs to", workload.project),
    )
    return Table(Page.FACTS, workload.kind.capitalize(), facts=facts)
