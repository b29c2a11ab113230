"""What the kubelet's files and cgroups say about its containers to a user who may not ask it.

The link `/var/log/containers/<pod>_<namespace>_<container>-<id>.log` to
`/var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log` names the newest start of each container. One whose
pod still has a cgroup, but which has none itself, has ended; if it was started again before, it will be again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from collectors.engines.kubernetes.pods import NOT_RUNNING
from collectors.kernel.cgroup.discovery import classify_path
from collectors.kernel.oci.kubelet_files import LINKS
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name

_TARGET = re.compile(r".*/([^_/]+)_([^_/]+)_([^_/]+)/([^/]+)/(\d{1,9})\.log")
_QOS = ("", "burstable", "besteffort")
_MOST = 5_000


class Start(NamedTuple):
    """The newest start of a container that the kubelet has a log of."""

    namespace: str
    pod: str
    uid: str
    container: str
    restarts: int
    id: str
    """The runtime's id, or the beginning of it."""


def starts(links: str = LINKS) -> list[Start]:
    """Return the newest start of each container; none without a kubelet."""
    newest: dict[tuple[str, str], Start] = {}
    for start in _linked(links):
        key = (start.uid, start.container)
        if key not in newest or start.restarts > newest[key].restarts:
            newest[key] = start
    return list(newest.values())


def _linked(links: str) -> Iterator[Start]:
    try:
        with os.scandir(links) as entries:
            names = [entry.name for _, entry in zip(range(_MOST), entries, strict=False)]
    except OSError:
        return
    for name in names:
        try:
            found = _TARGET.fullmatch(os.readlink(f"{links}/{name}"))
        except OSError:
            continue
        if found is not None:
            identity = name.removesuffix(".log").rpartition("-")[2]
            yield Start(found[1], found[2], found[3], found[4], int(found[5]), identity)


def to_workloads(found: Sequence[Start], roots: Sequence[str]) -> dict[WorkloadId, Workload]:
    """Describe the containers whose pod has a cgroup.

    Args:
        found: The newest starts.
        roots: The root of each hierarchy of cgroups.
    """
    running: dict[str, dict[str, str]] = {}
    workloads: dict[WorkloadId, Workload] = {}
    for start in found:
        if start.uid not in running:
            running[start.uid] = _containers_of(start.uid, roots) or {}
        members = running[start.uid]
        own = next((identity for identity in members if start.id and identity.startswith(start.id)), None)
        if own is not None:
            workload = _describe(start, WorkloadId(members[own], own), State.UNKNOWN)
        elif start.restarts and members:
            workload = _describe(start, WorkloadId("kubernetes", f"{start.uid}/{start.container}"), State.RESTARTING)
        else:  # it may have done what it was to do
            continue
        workloads[workload.id] = workload
    return workloads


def _describe(start: Start, identity: WorkloadId, state: State) -> Workload:
    return Workload(
        id=WorkloadId(identity.engine, sanitize(identity.id)),
        kind=Kind.CONTAINER,
        name=sanitize_name(f"{start.pod}/{start.container}"),
        state=state,
        project=sanitize_name(f"{start.namespace}/{start.pod}"),
        restarts=start.restarts,
        unmeasured=NOT_RUNNING if state is State.RESTARTING else (),
        state_reason="ended, and to be started again" if state is State.RESTARTING else None,
    )


def _containers_of(uid: str, roots: Sequence[str]) -> dict[str, str]:
    """Return the containers with a cgroup in a pod's, sandbox included: id -> engine; none for a pod that has ended.

    The first hierarchy that has any of them is as good as all.
    """
    found: dict[str, str] = {}
    for root in roots:
        for path in _pod_paths(uid):
            try:
                names = os.listdir(root + path)
            except OSError:
                continue
            for name in names:
                workload = classify_path(f"{path}/{name}").workload
                if workload is not None:
                    found[workload.id] = workload.engine
        if found:
            break
    return found


def _pod_paths(uid: str) -> Iterator[str]:
    """Yield where a pod's cgroup may be: the kubelet's `cgroupfs` and `systemd` drivers, by QoS class."""
    for qos in _QOS:
        yield f"/kubepods/{qos}/pod{uid}".replace("//", "/")
        middle = f"/kubepods-{qos}.slice" if qos else ""
        prefix = f"kubepods-{qos}" if qos else "kubepods"
        yield f"/kubepods.slice{middle}/{prefix}-pod{uid.replace('-', '_')}.slice"
