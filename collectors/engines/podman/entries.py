"""Puts an entry of Podman's own list of containers into the form of Docker's list. Pure; every field is optional."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.safety.untrusted import items, objects, part, positive, text, whole_number

_ENDED = frozenset({"exited", "stopped"})
_PORTS_AT_MOST = 1000
_HEALTH = frozenset({"healthy", "unhealthy", "starting"})


def as_dockers(entry: object) -> object:
    """Return the entry as in `GET /containers/json`, and with `Pod`, `PodName` and `IsInfra` as in Podman's.

    Podman's `Status` is the health, and not a sentence. Exit codes are written as Docker's sentence has them.
    """
    if not isinstance(entry, Mapping):
        return entry
    code = whole_number(entry.get("ExitCode"))
    status = text(entry.get("Status"))
    has_ended = text(entry.get("State")) in _ENDED
    return {
        "Id": entry.get("Id"),
        "Names": [f"/{name}" for name in items(entry.get("Names")) if isinstance(name, str)],
        "Image": entry.get("Image"),
        "State": entry.get("State"),
        "Status": f"Exited ({code})" if has_ended and code is not None else "",
        "Health": {"Status": status} if status in _HEALTH else {},
        "Labels": part(entry, "Labels"),
        "Ports": list(_ports(entry.get("Ports"))),
        "Pod": entry.get("Pod"),
        "PodName": entry.get("PodName"),
        "IsInfra": entry.get("IsInfra"),
        "SizeRw": part(entry, "Size").get("rwSize"),
        "SizeRootFs": part(entry, "Size").get("rootFsSize"),
    }


def _ports(ports: object) -> Iterator[dict[str, Any]]:
    """Yield an entry of Docker's for each port of Podman's ranges."""
    left = _PORTS_AT_MOST
    for mapping in objects(ports):
        inside, outside = positive(mapping.get("container_port")), positive(mapping.get("host_port"))
        if inside is None:
            continue
        for offset in range(min(positive(mapping.get("range")) or 1, left)):
            yield {
                "PrivatePort": inside + offset,
                "PublicPort": None if outside is None else outside + offset,
                "Type": mapping.get("protocol"),
                "IP": mapping.get("host_ip"),
            }
            left -= 1
