"""What a kubelet leaves in `/var/log`, which every user may list: the names of pods and of their containers.

`/var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log` are the logs, and
`/var/log/containers/<pod>_<namespace>_<container>-<id>.log` are links to them (kubelet's kuberuntime, `legacy.go`). A
link's name is cut after 251 characters, so that of a long pod has only a part of the id, or none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from collectors.safety.sanitize import sanitize

PODS, LINKS = "/var/log/pods", "/var/log/containers"
SHORT_ID = 12
"""Characters of an id that identify a container of a host; a link with fewer says nothing."""
_MOST = 5_000
"""Pods or links that are looked at: a kubelet runs 110 pods by default, and logs outlive them for a while."""


class LinkedContainer(NamedTuple):
    """What the name of a link says. Texts are sanitized."""

    name: str
    pod: str
    """`namespace/pod`."""


def pods(folder: str = PODS) -> dict[str, str]:
    """Return `namespace/pod`, sanitized, by the pod's UID; empty without a kubelet."""
    names: dict[str, str] = {}
    for entry in _entries(folder):
        namespace, _, rest = entry.partition("_")
        pod, _, uid = rest.rpartition("_")
        if namespace and pod and uid:
            names[uid] = sanitize(f"{namespace}/{pod}")
    return names


def linked(folder: str = LINKS) -> dict[str, LinkedContainer]:
    """Return the containers that links name, by their ids, of which a long link has only the beginning."""
    containers: dict[str, LinkedContainer] = {}
    for entry in _entries(folder):
        stem, _, identity = entry.removesuffix(".log").rpartition("-")
        parts = stem.split("_")
        if len(parts) == 3 and len(identity) >= SHORT_ID:
            containers[identity] = LinkedContainer(sanitize(parts[2]), sanitize(f"{parts[1]}/{parts[0]}"))
    return containers


def _entries(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_MOST), entries, strict=False):
                yield entry.name
    except OSError:
        return
