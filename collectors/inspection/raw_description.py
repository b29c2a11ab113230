"""The engine's own description of a workload, whole: a container's inspection, a domain's XML, a cgroup's files."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from collectors.engines.family import Family, family
from collectors.engines.registry import Reach
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_homes
from collectors.kernel.procfs import read_bytes
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_json, redact_text
from collectors.safety.sanitize import sanitize

_LONGEST = 2000
_FILE_LINES = 200


class Document(NamedTuple):
    """A text of inert lines."""

    title: str
    lines: tuple[str, ...]


def read_document(workload: Workload, reach: Reach, root: str = "/sys/fs/cgroup") -> Document:
    """Read the description of a workload, with secrets masked. Blocks for as long as the engine takes.

    Raises:
        SourceError: It cannot be read.
    """
    known = family(workload)
    if known is Family.DOCKER:
        with reach.docker(workload).client() as client:
            found: Any = client.inspect_container(workload.id.id)
        text = json.dumps(redact_json(found), indent=2, ensure_ascii=False)
        return Document("inspection by the engine", _lines(text))
    if known is Family.LIBVIRT:
        with reach.libvirt(workload).connection() as connection:
            xml = connection.lookupByUUIDString(workload.id.id).XMLDesc(0)
        return Document("definition of the domain", _lines(redact_text(xml)))
    return Document("files of the cgroup", _files(workload, root))


def _files(workload: Workload, root: str) -> tuple[str, ...]:
    homes = find_homes(detect(root), workload.cgroup) if workload.cgroup and not workload.endpoint else None
    if homes is None or not homes.all:
        raise SourceAbsent(f"{workload.name} has no cgroup on this host, and no engine that describes it")
    lines: list[str] = []
    for home in homes.all:
        lines.append(sanitize(home, _LONGEST))
        for name in sorted(os.listdir(home)):
            text = read_bytes(f"{home}/{name}") if os.path.isfile(f"{home}/{name}") else None
            if text:
                lines += [f"  {sanitize(name)}", *(f"    {sanitize(line)}" for line in text.splitlines()[:_FILE_LINES])]
    return tuple(lines)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(sanitize(line, _LONGEST) for line in text.replace("\t", "  ").splitlines())
