"""What a cgroup's path says about it: which engine made it, its id and kind, and whether to look below it. Pure.

A cgroup is classified by its name and by its parent, so that a walk classifies each directory once.
The patterns are those of Docker, Podman, containerd (CRI, nerdctl), CRI-O, the kubelet, LXC, Incus, systemd-nspawn,
libvirt, Proxmox and systemd, for the systemd and the cgroupfs driver.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from collectors.kernel.procfs import Process
from collectors.model.workloads import Kind


class Role(Enum):
    """What a cgroup may contain."""

    ROOT = "root"
    SLICE = "slice"
    """Holds units; an unknown child is a service of its own."""
    GROUP = "group"
    """An engine's folder or a pod; an unknown child is another folder."""
    FOLDER = "folder"
    """An unknown cgroup that turned out to hold containers; an unknown child is another folder, and a project."""
    LXC = "lxc"
    """Holds LXC containers under their plain names."""
    SERVICE = "service"
    """A service or a cgroup inside one; below it only containers and machines count."""
    MANAGER = "manager"
    """A user's own service manager, `user@UID.service`, or a slice inside one; below it are that user's units."""
    LEAF = "leaf"
    """A container or a machine: cgroups below are part of it, unless they are containers of the host (`nested`)."""
    SKIP = "skip"


class DiscoveredWorkload(NamedTuple):
    """A workload as far as its path identifies it. Names are not sanitized."""

    engine: str
    id: str
    kind: Kind
    name: str
    name_is_known: bool
    is_ambiguous: bool = False
    """Whether only its processes show which engine made it: one with a bare 64-digit id, or of LXC."""
    process: Process | None = None
    """The process that identified it, where its path does not: a machine's VMM."""


class Cgroup(NamedTuple):
    """A classified cgroup."""

    path: str
    """Below the cgroup root, with a leading slash; `/` is the root."""
    role: Role
    workload: DiscoveredWorkload | None = None
    """The workload that it is; `None` for a folder, a part of a workload, or one to skip."""
    project: str | None = None
    """The enclosing pod, otherwise the enclosing slice or folder."""
    service: str | None = None
    """Path of the innermost enclosing service; its own path for a service."""
    encloser: str | None = None
    """Path of the workload whose counters include this one's; `None` if there is none."""
    is_nested: bool = False
    """Whether it is a container below another container, by its path."""

    @property
    def is_payload(self) -> bool:
        """Whether it is a machine of systemd-nspawn by its cgroup's name alone: its processes have to confirm it."""
        return self.workload is not None and self.workload.is_ambiguous and self.path.endswith(f"/{_PAYLOAD}")

    @property
    def is_parent(self) -> bool:
        """Whether to look below it."""
        return self.role not in (Role.LEAF, Role.SKIP)


ROOT = Cgroup("/", Role.ROOT)

SERVICE_ENGINE = "systemd"
USER_ENGINE = "systemd-user"
"""The engine of a unit of a user's own service manager: the system manager may have another unit of that name."""
GENERIC_ENGINE = "cgroup"
"""The engine of a cgroup that no known engine made."""

_ID = "([0-9a-f]{64})"
_PREFIXED = re.compile(rf"(docker|cri-containerd|crio|libpod-payload|libpod|nerdctl)-{_ID}(?:\.scope)?")
_WITH_SLICE = re.compile(rf"(.*):(docker|cri-containerd|crio|libpod|nerdctl):{_ID}")
"""`slice:prefix:id`, the form for the systemd driver, as the cgroupfs driver of runc and crun takes it: literally."""
_ENGINE_OF_PREFIX = {
    "docker": "docker",
    "cri-containerd": "containerd",
    "nerdctl": "containerd",
    "crio": "cri-o",
    "libpod": "podman",
    "libpod-payload": "podman",
}
_BARE = re.compile(_ID)
_BARE_IN = {"docker": "docker", "moby": "docker", "k8s.io": "containerd", "default": "containerd"}
_POD = re.compile(r"(?:.*-)?pod([0-9a-f]{8}[0-9a-f_-]{23,28})(?:\.slice)?")
_PODMAN_POD = re.compile(rf"(?:.*-)?libpod_pod_{_ID}(?:\.slice)?")
_SKIPPED = re.compile(
    r"(?:libpod-conmon-|crio-conmon-|lxc\.monitor).*|lxc\.pivot|.+\.(?:mount|swap|socket|automount|device)"
)
_SKIPPED_INSIDE = re.compile(r"init\.scope|payload|supervisor|emulator|vcpu\d+|iothread\d+")
"""Parts of a machine or a container, or a nested systemd: they count with the cgroup that encloses them."""
_GROUPS = frozenset({"docker", "kubepods", "burstable", "besteffort", "libpod_parent", "crio", "machine", "k8s.io"})
_TOP_GROUPS = frozenset({"default", "moby", "buildkit"})
"""Namespaces of containerd, which are folders only at the top: elsewhere the words are common."""
_PAYLOAD, _SUPERVISOR = "payload", "supervisor"
"""The two cgroups that systemd-nspawn makes in the one that it was started in."""
_NSPAWN = re.compile(r"systemd-nspawn@(.+)\.service")
_MACHINE_SCOPE = re.compile(r"machine-(?:(qemu|lxc)-(\d+)-)?(.+)\.scope")
_LIBVIRT = re.compile(r"(?:(?:qemu|lxc)-\d+-)?(.+)\.libvirt-(qemu|lxc)")
_PROXMOX = re.compile(r"(\d+)\.scope")
_USER_MANAGER = re.compile(r"user@\d+\.service")
_UNITS = (".service", ".scope")
_ESCAPE = re.compile(r"\\x([0-9a-f]{2})")
_DEPTH = 32


