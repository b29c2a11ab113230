"""A connection to libvirt for single domains; turns its errors into `SourceError`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from collectors.engines.libvirt.uri import DEFAULT_URI, asked_uri, check_uri, connection_uri, endpoint_of
from collectors.model.errors import WorkloadGone

if TYPE_CHECKING:
    from libvirt import virConnect

log = logging.getLogger(__name__)


class LibvirtDaemon:
    """One libvirt connection URI."""

    def __init__(self, uri: str | None = None) -> None:
        self.uri = connection_uri(asked_uri(uri) or DEFAULT_URI)

    @property
    def shown(self) -> str:
        """The daemon's host as in `Workload.endpoint`; empty for a local daemon."""
        return endpoint_of(self.uri)

    @contextmanager
    def connection(self, writable: bool = False) -> Iterator[virConnect]:
        """Connect, read-only unless `writable`.

        Raises:
            SourceError: libvirt cannot be reached or refuses, with the remedy.
            WorkloadGone: The domain does not exist.
        """
        from collectors.engines.libvirt.event_loop import ensure_event_loop
        from collectors.engines.libvirt.quiet_import import load_libvirt
        from collectors.engines.libvirt.source import translate

        check_uri(self.uri)
        libvirt = load_libvirt()
        connection: virConnect | None = None
        try:
            ensure_event_loop()
            connection = (libvirt.open if writable else libvirt.openReadOnly)(self.uri)
            yield connection
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                raise WorkloadGone("libvirt no longer has it") from error
            raise translate(error, self.uri) from error
        finally:
            if connection is not None:
                _close(connection)


def _close(connection: virConnect) -> None:
    import libvirt

    try:
        connection.close()
    except libvirt.libvirtError as error:
        log.info("closing a libvirt connection: %s", error)  # the daemon may be gone; the request has its own result
