"""The password for a server: from a file that only its owner can read, or from the keyring.

The files have the format of libvirt's auth.conf (libvirt docs/auth.rst), which may serve both:

    [credentials-lab]
    username=root
    password=...

    [auth-esx-esxi1.example.org]
    credentials=lab
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from collectors.engines.vsphere.address import Address
from collectors.model.errors import AccessDenied, SourceDown
from collectors.safety.permissions import why_not_private
from collectors.safety.sanitize import sanitize

_LARGEST = 64 << 10
_SERVICES = ("vsphere", "esx", "vpx")
"""The first part of a section's name; the last two are those of libvirt's drivers."""
_KEYRING_SERVICE = "vmtop"


class Credentials(NamedTuple):
    """A user and a password."""

    user: str
    password: str
    origin: str
    """Where the password was found, for messages."""


def find(address: Address) -> Credentials:
    """Return the credentials for a server, of the first file that has them, else of the keyring.

    Raises:
        AccessDenied: Nothing has them, or others can read the file that does.
        SourceDown: A file cannot be parsed.
    """
    for path in _files(address):
        found = _in_file(path, address)
        if found is not None:
            return found
    password = _in_keyring(address)
    if password is not None:
        return Credentials(address.user, password, "the keyring")
    user = sanitize(address.user)
    whom = f"{user} on {address.shown}" if user else address.shown
    raise AccessDenied(
        f"there is no password for {whom}",
        f"put [auth-vsphere-{sanitize(address.host)}] with credentials=NAME, and [credentials-NAME] with username= and "
        f"password=, into {own_file()} (mode 0600)",
    )


def own_file() -> Path:
    """Return vmtop's own file with passwords."""
    return _configuration() / "vmtop" / "auth.conf"


def _configuration() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path(os.path.expanduser("~")) / ".config")


def _files(address: Address) -> Iterator[Path]:
    """Yield the files to look into, in order; an explicit one is the only one."""
    if address.auth_file:
        yield Path(address.auth_file)
        return
    yield own_file()
    if variable := os.environ.get("LIBVIRT_AUTH_FILE"):
        yield Path(variable)
    yield _configuration() / "libvirt" / "auth.conf"
    yield Path("/etc/libvirt/auth.conf")


def _in_file(path: Path, address: Address) -> Credentials | None:
    """Return the credentials in a file; `None` if it is not there, may not be read, or has none for this server.

    Raises:
        AccessDenied: It has them, and is not its owner's alone.
        SourceDown: It cannot be parsed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        data = file.read(_LARGEST) if stat.S_ISREG(status.st_mode) else b""
    found = lookup(_sections(data.decode("utf-8", "replace"), path), address)
    if found is None:
        return None
    where = sanitize(str(path))
    if (problem := why_not_private(status, where, "password")) is not None:
        raise AccessDenied(*problem)
    return Credentials(*found, where)


def lookup(sections: dict[str, dict[str, str]], address: Address) -> tuple[str, str] | None:
    """Return user and password for a server, as libvirt looks them up: by its host, then `default`. Pure."""
    for host in (address.host, "default"):
        for service in _SERVICES:
            name = sections.get(f"auth-{service}-{host}", {}).get("credentials")
            values = sections.get(f"credentials-{name}", {}) if name else {}
            user = values.get("username") or address.user
            if "password" in values and user and address.user in ("", user):
                return user, values["password"]
    return None


def _sections(text: str, path: Path) -> dict[str, dict[str, str]]:
    """Return the sections of a key file.

    Raises:
        SourceDown: It cannot be parsed. The sentence has the line's number, never its text.
    """
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = sections.setdefault(stripped[1:-1], {})
        elif stripped and stripped[0] not in "#;":
            key, separator, value = stripped.partition("=")
            if not separator or not sections:
                raise SourceDown(f"{sanitize(str(path))}, line {number}, is neither [section] nor key=value")
            section[key.strip()] = value.strip()
    return sections


def _in_keyring(address: Address) -> str | None:
    """Return the password in the user's keyring, if the library for it is installed."""
    if not address.user or find_spec("keyring") is None:
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        password: str | None = keyring.get_password(_KEYRING_SERVICE, f"{address.user}@{address.host}")
    except KeyringError as error:
        raise AccessDenied(f"the keyring cannot be read: {sanitize(str(error))}") from error
    return password
