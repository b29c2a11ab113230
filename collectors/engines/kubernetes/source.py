"""The source of this host's pods: the kubelet's API where this user may ask it, otherwise the files that it leaves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection

from collectors.engines.kubernetes import kubelet_api, pod_files
from collectors.engines.kubernetes.kubelet_api import Kubelet
from collectors.engines.kubernetes.pods import containers, ending, to_workload
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.oci.kubelet_files import LINKS
from collectors.model.errors import AccessDenied, SourceAbsent
from collectors.model.workloads import Event, Workload, WorkloadId
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import count, part, text
from collectors.sampling.source import SourceReading

_PLACES = (
    "/var/lib/kubelet",
    "/var/lib/rancher/k3s",
    "/var/lib/rancher/rke2",
    "/var/snap/microk8s",
    "/var/lib/k0s",
    LINKS,
)
"""Folders of which a host with a kubelet has one."""
_LOOKS_FOR_API_EVERY = 6
_MISSING = "limits, probes, addresses and reasons of containers in pods are missing: only the kubelet's API has them"


class KubernetesSource:
    """Reads the containers of all pods of this host."""

    name = "kubernetes"
    interval_s = 10.0
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = 15.0
    is_near = True

    def __init__(self, url: str | None = None, links: str = LINKS, cgroups: str = "/sys/fs/cgroup") -> None:
        """Take the address of the kubelet (`None`: the usual ports), its folder of links, and the path of cgroupfs."""
        self._url = url or os.environ.get("KUBELET_URL") or None
        self._links = links
        self._cgroups = cgroups
        self._kubelet: Kubelet | None = None
        self._roots: tuple[str, ...] = ()
        """The root of each hierarchy of cgroups."""
        self._readings = 0
        self._restarts: dict[WorkloadId, int] = {}

    def open(self, wake: Callable[[], None]) -> None:
        """Look for a kubelet.

        Raises:
            SourceAbsent: This host has none.
            SourceError: The one at the given address cannot be asked.
        """
        if self._url is None and not any(map(os.path.exists, (*_PLACES, self._links))):
            raise SourceAbsent("this host runs no kubelet")
        self._kubelet = kubelet_api.find(self._url)
        self._roots = detect(self._cgroups).walked

    def read(self) -> SourceReading:
        """Ask the kubelet, or look at its files. Raises `SourceDown` when one that was asked before does not answer."""
        self._readings += 1
        if self._kubelet is None and self._readings % _LOOKS_FOR_API_EVERY == 0:
            self._kubelet = kubelet_api.find(self._url)
        if self._kubelet is not None:
            try:
                return self._ask(self._kubelet)
            except AccessDenied:
                if self._url is not None:
                    raise
                self._kubelet = None
        return self._look()

    def close(self) -> None:
        """Keep nothing open."""

    def _ask(self, kubelet: Kubelet) -> SourceReading:
        workloads: dict[WorkloadId, Workload] = {}
        events: list[Event] = []
        restarts: dict[WorkloadId, int] = {}
        pods = set()
        nodes = set()
        for one in containers(kubelet.get("/pods")):
            workload = to_workload(one)
            if workload is None:
                continue
            workloads[workload.id] = workload
            pods.add(workload.project)
            nodes.add(sanitize(text(part(one.pod, "spec").get("nodeName")), 64))
            uid = text(part(one.pod, "metadata").get("uid"))
            key = WorkloadId("kubernetes", f"{uid}/{text(one.status.get('name'))}")
            restarts[key] = count(one.status.get("restartCount")) or 0
            if restarts[key] > self._restarts.get(key, restarts[key]):
                detail = ending(part(one.status, "lastState", "terminated"))
                events.append(Event(time.time(), workload.id, "restart", detail, workload.name))
        self._restarts = restarts
        return SourceReading(
            workloads, {}, tuple(events), detail=_summary(len(pods), nodes), engines=frozenset({"kubernetes"})
        )

    def _look(self) -> SourceReading:
        workloads = pod_files.to_workloads(pod_files.starts(self._links), self._roots)
        pods = {workload.project for workload in workloads.values()}
        remedy = as_root() if os.geteuid() != 0 and pods else ""
        return SourceReading(
            workloads,
            {},
            detail=_summary(len(pods)),
            engines=frozenset({"kubernetes"}),
            unseen=_MISSING if pods else "",
            remedy=remedy,
        )


def _summary(pods: int, nodes: Collection[str] = ()) -> str:
    """Return `12 pods on NODE`; there is one node unless pods are just being moved to it."""
    words = f"{pods} pod{'' if pods == 1 else 's'}"
    return f"{words} on {next(iter(nodes))}" if len(nodes) == 1 and all(nodes) else words
