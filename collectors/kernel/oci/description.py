"""What names a container whose engine is not asked: its bundle, the kubelet's files, or its own command line."""

from __future__ import annotations

from typing import NamedTuple

from collectors.kernel.cgroup.processes import monitor_name
from collectors.kernel.oci.bundle import Bundle, read_bundle
from collectors.kernel.oci.kubelet_files import LinkedContainer
from collectors.kernel.procfs import read_bytes

ENGINES = frozenset({"containerd", "cri-o", "kata"})
"""Engines whose containers have a bundle that says what vmtop wants to know; others are asked themselves."""
_SANDBOX = "POD"
"""What CRI-O calls the container of a sandbox, as the kubelet did with Docker."""
_PAUSE = b"pause"
"""The program of Kubernetes' sandboxes, whatever registry their image is from."""


class Description(NamedTuple):
    """What a container is. Texts are not sanitized; absent ones are unknown."""

    name: str | None = None
    """`pod/container` in a pod."""
    pod: str | None = None
    """`namespace/pod`."""
    image: str | None = None
    is_sandbox: bool = False
    """Whether it only holds its pod's namespaces."""


def describe(proc: str, pid: int | None, container: str, link: LinkedContainer | None) -> Description:
    """Describe a container of containerd or CRI-O.

    Args:
        proc: The path of procfs.
        pid: Its first process; `None` without one.
        container: Its full id.
        link: What the kubelet's link to its log says.
    """
    bundle = None if pid is None else read_bundle(proc, pid, container)
    if bundle is not None and (bundle.name or bundle.is_sandbox):
        return _of_bundle(bundle)
    if link is not None:
        return Description(_in_pod(link.name, link.pod), link.pod)
    name, pod = (None if pid is None else monitor_name(proc, pid, container)) or (None, None)
    if name is not None and pod is not None:
        return Description(None, pod, is_sandbox=True) if name == _SANDBOX else Description(_in_pod(name, pod), pod)
    return Description(is_sandbox=pid is not None and _is_pause(proc, pid))


def _of_bundle(bundle: Bundle) -> Description:
    name = _in_pod(bundle.name, bundle.pod) if bundle.name else None
    return Description(name, bundle.pod, bundle.image, bundle.is_sandbox)


def _in_pod(name: str, pod: str | None) -> str:
    return name if pod is None else f"{pod.rpartition('/')[2]}/{name}"


def _is_pause(proc: str, pid: int) -> bool:
    """Return whether a process calls itself as sandboxes do. Without the right to read the bundle, nothing else tells.

    Only for a container in a pod's cgroup to which the kubelet has no link: it links the log of every other one.
    """
    command = (read_bytes(f"{proc}/{pid}/cmdline") or b"").split(b"\0")[0]
    return command.rpartition(b"/")[2] == _PAUSE
