"""Who runs an LXC container: plain LXC, LXD, Incus or Proxmox VE, by the monitor process that started it.

A monitor calls itself `[lxc monitor] LXCPATH NAME` (lxc src/lxc/lxccontainer.c, `set_process_title`), for everybody to
see. LXD and Incus keep their containers in `containers` of their own folder, and call one of a project other than the
default one `PROJECT_NAME` (lxd/project/project.go, `Instance`); an instance's own name has no underscore.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes, read_process_stat

DEFAULT_PATH = "/var/lib/lxc"
"""The folder in which plain LXC of the system keeps its containers, unless /etc/lxc/lxc.conf names another one."""
PROXMOX = "/etc/pve"
"""The folder in which Proxmox VE keeps the configuration of its guests."""
_TITLE = "[lxc monitor] "
_CONTAINERS = "/containers"
_DATABASE = "database"
_FOLDERS = {"LXD_DIR": "lxd", "INCUS_DIR": "incus"}
"""Environment variables that name the folder of a daemon, as its own programs know them."""


class Monitor(NamedTuple):
    """What a monitor process says about its container."""

    folder: str
    """Where the container's own folder is: `lxc.lxcpath`."""
    name: str
    user: int | None
    """The user it runs as; `None` if that may not be seen."""


class LxcOwner(NamedTuple):
    """The engine of an LXC container, and what the engine calls it. Not sanitized."""

    engine: str
    id: str
    name: str
    project: str | None = None


def parse_title(command_line: bytes) -> tuple[str, str] | None:
    """Return the folder and the name in a monitor's command line; `None` for another process."""
    title = command_line.partition(b"\0")[0].decode("utf-8", "replace")
    if not title.startswith(_TITLE):
        return None
    folder, _, name = title.removeprefix(_TITLE).rpartition(" ")
    return (folder.rstrip("/") or "/", name) if folder.startswith("/") and name else None


def monitor_of(proc: str, pid: int) -> Monitor | None:
    """Return the monitor of a container by the container's first process, whose parent it is; `None` if it has none."""
    stat = read_process_stat(proc, pid)
    titled = None if stat is None else parse_title(read_bytes(f"{proc}/{stat.parent_pid}/cmdline") or b"")
    return None if stat is None or titled is None else Monitor(*titled, _user_of(proc, stat.parent_pid))


def owner_of(monitor: Monitor, environ: Mapping[str, str] = os.environ, proxmox: str = PROXMOX) -> LxcOwner:
    """Return who runs the container of a monitor.

    Only root's monitors may be those of a daemon: a user can give a process any command line.
    """
    if monitor.user == 0:
        if daemon := _daemon_of(monitor.folder, environ):
            project, _, name = monitor.name.rpartition("_")
            return LxcOwner(daemon, f"{project or 'default'}/{name}", name, project or None)
        if monitor.folder == DEFAULT_PATH and monitor.name.isdecimal() and os.path.isdir(proxmox):
            return LxcOwner("proxmox", monitor.name, monitor.name)
    return LxcOwner("lxc", lxc_id(monitor.folder, monitor.name), monitor.name)


def lxc_id(folder: str, name: str) -> str:
    """Return the id of a container of plain LXC: its name; with its folder, unless that is the system's own."""
    return name if folder == DEFAULT_PATH else f"{folder}/{name}"


def _daemon_of(folder: str, environ: Mapping[str, str]) -> str:
    """Return `lxd` or `incus` for the folder of one's containers; empty for any other folder."""
    home = folder.removesuffix(_CONTAINERS)
    if home == folder:
        return ""
    for variable, engine in _FOLDERS.items():
        if environ.get(variable, "").rstrip("/") == home:
            return engine
    parts = home.split("/")
    if "incus" in parts:
        return "incus"
    return "lxd" if "lxd" in parts or os.path.isdir(f"{home}/{_DATABASE}") else ""


def _user_of(proc: str, pid: int) -> int | None:
    for line in (read_bytes(f"{proc}/{pid}/status") or b"").splitlines():
        if line.startswith(b"Uid:"):
            users = line.split()
            return int(users[2]) if len(users) > 2 and users[2].isdigit() else None
    return None
