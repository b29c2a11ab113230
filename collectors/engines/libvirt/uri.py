"""The URI of a libvirt connection."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from collectors.engines.address_text import visible
from collectors.engines.ssh_target import ssh_target
from collectors.model.errors import SourceDown
from collectors.safety.sanitize import sanitize

DEFAULT_URI = "qemu:///system"
_SOCKET_FOLDERS = ("/run/libvirt", "/var/run/libvirt")
_SOCKETS = ("libvirt-sock-ro", "libvirt-sock", "virtqemud-sock-ro", "virtqemud-sock")


def has_socket() -> bool:
    """Return whether a libvirt daemon has a socket on this host."""
    return any(os.path.lexists(f"{folder}/{socket}") for folder in _SOCKET_FOLDERS for socket in _SOCKETS)


def asked_uri(uri: str | None) -> str | None:
    """Return the URI of the option or of LIBVIRT_DEFAULT_URI, without blanks around it; `None` without either."""
    return (uri or os.environ.get("LIBVIRT_DEFAULT_URI", "")).strip() or None


def check_uri(uri: str) -> None:
    """Raise `SourceDown` for a URI with characters that cannot be seen, and for a path in place of a URI."""
    visible(uri, "the libvirt URI")
    if urlsplit(uri).scheme.endswith("+ssh"):
        ssh_target(uri)
    if uri.startswith("/"):
        raise SourceDown(
            f"the libvirt URI is a path without a driver: {sanitize(uri)}",
            f"export LIBVIRT_DEFAULT_URI='qemu+unix:///system?socket={sanitize(uri)}'",
        )


def connection_uri(uri: str) -> str:
    """Return the URI with an option that keeps ssh from asking for a password on the terminal, which vmtop uses."""
    parts = urlsplit(uri)
    if not parts.scheme.endswith(("+ssh", "+libssh", "+libssh2")) or "no_tty=" in parts.query:
        return uri
    return parts._replace(query="&".join(filter(None, (parts.query, "no_tty=1")))).geturl()


def endpoint_of(uri: str) -> str:
    """Return the host of a URI; empty for this host."""
    parts = urlsplit(uri)
    return "" if parts.scheme.endswith("+unix") else sanitize(parts.netloc.rpartition("@")[2])
