"""What this user, or the container around vmtop, may not see, and the command that grants access.

Nothing here changes permissions: vmtop shows the command, the user decides.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import shlex
import shutil
import stat
import sys
from functools import cache
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
_GROUP_MAY, _GROUP_SEARCHES = 0o060, 0o010
"""Mode bits with which a group may use a socket, and may reach what is in a folder."""
POLKIT_RULES = Path("/etc/polkit-1/rules.d")
SYSTEMD_RUNS = Path("/run/systemd/system")
"""Exists while systemd is the first process (sd_booted(3))."""
UNIT_FOLDERS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
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


@cache
def is_in_container() -> bool:
    """Whether vmtop runs in a container: found out once, as it stays in there.

    A file such as /.dockerenv proves nothing: images become virtual machines.
    """
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
    barrier = None if socket is None else _barrier(socket)
    if barrier is None:
        return join_remedy(usual_group) if usual_group else as_root()
    gid, mode, needed = barrier
    if gid == 0 or mode & needed != needed:
        return as_root()
    try:
        return join_remedy(grp.getgrgid(gid).gr_name)
    except KeyError:  # a group of the host, seen from a container
        return f"docker run --group-add {gid} ..." if is_in_container() else as_root()


def _barrier(socket: Path) -> tuple[int, int, int] | None:
    """Return group and mode of what refuses a user: the socket, or the folder that hides it; and the bits it takes.

    `None` where neither can be seen.
    """
    for path in (socket, *socket.parents):
        try:
            status = path.stat()
        except PermissionError:
            continue
        except OSError:
            return None
        return status.st_gid, status.st_mode, _GROUP_MAY if path == socket else _GROUP_SEARCHES
    return None


def join_remedy(group: str) -> str:
    """Return the command that gives this user the rights of a group; as root where joining it would not help."""
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        return as_root()  # this distribution has no such group
    if entry.gr_gid in (os.getegid(), *os.getgroups()):
        return as_root()  # its members are refused too
    if _user_name() in entry.gr_mem:
        return f"log in again: you are in the group {group} now, but were not when this session began"
    return f"sudo usermod -aG {group} $USER, then log in again"


def polkit_remedy(action: str) -> str:
    """Return the commands that let this user do what polkit protects: as root, or by a rule where polkit takes rules.

    Args:
        action: The id of polkit's action, such as `org.freedesktop.systemd1.manage-units`.
    """
    user = _user_name()
    if is_in_container() or not user or not POLKIT_RULES.is_dir():
        return as_root()
    condition = f"action.id == {json.dumps(action)} && subject.user == {json.dumps(user)}"
    rule = f"polkit.addRule(function(action, subject) {{ if ({condition}) return polkit.Result.YES; }});"
    return f"{as_root()}; or, for good: echo {shlex.quote(rule)} | sudo tee {POLKIT_RULES}/50-vmtop.rules"


def start_remedy(*units: str) -> str:
    """Return the command that starts a daemon; empty where systemd does not run it.

    Args:
        units: The names that its unit has on different distributions; the first one that exists counts.
    """
    if not SYSTEMD_RUNS.is_dir():
        return ""
    folders = [Path(folder) for folder in UNIT_FOLDERS]
    present = [unit for unit in units if any((folder / unit).exists() for folder in folders)]
    return f"sudo systemctl start {present[0]}" if present else ""


def _user_name() -> str:
    """Return the name of the user that runs vmtop; empty for one without an entry."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return ""


def read_if_allowed(path: Path) -> str:
    """Return a file's text; empty when it does not exist or this user may not read it."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def why_not_private(status: os.stat_result, where: str, what: str) -> tuple[str, str] | None:
    """Return why what a file holds may not be used, and the remedy; `None` if only its owner, or root, has it.

    Args:
        status: That of the open file.
        where: Its path, sanitized.
        what: What it holds, such as `password`.
    """
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        return f"{where} has a {what} and is open to other users (mode {mode:04o})", f"chmod 600 {where}"
    if status.st_uid not in (0, os.geteuid()):
        return f"{where} belongs to another user (uid {status.st_uid}), so its {what} is not used", ""
    return None
