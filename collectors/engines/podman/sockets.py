"""The sockets of the Podman services of this host: root's, this user's, and for root those of all users."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress

from collectors.safety import peers
from collectors.safety.peers import Peer

ROOTS_SOCKET = "/run/podman/podman.sock"
_UID = re.compile(r"[1-9]\d{0,9}")
_USERS_AT_MOST = 64
_OF_USER = re.compile(r"/run/user/(\d+)/podman/podman\.sock")


def own_socket(environ: Mapping[str, str], uid: int, root: str = "/") -> str:
    """Return the path of the socket of this user's Podman, whether there is one or not."""
    if uid == 0:
        return f"{root}run/podman/podman.sock"
    return f"{environ.get('XDG_RUNTIME_DIR') or f'{root}run/user/{uid}'}/podman/podman.sock"


def sockets(environ: Mapping[str, str], uid: int, root: str = "/") -> list[str]:
    """Return the paths of the sockets that this user may be served at, its own first; for root those of all users.

    A user's socket counts only if it is that user's: another user's could be made to look like it with a link.
    """
    found = [path for path in (own_socket(environ, uid, root), own_socket(environ, 0, root)) if _is_usable(path)]
    if uid != 0:
        return found
    found = found[:1]
    try:
        users = sorted(filter(_UID.fullmatch, os.listdir(f"{root}run/user")), key=int)
    except OSError:
        users = []
    for user in users[:_USERS_AT_MOST]:
        path = f"{root}run/user/{user}/podman/podman.sock"
        if _is_usable(path, int(user)):
            found.append(path)
    return found


def user_of(path: str) -> int | None:
    """Return the user whose Podman is at a socket of `sockets`; `None` for any other path."""
    match = _OF_USER.fullmatch(path)
    return int(match[1]) if match else None


def peer_of(path: str) -> Peer:
    """Return who listens at a socket.

    Raises:
        OSError: Nobody does.
    """
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        client.connect(path)
        return peers.peer_of(client)


def place_of(peer: Peer) -> str:
    """Return the control group of all that a user's Podman may describe to others; empty for root and oneself."""
    return "" if peer.uid in (0, os.geteuid()) else f"/user.slice/user-{peer.uid}.slice/"


def identity_of(path: str) -> tuple[int, int] | None:
    """Return device and inode of what a path leads to: the same for links to one socket and mounts of it."""
    with suppress(OSError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


def _is_usable(path: str, owner: int | None = None) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISSOCK(status.st_mode) and owner in (None, status.st_uid) and os.access(path, os.W_OK)
