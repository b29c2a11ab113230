"""The engine's own, complete description of a workload: container inspection, domain XML or cgroup files."""

from __future__ import annotations

import os
from typing import NamedTuple

from collectors.engines.connections import EngineConnections
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.procfs import read_bytes
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize

_LONGEST = 2000
_FILE_LINES = 200


class Document(NamedTuple):
    """A titled text; its lines are sanitized."""

    title: str
    lines: tuple[str, ...]


def read_document(workload: Workload, connections: EngineConnections, root: str = "/sys/fs/cgroup") -> Document:
    """Read the description of a workload, with secrets masked. Blocks for as long as the engine takes.

    Raises:
        SourceError: It cannot be read.
    """
    description = connections.of(workload).raw_description(workload)
    if description is not None:
        return Document(description.title, _lines(description.text))
    return Document("cgroup files", _files(workload, root))


def _files(workload: Workload, root: str) -> tuple[str, ...]:
    directories = find_directories(detect(root), workload.cgroup) if workload.cgroup and workload.is_here else None
    if directories is None or not directories.all:
        raise SourceAbsent(f"{workload.name} has no cgroup on this host, and no engine that describes it")
    lines: list[str] = []
    for directory in directories.all:
        lines.append(sanitize(directory, _LONGEST))
        for name in sorted(os.listdir(directory)):
            text = read_bytes(f"{directory}/{name}") if os.path.isfile(f"{directory}/{name}") else None
            if text:
                lines += [f"  {sanitize(name)}", *(f"    {sanitize(line)}" for line in text.splitlines()[:_FILE_LINES])]
    return tuple(lines)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(sanitize(line, _LONGEST) for line in text.replace("\t", "  ").splitlines())
