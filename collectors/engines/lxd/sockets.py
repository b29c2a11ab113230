"""Where the daemons of LXD and Incus listen on this host, and whether what listens there may be trusted."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown
from collectors.safety.own_folder import check_path
from collectors.safety.peers import peer_of
from collectors.safety.permissions import access_remedy, start_remedy
from collectors.safety.sanitize import sanitize

_SOCKETS = (
    "/var/lib/lxd/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
    "/var/lib/incus/unix.socket",
)


def find_sockets(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the sockets that exist: those of the usual places, or where the variables of the clients say.

    As their own clients do, LXD_SOCKET and INCUS_SOCKET name a socket, LXD_DIR and INCUS_DIR its folder.
    """
    named = []
    for name in ("LXD", "INCUS"):
        folder = environ.get(f"{name}_DIR")
        path = environ.get(f"{name}_SOCKET") or (f"{folder}/unix.socket" if folder else "")
        named += [path] if path.startswith("/") else []
    found: dict[tuple[int, int], Path] = {}
    for path in (*named, *_SOCKETS):
        try:
            status = os.stat(path)
        except OSError:
            continue
        if stat.S_ISSOCK(status.st_mode):
            found.setdefault((status.st_dev, status.st_ino), Path(path))
    return list(found.values())


def connect(path: Path, timeout_s: float) -> socket.socket:
    """Connect to a daemon's socket.

    Only root, or the user who runs vmtop, may own the socket and every folder that leads to it, and be the process that
    listens: any other user could pose as the daemon.

    Raises:
        SourceAbsent: There is no such socket.
        AccessDenied: This user may not use it, or another user could have put it there.
        SourceDown: Nothing listens there, or it does not take calls.
    """
    shown = sanitize(str(path))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connection.settimeout(timeout_s)
    try:
        _check(path)
        connection.connect(str(path))
        listener = peer_of(connection).uid
        if listener not in (0, os.geteuid()):
            raise AccessDenied(f"a process of another user (uid {listener}) listens at {shown}")
    except BaseException as error:
        connection.close()
        if not isinstance(error, OSError):
            raise
        raise _translate(error, path, timeout_s) from error
    return connection


def _check(path: Path) -> None:
    check_path(path.parent)
    owner = path.lstat().st_uid
    if owner not in (0, os.geteuid()):
        raise AccessDenied(f"the socket {sanitize(str(path))} belongs to another user (uid {owner})")


def _translate(error: OSError, path: Path, timeout_s: float) -> AccessDenied | SourceAbsent | SourceDown:
    shown = sanitize(str(path))
    is_incus = "incus" in path.parts
    if isinstance(error, TimeoutError):
        return NotInTime(f"the daemon at {shown} did not answer within {timeout_s:g} s")
    if isinstance(error, PermissionError):
        if error.errno is not None and error.strerror and error.strerror.startswith("/"):
            return AccessDenied(f"the socket {shown} is not used: {sanitize(error.strerror)}")
        return AccessDenied(
            f"no permission to access {shown}", access_remedy(path, "incus-admin" if is_incus else "lxd")
        )
    if isinstance(error, FileNotFoundError):
        return SourceAbsent(f"there is no socket at {shown}")
    units = ("incus.service",) if is_incus else ("snap.lxd.daemon.service", "lxd.service")
    return SourceDown(f"no daemon answers at {shown}: {error.strerror or error}", start_remedy(*units))
