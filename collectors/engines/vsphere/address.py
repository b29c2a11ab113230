"""The address of an ESXi host or a vCenter server. Imports nothing heavy: options are redirected by it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import parse_qs, unquote, urlsplit

from collectors.engines.address_text import visible
from collectors.model.errors import SourceDown
from collectors.safety.sanitize import sanitize

SCHEMES = ("https://", "vsphere://", "esx://", "vpx://")
FROM_LIBVIRT = ("esx://", "vpx://")
"""Schemes of libvirt's drivers for the same servers."""
DISTRIBUTION = "pyvmomi"
_THUMBPRINT = re.compile(r"[0-9a-f]{64}")
_IGNORED = frozenset({"vcenter", "auto_answer"})
"""Parameters of libvirt that mean nothing here: the first is for migrations, the second for questions to a user."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and how it is to be trusted."""

    scheme: str
    """`https`, `vsphere`, `esx` or `vpx`."""
    host: str
    port: int
    user: str
    """Empty if the file with the password names the user."""
    is_encrypted: bool
    is_verified: bool
    """Whether its certificate has to be valid for its name; without a thumbprint."""
    thumbprint: str
    """SHA-256 of the only certificate that is accepted, in lower-case hexadecimal digits; empty without one."""
    only_host: str
    """The name of the ESXi host that a `vpx://` URI names, to which the machines are limited; empty for all."""
    auth_file: str
    """The file with the password; empty for the usual ones."""

    @property
    def shown(self) -> str:
        """The server as in `Workload.endpoint`."""
        default = 443 if self.is_encrypted else 80
        host = f"[{self.host}]" if ":" in self.host else self.host
        return sanitize(host if self.port == default else f"{host}:{self.port}")

    @property
    def url(self) -> str:
        """The server's address for a browser, without a path."""
        return f"{'https' if self.is_encrypted else 'http'}://{self.shown}"


def is_installed() -> bool:
    """Return whether the library for vSphere is installed; it is not imported."""
    return find_spec("pyVmomi") is not None


def parse(url: str) -> Address:
    """Return the parts of an address, as of `--vsphere` or libvirt's URIs of its esx driver (libvirt docs/drvesx.rst).

    Raises:
        SourceDown: It cannot be used; the sentence never contains a password.
    """
    url = visible(url, "the vSphere address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceDown("the vSphere address is not a URL", "--vsphere https://USER@HOST") from None
    if f"{parts.scheme}://" not in SCHEMES or not parts.hostname:
        raise SourceDown("the vSphere address has no known scheme, or no host", "--vsphere https://USER@HOST")
    if parts.password is not None:
        raise SourceDown(
            "the vSphere address contains a password, which every user of this host can read in the list of processes",
            "put it into ~/.config/vmtop/auth.conf (mode 0600)",
        )
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    for name in given.keys() - _IGNORED - {"transport", "no_verify", "thumbprint", "authfile"}:
        raise SourceDown(f"vmtop does not know the parameter {sanitize(name, 40)} of the vSphere address")
    is_encrypted = _choice(given, "transport", "https", ("https", "http")) == "https"
    thumbprint = given.get("thumbprint", "").replace(":", "").lower()
    if thumbprint and not _THUMBPRINT.fullmatch(thumbprint):
        raise SourceDown("the thumbprint of the vSphere address is not a SHA-256 digest of 64 hexadecimal digits")
    path = [unquote(part) for part in parts.path.split("/") if part]
    return Address(
        parts.scheme,
        parts.hostname,
        port or (443 if is_encrypted else 80),
        unquote(parts.username or ""),
        is_encrypted,
        _choice(given, "no_verify", "0", ("0", "1")) == "0",
        thumbprint,
        path[-1] if parts.scheme == "vpx" and len(path) > 1 else "",
        given.get("authfile", ""),
    )


def shown(url: str) -> str:
    """Return the host of an address as in `Workload.endpoint`.

    Raises:
        SourceDown: The address cannot be used.
    """
    return parse(url).shown


def _choice(given: dict[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = given.get(name, default)
    if value not in allowed:
        raise SourceDown(f"the parameter {name} of the vSphere address has to be {' or '.join(allowed)}")
    return value
