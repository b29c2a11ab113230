"""Kubernetes: the pods that the kubelet of this host runs, on containerd, CRI-O or Kata."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors.engines.about import About
from collectors.engines.base import Engine
from collectors.engines.options import EngineOption

if TYPE_CHECKING:
    from collectors.engines.kubernetes.access import KubernetesAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec

_RUNTIMES = frozenset({"containerd", "cri-o", "kata"})
_AT_ONCE = ("--grace-period=0", "--force")
_DELETES = frozenset({"stop", "restart", "remove"})


class KubernetesEngine(Engine):
    """Containers in pods. The kubelet keeps them as their pods say: nothing is done to them here."""

    name = "kubernetes"
    about = About(
        "Kubernetes",
        "pods as groups with their network; names, images, restarts, logs and a shell; with the kubelet's API also "
        "why containers do not run (`CrashLoopBackOff`), probes, addresses, ports, requests, limits and QoS class",
        "names and restarts: nothing; logs, images and a shell: root; the kubelet's API: its read-only port, or a "
        "client certificate on this host that this user may read",
        "kubelet 1.20 and containerd 1.6; CRI-O and Kata by their paths and command lines",
    )
    engine_names = frozenset({"kubernetes"})
    kinds = frozenset({"container"})
    address = EngineOption(
        "--kubelet",
        "url",
        "Kubelet of this host, e.g. http://127.0.0.1:10255.",
        "URL",
        ("http://", "https://"),
        "KUBELET_URL",
    )
    daemons = frozenset({"kubelet"})

    def owns(self, workload: Workload) -> bool:
        return workload.id.engine == self.name or (workload.id.engine in _RUNTIMES and is_in_pod(workload))

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.kubernetes.source import KubernetesSource

        return KubernetesSource

    def connect(self, specs: Sequence[SourceSpec]) -> KubernetesAccess:
        from collectors.engines.kubernetes.access import KubernetesAccess

        return KubernetesAccess(specs)

    def forbids(self, verb: Verb, workload: Workload) -> str:
        if pod_of(workload) is None:
            return "a kubelet owns it and would undo this: use kubectl"
        if command := kubectl(verb, workload):
            return f"use {command}: a kubelet owns it"
        return f"a kubelet owns it, and kubectl cannot {verb} it"

    def commands(self, request: Request) -> tuple[str, ...]:
        command = kubectl(request.verb, request.workload)
        return (command,) if command else ()


def is_in_pod(workload: Workload) -> bool:
    """Return whether a workload is known to be in a pod of Kubernetes: by its group, or by its cgroup alone."""
    return pod_of(workload) is not None or "kubepods" in (workload.cgroup or "")


def pod_of(workload: Workload) -> tuple[str, str] | None:
    """Return the namespace and the name of a workload's pod; `None` where they are not known."""
    namespace, slash, pod = (workload.project or "").partition("/")
    is_named_so = workload.name == pod or workload.name.startswith(f"{pod}/")
    return (namespace, pod) if slash and pod and is_named_so else None


def kubectl(verb: str, workload: Workload) -> str:
    """Return the command, quoted for a shell, that comes closest to a verb; empty if there is none.

    A pod that a controller made comes back under another name, a static one under its own.
    """
    pod = pod_of(workload)
    if pod is None or verb not in _DELETES | {"kill"}:
        return ""
    words = ["kubectl", "delete", "pod", "-n", pod[0], *(_AT_ONCE if verb == "kill" else ())]
    if any(name.startswith("-") for name in pod):  # no name of Kubernetes does
        return ""
    return shlex.join([*words, pod[1]])
