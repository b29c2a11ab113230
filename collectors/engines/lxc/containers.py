"""The folders of LXC's containers, and what their configuration says (lxc.container.conf(5))."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from collectors.kernel.lxc_monitors import DEFAULT_PATH, lxc_id
from collectors.kernel.procfs import read_bytes
from collectors.model.errors import AccessDenied, SourceAbsent, WorkloadGone
from collectors.model.workloads import Workload
from collectors.safety.bounded_file import read_bounded
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

_LARGEST = 1 << 20
_COMMAND = b"/command"
"""What the name of the socket ends with on which a running container's monitor takes commands."""
_LONGEST_SOCKET = 105
"""Bytes of a socket's name that LXC uses as it is, at least (`sun_path` of unix(7) has 108)."""
_SETTINGS = "/etc/lxc/lxc.conf"
_IN_HOME = ".local/share/lxc"


class Container(NamedTuple):
    """A container by its place."""

    folder: str
    """`lxc.lxcpath`."""
    name: str

    @property
    def id(self) -> str:
        """The id of its workload."""
        return lxc_id(self.folder, self.name)

    @property
    def is_hidden(self) -> bool:
        """Whether it runs cannot be seen: the socket of its monitor is named after a hash, as its path is too long."""
        return len(os.fsencode(f"{self.folder}/{self.name}")) + len(_COMMAND) > _LONGEST_SOCKET

    @property
    def config(self) -> str:
        """The path of its configuration."""
        return f"{self.folder}/{self.name}/config"


def container_of(workload: Workload) -> Container:
    """Return the place of a workload's container."""
    folder, _, name = workload.id.id.rpartition("/")
    return Container(folder or DEFAULT_PATH, name)


def own_folder() -> str:
    """Return the folder of this user's own unprivileged containers."""
    return os.path.join(os.path.expanduser("~"), _IN_HOME)


def configured_folders(path: str = _SETTINGS) -> set[str]:
    """Return the folder that the system's settings of LXC name in place of the usual one (lxc.system.conf(5))."""
    text = (read_bounded(path, _LARGEST) or b"").decode("utf-8", "replace")
    folder = dict(parse_config(text)).get("lxc.lxcpath", "").rstrip("/")
    return {folder} if os.path.isabs(folder) else set()


def active_containers(proc: str = "/proc") -> set[Container]:
    """Return the containers that run, by the abstract sockets of their monitors, as lxc-ls finds them.

    Containers of LXD and Incus are among them. Those whose path is too long for a socket's name are missing.
    """
    return parse_sockets(read_bytes(f"{proc}/net/unix") or b"")


def parse_sockets(table: bytes) -> set[Container]:
    """Return the containers in the text of /proc/net/unix."""
    found = set()
    for line in table.splitlines() if _COMMAND in table else ():
        name = line.partition(b" @")[2]
        if name.startswith(b"/") and name.endswith(_COMMAND):
            folder, _, container = name[: -len(_COMMAND)].decode("utf-8", "replace").rpartition("/")
            if folder and container:
                found.add(Container(folder, container))
    return found


def containers_in(folder: str) -> list[Container]:
    """List the containers in a folder: what has a configuration.

    Raises:
        OSError: It cannot be listed.
    """
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return [container for name in sorted(names) if _is_file((container := Container(folder, name)).config)]


def owner_of(container: Container) -> int:
    """Return the user whose container it is: the one who owns its folder and its configuration.

    Raises:
        AccessDenied: This user may not see that, or they are of different users.
        WorkloadGone: There is no such container.
    """
    try:
        owners = {os.stat(container.folder).st_uid, os.lstat(container.config).st_uid}
    except PermissionError:
        raise AccessDenied(f"no permission to read {sanitize(container.config)}", as_root()) from None
    except OSError:
        raise WorkloadGone(f"there is no container in {sanitize(container.folder)} with this name") from None
    if len(owners) != 1:
        raise AccessDenied(f"{sanitize(container.folder)} and the configuration in it belong to different users")
    return owners.pop()


def read_config(container: Container) -> str:
    """Return the text of a container's configuration.

    Raises:
        SourceError: It cannot be read.
    """
    raw = read_bounded(container.config, _LARGEST, owner_of(container))
    if raw is None:
        raise SourceAbsent(f"{sanitize(container.config)} is not a readable file of its owner's")
    return raw.decode("utf-8", "replace")


def parse_config(text: str) -> list[tuple[str, str]]:
    """Return the keys and values of a configuration in their order. Files that it includes are not read."""
    pairs = []
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#") and key.strip():
            value = value.strip()
            is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            pairs.append((key.strip(), value[1:-1] if is_quoted else value))
    return pairs


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False
