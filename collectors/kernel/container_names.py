"""Names of containers that engines leave in files, for ids whose engine cannot be asked.

Kubernetes' names are in the kubelet's files (`kernel.oci.kubelet_files`). Podman names a container in its storage
(github.com/containers/storage), in `<driver>-containers/containers.json`; one that is removed at its end in
`volatile-containers.json` next to it. Root's storage is in /var/lib, every other user's in that user's home. Proxmox VE
has a container's host name in /etc/pve/lxc/<number>.conf (pct.conf(5)).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from collectors.kernel import procfs
from collectors.kernel.lxc_monitors import PROXMOX
from collectors.kernel.oci import kubelet_files
from collectors.kernel.oci.kubelet_files import SHORT_ID, LinkedContainer
from collectors.safety.bounded_file import read_bounded
from collectors.safety.sanitize import sanitize
from collectors.safety.typed_json import decode

POD = "pod "
"""What the project of a pod begins with that is only known by its UID."""
_OF_USER = re.compile(r"/user\.slice/user-(\d+)\.slice/")
_IN_HOME = ".local/share"
_IN_DATA = "containers/storage"
_DRIVERS = ("overlay", "vfs", "btrfs")
_FILES = ("containers.json", "volatile-containers.json")
_HOSTNAME = re.compile(rb"^hostname:[ \t]*(\S+)", re.MULTILINE)
_LARGEST_CONFIGURATION = 256 << 10
_LARGEST = 16 << 20
"""Bytes of a file that is read: some 10,000 containers."""

NameAndPod = tuple[str, str | None]


class Names:
    """Names by id.

    Args:
        kubernetes: The folder of the kubelet's links to logs.
        podman: The storage of root's Podman.
        users: The users and their homes. It is read instead of asking the name service, which may be far away.
        proxmox: The folder in which Proxmox VE keeps the configuration of its guests.
        pods: The folder with the logs of the kubelet's pods.
    """

    def __init__(
        self,
        kubernetes: str = kubelet_files.LINKS,
        podman: str = "/var/lib/containers/storage",
        users: str = "/etc/passwd",
        proxmox: str = PROXMOX,
        pods: str = kubelet_files.PODS,
    ) -> None:
        self.proxmox = proxmox
        self._kubernetes = kubernetes
        self._podman = podman
        self._users = users
        self._pods_folder = pods
        self._pods: dict[str, str] = {}
        """Names of pods by their UIDs."""
        self._links: dict[str, tuple[str, LinkedContainer]] = {}
        """The beginning of an id -> as much of it as the link has, and what the link says."""
        self._names: dict[str, NameAndPod] = {}
        self._of_users: dict[int, dict[str, NameAndPod]] = {}
        """User id -> names in that user's storage, read when the first of its containers is seen."""
        self._parsed: dict[str, tuple[tuple[int, int, int], dict[str, NameAndPod]]] = {}
        """Path -> inode, time and size of the file when it was parsed, and the names in it."""

    def refresh(self) -> None:
        """Read the files again that have changed. Missing and unreadable files give no names."""
        self._names = self._from_storage(Path(self._podman), None)
        self._pods = kubelet_files.pods(self._pods_folder)
        linked = kubelet_files.linked(self._kubernetes)
        self._links = {identity[:SHORT_ID]: (identity, container) for identity, container in linked.items()}
        self._of_users = {}

    def find(self, container: str, path: str = "") -> NameAndPod | None:
        """Return a container's name in Podman's storage, and its pod; `None` if it is not there.

        A user's files name only containers in that user's slice: they could give any name to those of others.

        Args:
            container: Its full id.
            path: Path of its cgroup.
        """
        name = self._names.get(container)
        user = _OF_USER.match(path) if name is None and path.startswith("/user.slice/") else None
        return name if user is None else self._of_user(int(user[1])).get(container)

    def knows(self, container: str, path: str) -> bool:
        """Return whether a file names a container; the arguments are those of `find`."""
        return self.find(container, path) is not None or self.link(container) is not None

    def link(self, container: str) -> LinkedContainer | None:
        """Return what the kubelet's link to a container's log says; `None` without one."""
        identity, linked = self._links.get(container[:SHORT_ID], ("", None))
        return linked if container.startswith(identity) else None

    def pod(self, project: str | None) -> str | None:
        """Return `namespace/pod` for the project `pod UID` that a path gives; other projects unchanged."""
        is_pod = project is not None and project.startswith(POD)
        return self._pods.get(project.removeprefix(POD), project) if is_pod and project is not None else project

    def proxmox_hostname(self, number: str) -> str | None:
        """Return the host name of a container of Proxmox VE by its number; `None` if its configuration has none."""
        text = read_bounded(f"{self.proxmox}/lxc/{number}.conf", _LARGEST_CONFIGURATION) or b""
        own_part = text.partition(b"\n[")[0]  # the sections after it are snapshots
        found = _HOSTNAME.search(own_part)
        return found[1].decode("utf-8", "replace") if found else None

    def _of_user(self, user: int) -> dict[str, NameAndPod]:
        if user not in self._of_users:
            self._of_users[user] = self._from_storage(self._data_folder(user) / _IN_DATA, user)
        return self._of_users[user]

    def _data_folder(self, user: int) -> Path:
        """Return where a user's programs keep their data, as far as other users can tell."""
        if user == os.geteuid() and (own := os.environ.get("XDG_DATA_HOME")):
            return Path(own)
        for line in (procfs.read_bytes(self._users) or b"").decode("utf-8", "surrogateescape").splitlines():
            fields = line.split(":")
            if len(fields) == 7 and fields[2] == str(user):
                return Path(fields[5]) / _IN_HOME
        return Path("/nonexistent")

    def _from_storage(self, storage: Path, owner: int | None) -> dict[str, NameAndPod]:
        names: dict[str, NameAndPod] = {}
        for driver in _DRIVERS:
            for file in _FILES:
                names.update(self._from_file(f"{storage}/{driver}-containers/{file}", owner))
        return names

    def _from_file(self, path: str, owner: int | None) -> dict[str, NameAndPod]:
        """Return the names in one file. It may be anything that its owner puts there: a pipe, a link, any size."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return {}
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST or owner not in (None, status.st_uid):
                return {}
            version = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._parsed.get(path, (None,))[0] != version:
                self._parsed[path] = (version, dict(_parse(os.pread(descriptor, _LARGEST, 0))))
            return self._parsed[path][1]
        except OSError:
            return {}
        finally:
            os.close(descriptor)


class _PodmanContainer(msgspec.Struct):
    """The part of a storage record that names a container."""

    id: str
    names: list[str] = []


def _parse(text: bytes) -> Iterator[tuple[str, NameAndPod]]:
    try:
        containers = decode(text or b"[]", list[_PodmanContainer])
    except msgspec.DecodeError:
        return
    for container in containers:
        if container.names:
            yield container.id, (sanitize(container.names[0]), None)
