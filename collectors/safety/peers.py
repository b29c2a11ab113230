"""Who listens on a unix socket, and what users are called."""

from __future__ import annotations

import pwd
import socket
import struct
from typing import NamedTuple

from collectors.safety.sanitize import sanitize

_UCRED = struct.Struct("iII")
"""`struct ucred` of unix(7): pid, uid and gid."""


class Peer(NamedTuple):
    """The process that made a socket listen; for a socket of systemd, systemd."""

    pid: int
    """0 where it cannot be seen from this process namespace."""
    uid: int


def peer_of(connection: socket.socket) -> Peer:
    """Return who listens at the other end of a connection (SO_PEERCRED).

    Raises:
        OSError: It is not connected.
    """
    pid, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Peer(pid, uid)


def user_name(uid: int) -> str:
    """Return the name of a user, sanitized; the number of one without an entry."""
    try:
        return sanitize(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return str(uid)
