"""What this host and the login session get from the processes of a control group: tunnels and file systems.

Descriptors of other users' processes are visible to root only; for others, what they serve is unknown and left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from collectors.kernel.cgroup.hierarchy import decode_path, detect
from collectors.kernel.procfs import read_bytes
from collectors.safety.sanitize import sanitize

_TUN, _FUSE = "/dev/net/tun", "/dev/fuse"
_INTERFACE = re.compile(rb"^iff:\s*(\S+)", re.MULTILINE)
"""The interface of a tun descriptor in fdinfo (tun_chr_show_fdinfo in drivers/net/tun.c)."""
_SERVER = re.compile(r"(?:^|,)(?:addr|ip)=([0-9a-fA-F.:]+)")
"""The server of an NFS or CIFS mount among the super block's options."""
_PROCESSES_AT_MOST, _DESCRIPTORS_AT_MOST = 1000, 20_000


class Mount(NamedTuple):
    """A mounted file system that a process on some host provides."""

    point: str
    """Where it is mounted, as the kernel spells it."""
    is_fuse: bool
    server: str = ""
    """IP address of its NFS or CIFS server; empty for others."""


class Session(NamedTuple):
    """The remote end of the login session, as sshd reported it; empty for a local one."""

    clients: frozenset[str] = frozenset()
    """IP addresses that it comes from."""
    interfaces: frozenset[str] = frozenset()
    """This host's interfaces that have the address it was opened to."""


def session(proc: Path, pids: Collection[str]) -> Session:
    """Return where the login session comes from.

    Args:
        proc: Where procfs is mounted.
        pids: This process and its ancestors: `sudo` removes SSH_CONNECTION from the environment, its parent has it.
    """
    import psutil  # here, as it would slow down the start

    connections = [words for pid in pids if len(words := _ssh_connection(proc / pid)) == 4]
    servers = {words[2] for words in connections}
    owners = psutil.net_if_addrs().items() if servers else ()
    return Session(
        frozenset(words[0] for words in connections),
        frozenset(name for name, addresses in owners if servers & {address.address for address in addresses}),
    )


def _ssh_connection(process: Path) -> list[str]:
    """Return client address and port, server address and port (SSH_CONNECTION of ssh(1)); empty if there is none."""
    variables = (read_bytes(str(process / "environ")) or b"").split(b"\0")
    value = next((variable for variable in variables if variable.startswith(b"SSH_CONNECTION=")), b"")
    return value.partition(b"=")[2].decode("ascii", "replace").split()


def mounts(proc: Path) -> tuple[Mount, ...]:
    """Return the FUSE, NFS and CIFS file systems in vmtop's mount namespace (proc_pid_mountinfo(5))."""
    served = []
    for line in (read_bytes(str(proc / "self/mountinfo")) or b"").decode("utf-8", "surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, *options) = before.split(" "), [*after.split(" "), "", ""][:3]
        server = _SERVER.search(options[0] if options else "")
        is_fuse = kind == "fuse" or kind.startswith(("fuse.", "fuseblk"))
        if len(fields) > 4 and (is_fuse or server):
            served.append(Mount(decode_path(fields[4]), is_fuse, server[1] if server else ""))
    return tuple(served)


class Served(NamedTuple):
    """What the processes of a group provide."""

    interfaces: frozenset[str] = frozenset()
    """tun and tap interfaces that they hold open."""
    mounts: tuple[str, ...] = ()
    """Mount points of FUSE file systems that they serve; sanitized."""


def served_by(group: str, proc: Path, mounted: Collection[Mount], root: str = "/sys/fs/cgroup") -> Served:
    """Return what the processes of a control group, and of those below it, provide to this host.

    A FUSE file system counts for a process that has /dev/fuse open and the mount point in its command line, as all
    servers made with libfuse do.
    """
    interfaces: set[str] = set()
    points: list[str] = []
    for pid in pids_of_group(group, root, str(proc)):
        held = _descriptors(proc / pid)
        interfaces.update(_interface(proc / pid / "fdinfo" / number) for number in held.get(_TUN, ()))
        if _FUSE in held:
            words = set((read_bytes(str(proc / pid / "cmdline")) or b"").split(b"\0"))
            points += [
                sanitize(mount.point) for mount in mounted if mount.is_fuse and os.fsencode(mount.point) in words
            ]
    return Served(frozenset(interfaces - {""}), tuple(dict.fromkeys(points)))


def pids_of_group(group: str, root: str, proc: str) -> Iterator[str]:
    """Yield the process ids in a group and below it, each once."""
    seen: set[str] = set()
    for tree in detect(root, proc).walked:
        for folder, _, files in os.walk(f"{tree}{group}"):
            text = read_bytes(f"{folder}/cgroup.procs") if "cgroup.procs" in files else None
            for pid in (text or b"").decode().split():
                if pid not in seen and len(seen) < _PROCESSES_AT_MOST:
                    seen.add(pid)
                    yield pid


def _descriptors(process: Path) -> dict[str, list[str]]:
    """Return the numbers of the descriptors by what they lead to, of those that matter here."""
    held: dict[str, list[str]] = {}
    with suppress(OSError):  # it has ended, or is another user's
        for number in os.listdir(process / "fd")[:_DESCRIPTORS_AT_MOST]:
            with suppress(OSError):
                target = os.readlink(process / "fd" / number)
                if target in (_TUN, _FUSE):
                    held.setdefault(target, []).append(number)
    return held


def _interface(fdinfo: Path) -> str:
    line = _INTERFACE.search(read_bytes(str(fdinfo)) or b"")
    return line[1].decode("ascii", "replace") if line else ""
