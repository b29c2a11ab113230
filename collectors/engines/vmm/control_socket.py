"""Connects to a socket that a VMM's command line names.

A command line is only a claim: anybody may start a VMM that names another's socket, or put a socket where a VMM names
one. The kernel tells which process listens, and as which user it began to (SO_PEERCRED, unix(7)): it has to be the VMM
process itself, as the user that it runs as, or as root before it gave its rights up. The path is looked up within the
process's own root, since a jailed VMM names it as it sees it.
"""

from __future__ import annotations

import os
import socket

from collectors.kernel.vmm.process import VmmProcess
from collectors.model.errors import AccessDenied, SourceAbsent, SourceError
from collectors.safety.peers import peer_of
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

_LONGEST_PATH = 107
"""Bytes of a socket's path (unix(7))."""


class NotReached(SourceError):
    """The VMM could not be asked anything, so nothing was done. Its machine may run all the same."""


def connect(process: VmmProcess, path: str, timeout_s: float) -> socket.socket:
    """Return a connection to a socket of a VMM.

    Args:
        process: The VMM.
        path: The path as the VMM names it.
        timeout_s: Seconds for each operation on the connection.

    Raises:
        SourceError: There is none, this user may not use it, it is not the VMM that listens, or it does not answer.
    """
    shown = sanitize(path)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    connection.settimeout(timeout_s)
    try:
        _connect(connection, process.root_path(path))
        peer = peer_of(connection)
        if peer.pid != process.pid or peer.uid not in (process.uid, 0):
            raise SourceError(
                f"it is not the virtual machine's process that listens on {shown}, but process {peer.pid}"
            )
    except SourceError:
        connection.close()
        raise
    except PermissionError:
        connection.close()
        raise AccessDenied(f"no permission to use {shown}", as_root()) from None
    except (FileNotFoundError, ConnectionRefusedError) as error:
        connection.close()
        raise SourceAbsent(f"nothing listens on {shown}: {error.strerror}") from error
    except (TimeoutError, BlockingIOError):
        connection.close()
        raise NotReached(f"{shown} is busy: another program, such as the machine's manager, holds it") from None
    except OSError as error:
        connection.close()
        raise NotReached(f"{shown} cannot be used: {error.strerror or error}") from error
    return connection


def _connect(connection: socket.socket, path: str) -> None:
    """Connect by a descriptor of the folder: with its root in front, a path may be too long for a socket's address."""
    folder, name = os.path.split(path)
    if len(os.fsencode(name)) + len("/proc/self/fd/1234567/") > _LONGEST_PATH:
        raise FileNotFoundError(2, "the name of the socket is too long")
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        connection.connect(f"/proc/self/fd/{descriptor}/{name}")
    finally:
        os.close(descriptor)
