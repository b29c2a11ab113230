"""Where the server listens: addresses, a Unix socket, or sockets that systemd opened."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from collectors.safety.loopback import is_loopback
from collectors.safety.sanitize import sanitize

_FIRST_PASSED = 3
"""The first file descriptor that systemd passes; sd_listen_fds(3)."""
_BACKLOG = 64
_ADDRESS = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]/]*)):([0-9]{1,5})")


class ListenError(Exception):
    """It cannot listen there; the message is one sentence."""


class Place(NamedTuple):
    """An address to listen at."""

    host: str
    """Empty: all addresses of this host."""
    port: int
    path: str = ""
    """Of a Unix socket; the others are then empty."""

    @property
    def is_near(self) -> bool:
        """Whether only programs of this host reach it."""
        return bool(self.path) or is_loopback(self.host)

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place_of(text: str) -> Place:
    """Return the place of `HOST:PORT`, `[IPv6]:PORT`, `:PORT` or `unix:PATH`.

    Raises:
        ValueError: It is none of them.
    """
    if text.startswith("unix:"):
        path = text.removeprefix("unix:")
        if not path.startswith("/") or len(os.fsencode(path)) > 107:
            raise ValueError("a socket's path is absolute and has at most 107 bytes")
        return Place("", 0, path)
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 <= int(match[3]) <= 65535:
        raise ValueError("an address is HOST:PORT, [IPv6]:PORT, :PORT or unix:/PATH")
    return Place(match[1] or match[2], int(match[3]))


def listen(place: Place) -> socket.socket:
    """Open a listening socket.

    A Unix socket has mode 0660; one of that path that nobody listens at any more is replaced.

    Raises:
        ListenError: It cannot be opened.
    """
    try:
        return _listen_at_path(place.path) if place.path else _listen_at_address(place)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ListenError(f"cannot listen at {sanitize(str(place))}: {sanitize(reason)}") from error


def _listen_at_address(place: Place) -> socket.socket:
    family = socket.AF_INET6 if ":" in place.host or not place.host else socket.AF_INET
    if not place.host:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        return socket.create_server(("", place.port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    return socket.create_server((place.host, place.port), family=family, backlog=_BACKLOG)


def _listen_at_path(path: str) -> socket.socket:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.lstat(path).st_mode) and not _is_in_use(path):
            os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o117)
    try:
        listener.bind(path)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _is_in_use(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


def remove(place: Place) -> None:
    """Remove a Unix socket's file."""
    if place.path:
        with suppress(OSError):
            Path(place.path).unlink()


def passed_sockets(environment: Mapping[str, str]) -> list[socket.socket]:
    """Return the listening sockets that systemd passed to this process; sd_listen_fds(3).

    Raises:
        ListenError: What was passed is no listening stream socket.
    """
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return []
    found = []
    for descriptor in range(_FIRST_PASSED, _FIRST_PASSED + min(int(count), 16)):
        try:
            one = socket.socket(fileno=descriptor)
            is_listening = bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        except OSError as error:
            raise ListenError(f"file descriptor {descriptor}, which systemd passed, is no socket") from error
        if not is_listening or one.type != socket.SOCK_STREAM:
            raise ListenError(f"the socket {descriptor}, which systemd passed, is no listening stream socket")
        os.set_inheritable(descriptor, False)
        one.setblocking(True)
        found.append(one)
    return found


def name_of(listener: socket.socket) -> str:
    """Return where a socket listens, as for `--listen`."""
    address = listener.getsockname()
    if isinstance(address, tuple):
        return str(Place(str(address[0]), int(address[1])))
    return f"unix:{address if isinstance(address, str) else address.decode('utf-8', 'replace')}"
