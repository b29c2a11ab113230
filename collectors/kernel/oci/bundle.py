"""The OCI bundle of a running container, found without knowing where its engine keeps its state.

The parent of a container's first process is its shim or monitor. containerd starts a shim in the bundle of one of the
containers that it serves, and keeps all bundles next to each other, each in a folder that is called like the id
(containerd's runtime/v2: `<state>/io.containerd.runtime.v2.task/<namespace>/<id>`). conmon has the bundle's path in its
command line (`-b`). `config.json` (OCI runtime specification) is readable for root only.

Its annotations are containerd's (pkg/cri/annotations), CRI-O's (pkg/annotations) and nerdctl's (pkg/labels).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import msgspec

from collectors.kernel.procfs import read_bytes, read_process_stat
from collectors.safety.bounded_file import read_bounded
from collectors.safety.typed_json import decode

_LARGEST = 4 << 20
_CONTAINERD, _CRI_O = "io.kubernetes.cri.", "io.kubernetes.cri-o."
_KUBELET = "io.kubernetes."
_SHIM = b"containerd-shim"


class Bundle(NamedTuple):
    """What a bundle says about its container. Texts are not sanitized."""

    name: str | None = None
    """The container's name in its pod, or on its own; `None` for a sandbox, and where there is none."""
    pod: str | None = None
    """`namespace/pod`; `None` outside Kubernetes."""
    image: str | None = None
    is_sandbox: bool = False
    """Whether it holds the namespaces of its pod and runs nothing else."""
    namespace: str | None = None
    """containerd's namespace, such as `k8s.io`; `None` for other engines."""


class _Config(msgspec.Struct):
    annotations: dict[str, str] = {}


def read_bundle(proc: str, pid: int, container: str) -> Bundle | None:
    """Return what the bundle of a container says; `None` if there is none, or this user may not read it.

    Only a bundle of the user who runs the shim counts: a process may choose its parent's name, not its user.

    Args:
        proc: The path of procfs.
        pid: The container's first process.
        container: Its full id.
    """
    stat = read_process_stat(proc, pid)
    parent = stat.parent_pid if stat is not None else 0
    words = (read_bytes(f"{proc}/{parent}/cmdline") or b"").split(b"\0")[:-1] if parent else []
    folder = _folder(f"{proc}/{parent}", words, container)
    if folder is None:
        return None
    try:
        owner = os.stat(f"{proc}/{parent}").st_uid
    except OSError:
        return None
    text = read_bounded(f"{folder}/config.json", _LARGEST, owner)
    if text is None:
        return None
    try:
        annotations = decode(text, _Config).annotations
    except (msgspec.DecodeError, RecursionError):
        return None
    return parse(annotations)._replace(namespace=_option(words, b"-namespace") if _is_shim(words) else None)


def parse(annotations: Mapping[str, str]) -> Bundle:
    """Read the annotations of a container, whichever engine wrote them."""
    for prefix, kind, image in ((_CONTAINERD, "container-type", "image-name"), (_CRI_O, "ContainerType", "ImageName")):
        if container_type := annotations.get(prefix + kind):
            is_sandbox = container_type == "sandbox"
            return Bundle(
                None if is_sandbox else _first(annotations, f"{prefix}container-name", f"{_KUBELET}container.name"),
                _pod(annotations, prefix),
                None if is_sandbox else annotations.get(prefix + image),
                is_sandbox,
            )
    return Bundle(name=annotations.get("nerdctl/name"), image=annotations.get("nerdctl/image-ref"))


def _pod(annotations: Mapping[str, str], prefix: str) -> str | None:
    namespace = _first(annotations, f"{prefix}sandbox-namespace", f"{_KUBELET}pod.namespace")
    name = _first(annotations, f"{prefix}sandbox-name", f"{_KUBELET}pod.name")
    return f"{namespace}/{name}" if namespace and name else None


def _first(annotations: Mapping[str, str], *keys: str) -> str | None:
    return next((value for key in keys if (value := annotations.get(key))), None)


def _folder(parent: str, words: list[bytes], container: str) -> str | None:
    """Return the folder of a container's bundle, as the shim or monitor tells it; `None` where neither is its parent.

    The path leads through that process: its mount namespace is the engine's, and need not be vmtop's own.
    """
    if _is_shim(words):
        return f"{parent}/cwd/../{container}"
    bundle = _option(words, b"-b") if _program(words) == b"conmon" and _option(words, b"-c") == container else None
    return f"{parent}/root{bundle}" if bundle else None


def _is_shim(words: list[bytes]) -> bool:
    return _program(words).startswith(_SHIM)


def _program(words: list[bytes]) -> bytes:
    return words[0].rpartition(b"/")[2] if words else b""


def _option(words: list[bytes], name: bytes) -> str | None:
    return next((value.decode("utf-8", "replace") for option, value in pairwise(words) if option == name), None)
