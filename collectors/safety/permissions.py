"""What this user, or the container around vmtop, may not see, and the command that grants access.

Nothing here changes permissions: vmtop shows the command, the user decides.
"""

from __future__ import annotations

import grp
import os
import re
import shlex
import shutil
import sys
from pathlib import Path

_INITIAL_PIDS = "pid:[4026531836]"
"""PROC_PID_INIT_INO of include/linux/proc_ns.h: the same on every kernel."""
_ID = re.compile(r"[0-9a-f]{64}")
_OWN_FILES = ("/hostname", "/hosts", "/resolv.conf")
"""Files that an engine mounts into a container from the container's own folder."""
IN_CONTAINER = (
    "docker run --pid=host --cgroupns=host --network=host --cap-add=SYS_PTRACE -v /sys/fs/cgroup:/sys/fs/cgroup:ro "
    "IMAGE vmtop"
)
_GROUP_MAY = 0o060
_PROGRAM = "vmtop"
_SUDO_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
"""Folders that `secure_path` has on every distribution; some lack those in /usr/local."""


def sees_all_processes(proc: str = "/proc") -> bool:
    """Whether this process is in the host's own process namespace."""
    try:
        return os.readlink(f"{proc}/self/ns/pid") == _INITIAL_PIDS
    except OSError:
        return True  # a captured tree


def own_containers(proc: Path = Path("/proc")) -> frozenset[str]:
    """Return the ids of the containers around this process, by its control groups and its mounts."""
    ids = {match for line in read_if_allowed(proc / "self/cgroup").splitlines() for match in _ID.findall(line)}
    for line in read_if_allowed(proc / "self/mountinfo").splitlines():
        fields = line.split(" ")
        if (
            len(fields) > 4
            and fields[3].endswith(_OWN_FILES)
            and fields[4] == "/etc" + fields[3][fields[3].rindex("/") :]
        ):
            ids.update(_ID.findall(fields[3]))
    return frozenset(ids)


def is_in_container() -> bool:
    """Whether vmtop runs in a container. A file such as /.dockerenv proves nothing: images become virtual machines."""
    return bool(own_containers()) or not sees_all_processes()


def as_root() -> str:
    """Return the command that runs vmtop with full permissions."""
    return IN_CONTAINER if is_in_container() else f"sudo {shlex.quote(_own_program())}"


def _own_program() -> str:
    """Return what sudo has to be given to run this vmtop: its name, or its path where sudo would not find that one."""
    own_path = shutil.which(sys.argv[0])
    if own_path is None or os.path.basename(own_path) != _PROGRAM:
        return _PROGRAM  # not started by its own program, as in a test
    found_by_sudo = shutil.which(_PROGRAM, path=_SUDO_PATH)
    is_found = found_by_sudo is not None and os.path.samefile(found_by_sudo, own_path)
    return _PROGRAM if is_found else os.path.abspath(own_path)


def mount_remedy(path: str) -> str:
    """Return the command that lets a container see a daemon's socket or folder; empty outside a container."""
    return f"docker run -v {path}:{path} ..." if is_in_container() else ""


def access_remedy(socket: Path | None, usual_group: str) -> str:
    """Return the command that lets this user use a socket.

    Args:
        socket: The socket that refused this user or cannot be seen; `None` where polkit or a service refused.
        usual_group: The group that has access on most hosts, named where the socket's group is not known; empty if only
            its owner has.
    """
    try:
        status = socket.stat() if socket else None
    except OSError:
        status = None
    if status is None:
        return _join(usual_group) if usual_group else as_root()
    if status.st_gid == 0 or status.st_mode & _GROUP_MAY != _GROUP_MAY:
        return as_root()
    try:
        return _join(grp.getgrgid(status.st_gid).gr_name)
    except KeyError:  # a group of the host, seen from a container
        return f"docker run --group-add {status.st_gid} ..." if is_in_container() else as_root()


def _join(group: str) -> str:
    return f"sudo usermod -aG {group} $USER, then log in again"


def read_if_allowed(path: Path) -> str:
    """Return a file's text; empty when it does not exist or this user may not read it."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