def unescape(name: str) -> str:
    r"""Undo systemd's escapes (`\x2d`) in a unit's name; bytes that are not UTF-8 become U+FFFD."""
    if "\\x" not in name:
        return name
    raw = _ESCAPE.sub(lambda match: chr(0xDC00 + code) if (code := int(match[1], 16)) > 127 else chr(code), name)
    return raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def classify(parent: Cgroup, name: str) -> Cgroup:
    """Classify a child of a classified cgroup by its name."""
    path = parent.path.rstrip("/") + "/" + name
    if path.count("/") > _DEPTH:
        return Cgroup(path, Role.SKIP)
    workload = _container(parent, name) or _machine(parent, name) or _payload(parent, name)
    if workload is not None:
        return Cgroup(path, Role.LEAF, workload, _project(parent, name), parent.service, parent.service)
    is_inside = parent.role is not Role.ROOT or name == _SUPERVISOR
    if _SKIPPED.fullmatch(name) or (is_inside and _SKIPPED_INSIDE.fullmatch(name)):
        return Cgroup(path, Role.SKIP)
    return _folder(parent, name, path) or _service(parent, name, path)


def classify_path(path: str) -> Cgroup:
    """Classify a whole path, component by component. Below a leaf or a skipped cgroup, that cgroup is returned."""
    cgroup = ROOT
    for name in path.strip("/").split("/"):
        if not cgroup.is_parent or not name:
            break
        cgroup = classify(cgroup, name)
    return cgroup


def is_container_name(name: str) -> bool:
    """Whether a directory's name is that of a container, wherever the directory is."""
    return bool(_PREFIXED.fullmatch(name) or _BARE.fullmatch(name) or _with_slice(name))


def is_nested_workload(name: str) -> bool:
    """Whether a directory below a workload is, by its name, a workload of its own."""
    return is_container_name(name) or name.startswith("lxc.payload.") or bool(_MACHINE_SCOPE.fullmatch(name))


def nested(leaf: Cgroup, path: str) -> Cgroup:
    """Classify a container's cgroup below that of another container, as `--cgroup-parent` makes it."""
    above, _, name = path.rpartition("/")
    workload = _container(Cgroup(above, Role.LEAF), name)
    return Cgroup(path, Role.LEAF, workload, leaf.project, leaf.service, leaf.path, is_nested=True)


def as_folder(cgroup: Cgroup) -> Cgroup:
    """Turn an unknown cgroup that turned out to hold containers into their folder."""
    return Cgroup(cgroup.path, Role.FOLDER, None, cgroup.path.rpartition("/")[2])


def _with_slice(name: str) -> re.Match[str] | None:
    return _WITH_SLICE.fullmatch(name) if ":" in name else None


def _project(parent: Cgroup, name: str) -> str | None:
    """Return the project of a container: its pod or slice may be a part of its own name."""
    if (match := _with_slice(name)) and match[1]:
        return _pod(match[1]) or match[1]
    return parent.project


def _pod(name: str) -> str | None:
    """Return the project that a folder or slice names if it is a pod's; `None` otherwise."""
    if match := _POD.fullmatch(name):
        return "pod " + match[1].replace("_", "-")
    if match := _PODMAN_POD.fullmatch(name):
        return "pod " + match[1][:12]
    return None


def _container(parent: Cgroup, name: str) -> DiscoveredWorkload | None:
    folder = parent.path.rpartition("/")[2]
    if match := _PREFIXED.fullmatch(name):
        return DiscoveredWorkload(_ENGINE_OF_PREFIX[match[1]], match[2], Kind.CONTAINER, match[2][:12], False)
    if match := _with_slice(name):
        return DiscoveredWorkload(_ENGINE_OF_PREFIX[match[2]], match[3], Kind.CONTAINER, match[3][:12], False)
    if _BARE.fullmatch(name) and folder != "libpod_parent":
        engine = "containerd" if _POD.fullmatch(folder) else _BARE_IN.get(folder)
        return DiscoveredWorkload(engine or "docker", name, Kind.CONTAINER, name[:12], False, engine is None)
    if name.startswith("lxc.payload.") and len(name) > len("lxc.payload."):
        return _lxc(name.removeprefix("lxc.payload."))
    if parent.role is Role.LXC:
        return _lxc(name)
    if folder == "buildkit":
        return DiscoveredWorkload("buildkit", name, Kind.CONTAINER, name[:12], False)
    return None


