"""The names of libvirt's domains, read without anything else of them: what a shell completes."""

from __future__ import annotations

from collectors.engines.libvirt.quiet_import import load_libvirt
from collectors.engines.libvirt.uri import DEFAULT_URI, asked_uri, check_uri, connection_uri, has_socket
from collectors.model.errors import SourceAbsent, SourceDown
from collectors.safety.sanitize import sanitize, sanitize_name


def names_at(uri: str | None) -> list[str]:
    """Return the sanitized names of all domains of a connection, those that are shut off too.

    It asks no guest and no monitor, which the source's bulk call does, for milliseconds each.

    Args:
        uri: As of `LibvirtSource`.

    Raises:
        SourceError: libvirt is not here, or cannot be asked.
    """
    asked = asked_uri(uri)
    if asked is None and not has_socket():
        raise SourceAbsent("there is no libvirt on this host")
    address = connection_uri(asked or DEFAULT_URI)
    check_uri(address)
    libvirt = load_libvirt()
    try:
        connection = libvirt.openReadOnly(address)
        try:
            return [sanitize_name(name) for domain in connection.listAllDomains() if (name := domain.name())]
        finally:
            connection.close()
    except libvirt.libvirtError as error:
        raise SourceDown(f"libvirt at {sanitize(address)} has no list: {sanitize(str(error))}") from error
