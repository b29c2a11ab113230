"""The serial console of a domain: libvirt's stream, bridged to a socket so that a terminal can wait for it."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from collectors.model import Workload
from collectors.reach import Reach
from collectors.sources.base import SourceError
from collectors.text import inert

if TYPE_CHECKING:
    from libvirt import virStream

log = logging.getLogger(__name__)

_CHUNK = 4096
_WAIT = -2
"""What `virStreamRecv` returns when it would have to wait."""


class LibvirtConsole:
    """Connects to a domain's first console. Reading happens on libvirt's own event loop."""

    def __init__(self, workload: Workload, reach: Reach) -> None:
        import libvirt

        self.title = f"the serial console of virtual machine {workload.name}"
        self._failure = ""
        with ExitStack() as stack:  # so that what fails in here is said in a sentence
            connection = stack.enter_context(reach.libvirt(workload).connection(writable=True))
            self._stream: virStream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
            self._ours, self._theirs = socket.socketpair()
            self._open(connection.lookupByUUIDString(workload.id.id))
            self._stack = stack.pop_all()

    def _open(self, domain: object) -> None:
        import libvirt

        try:
            domain.openConsole(None, self._stream, 0)  # type: ignore[attr-defined]  # a virDomain
        except libvirt.libvirtError as error:
            said = inert(error.get_error_message() or str(error))
            raise SourceError(
                f"the console cannot be opened: {said}",
                "the domain needs <serial type='pty'/> and <console type='pty'/>, and no one else at its console",
            ) from error
        wanted = libvirt.VIR_STREAM_EVENT_READABLE | libvirt.VIR_STREAM_EVENT_HANGUP | libvirt.VIR_STREAM_EVENT_ERROR
        self._stream.eventAddCallback(wanted, self._arrived, None)

    def _arrived(self, stream: virStream, events: int, _opaque: object) -> None:
        """Pass on what has come; runs on libvirt's event loop."""
        import libvirt

        try:
            while True:
                chunk = stream.recv(_CHUNK)
                if chunk == _WAIT:
                    break
                if not chunk:
                    self._end("")
                    return
                self._theirs.sendall(chunk)
        except (libvirt.libvirtError, OSError) as error:
            self._end(inert(str(error)))
            return
        if events & (libvirt.VIR_STREAM_EVENT_HANGUP | libvirt.VIR_STREAM_EVENT_ERROR):
            self._end("")

    def _end(self, failure: str) -> None:
        import libvirt

        self._failure = self._failure or failure
        with suppress(libvirt.libvirtError):  # the stream is broken already
            self._stream.eventRemoveCallback()
        with suppress(OSError):
            self._theirs.shutdown(socket.SHUT_RDWR)

    def fileno(self) -> int:
        return self._ours.fileno()

    def read(self) -> bytes:
        return self._ours.recv(65536)

    def write(self, data: bytes) -> None:
        import libvirt

        while data:
            try:
                sent = self._stream.send(data)
            except libvirt.libvirtError as error:
                raise OSError(inert(str(error))) from error
            if sent == _WAIT:
                threading.Event().wait(0.01)
                continue
            data = data[sent:]

    def resize(self, columns: int, lines: int) -> None:
        """A serial line has no size; `stty` inside sets it."""

    def ending(self) -> str:
        return f"the console's connection was lost: {self._failure}" if self._failure else "the console ended"

    def close(self) -> None:
        import libvirt

        self._end("")
        try:
            self._stream.abort()
        except libvirt.libvirtError as error:
            log.debug("ending a console's stream: %s", error)  # it ended by itself
        try:
            self._stack.close()
        except SourceError as error:
            log.info("closing a console's connection: %s", error)
        self._ours.close()
        self._theirs.close()