def _lxc(name: str) -> DiscoveredWorkload:
    return DiscoveredWorkload("lxc", name, Kind.CONTAINER, unescape(name), True, is_ambiguous=True)


def _named_container(engine: str, name: str) -> DiscoveredWorkload:
    return DiscoveredWorkload(engine, name, Kind.CONTAINER, unescape(name), True)


def _machine(parent: Cgroup, name: str) -> DiscoveredWorkload | None:
    """Find virtual machines, and the containers of systemd-nspawn and libvirt, which share their folders."""
    unescaped = unescape(name)
    if match := _NSPAWN.fullmatch(name):
        return _named_container("nspawn", unescape(match[1]))
    if match := _LIBVIRT.fullmatch(unescaped):
        return _libvirt(match[2], name, match[1])
    if parent.path == "/qemu.slice" and (match := _PROXMOX.fullmatch(name)):
        return DiscoveredWorkload("proxmox", match[1], Kind.VM, match[1], False)
    if match := _MACHINE_SCOPE.fullmatch(unescaped):
        return _libvirt(match[1], name, match[3]) if match[1] else _named_container("nspawn", match[3])
    return None


def _payload(parent: Cgroup, name: str) -> DiscoveredWorkload | None:
    """Find a machine that systemd-nspawn started without a unit of its own: only its processes show that, and its name.

    Its id is that name; until it is known, the folder's stands in for it.
    """
    if name != _PAYLOAD or parent.role not in (Role.ROOT, Role.SLICE, Role.SERVICE, Role.MANAGER):
        return None
    folder = parent.path.rpartition("/")[2] or "nspawn"
    return DiscoveredWorkload("nspawn", folder, Kind.CONTAINER, unescape(folder), False, is_ambiguous=True)


def _libvirt(driver: str, scope: str, name: str) -> DiscoveredWorkload:
    """Describe a domain. libvirt shortens and escapes the name in a scope, so it is not known for certain."""
    if driver == "lxc":
        return DiscoveredWorkload("libvirt-lxc", scope, Kind.CONTAINER, name, False)
    return DiscoveredWorkload("qemu", scope, Kind.VM, name, False)


def _folder(parent: Cgroup, name: str, path: str) -> Cgroup | None:
    if pod := _pod(name):
        return Cgroup(path, Role.GROUP, None, pod, parent.service)
    if parent.path.endswith("/libpod_parent"):
        return Cgroup(path, Role.GROUP, None, "pod " + name[:12], parent.service)
    if name in ("lxc", "lxc.payload") and parent.role in (Role.ROOT, Role.SLICE):
        return Cgroup(path, Role.LXC, None, None, parent.service)
    if name.endswith(".slice") and parent.service is None:
        return Cgroup(path, Role.SLICE, None, name)
    if name.endswith(".slice") and parent.role is Role.MANAGER:
        return Cgroup(path, Role.MANAGER, None, parent.project, parent.service)
    if name in _GROUPS or name.endswith(".partition") or (name in _TOP_GROUPS and parent.role is Role.ROOT):
        return Cgroup(path, Role.GROUP, None, None, parent.service)
    if parent.role is Role.GROUP:
        return Cgroup(path, Role.GROUP, None, parent.project, parent.service)
    if parent.role is Role.FOLDER and not name.endswith(_UNITS):
        return Cgroup(path, Role.FOLDER, None, f"{parent.project}/{name}", parent.service)
    return None


def _service(parent: Cgroup, name: str, path: str) -> Cgroup:
    """Classify a unit or an unknown cgroup. Names of units are kept escaped: unescaped, two could look the same."""
    is_unit = name.endswith(_UNITS)
    if parent.role is Role.MANAGER and is_unit:
        workload = DiscoveredWorkload(USER_ENGINE, path, Kind.SERVICE, name, True)
        return Cgroup(path, Role.SERVICE, workload, parent.project, path, parent.service)
    if parent.service is not None:
        return Cgroup(path, Role.SERVICE, None, parent.project, parent.service)
    workload = DiscoveredWorkload(SERVICE_ENGINE if is_unit else GENERIC_ENGINE, path, Kind.SERVICE, name, True)
    role = Role.MANAGER if _USER_MANAGER.fullmatch(name) else Role.SERVICE
    return Cgroup(path, role, workload, parent.project, path)
