"""The serial console of a domain: a stream that is read on libvirt's event loop, which must never be blocked."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from libvirt import virStream

    from collectors.engines.libvirt.access import LibvirtAccess

log = logging.getLogger(__name__)

_CHUNK = 4096
_WAIT = -2
"""Returned by `virStreamRecv` and `virStreamSend` when they would block."""
_UNREAD_AT_MOST = 1 << 18
"""Most bytes buffered here; beyond that the guest's output waits in libvirt."""
_PAUSE_S = 0.01
_ONE_CLIENT = "the domain needs <serial type='pty'/>, and no other client at its console"


class LibvirtConsole:
    """Connects to a domain's first console. Reading happens on libvirt's own event loop."""

    def __init__(self, workload: Workload, access: LibvirtAccess) -> None:
        import libvirt

        self.title = f"the serial console of virtual machine {workload.name}"
        self.exit_code: int | None = None
        self._failure = ""
        with ExitStack() as stack:  # so that failures in here become a `SourceError`
            connection = stack.enter_context(access.daemon(workload).connection(writable=True))
            self._stream: virStream = connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
            self._arrival = threading.Condition()
            self._unread: deque[bytes] = deque()
            self._size = 0
            """Bytes in `_unread`."""
            self._is_paused = self._has_ended = False
            self._open(connection.lookupByUUIDString(workload.id.id))
            self._stack = stack.pop_all()

    def _open(self, domain: object) -> None:
        import libvirt

        try:
            domain.openConsole(None, self._stream, 0)  # type: ignore[attr-defined]  # a virDomain
        except libvirt.libvirtError as error:
            message = sanitize(error.get_error_message() or str(error)).removeprefix("internal error: ")
            is_other_device = "not using a PTY" in message
            remedy = "virsh edit: it needs <serial type='pty'/>" if is_other_device else _ONE_CLIENT
            raise SourceError(f"the console cannot be opened: {message}", remedy) from error
        self._stream.eventAddCallback(_events(is_reading=True), self._arrived, None)

    def _arrived(self, stream: virStream, events: int, _opaque: object) -> None:
        """Receive the data that has arrived; runs on libvirt's event loop."""
        import libvirt

        try:
            while self._has_room():
                chunk = stream.recv(_CHUNK)
                if chunk == _WAIT:
                    break
                if not chunk:
                    self._end("")
                    return
                with self._arrival:
                    self._unread.append(chunk)
                    self._size += len(chunk)
                    self._arrival.notify()
        except libvirt.libvirtError as error:
            self._end(sanitize(str(error)))
            return
        if events & (libvirt.VIR_STREAM_EVENT_HANGUP | libvirt.VIR_STREAM_EVENT_ERROR):
            self._end("")

    def _has_room(self) -> bool:
        """Return whether there is room for more data; if not, pause libvirt's notifications until it has been read."""
        with self._arrival:
            if self._size < _UNREAD_AT_MOST:
                return True
            self._is_paused = True
        self._stream.eventUpdateCallback(_events(is_reading=False))
        return False

    def _end(self, failure: str) -> None:
        import libvirt

        with self._arrival:
            if self._has_ended:
                return
            self._has_ended = True
            self._failure = failure
            self._arrival.notify_all()
        with suppress(libvirt.libvirtError):  # the stream is broken already
            self._stream.eventRemoveCallback()

    def read(self) -> bytes:
        import libvirt

        with self._arrival:
            self._arrival.wait_for(lambda: self._unread or self._has_ended)
            data = b"".join(self._unread)
            self._unread.clear()
            self._size = 0
            was_paused, self._is_paused = self._is_paused and not self._has_ended, False
        if was_paused:
            with suppress(libvirt.libvirtError):  # it has ended meanwhile, which the next call reports
                self._stream.eventUpdateCallback(_events(is_reading=True))
        return data

    def write(self, data: bytes) -> None:
        import libvirt

        while data and not self._has_ended:
            try:
                sent = self._stream.send(data)
            except libvirt.libvirtError as error:
                raise OSError(sanitize(str(error))) from error
            if sent == _WAIT:
                threading.Event().wait(_PAUSE_S)
                continue
            data = data[sent:]

    def resize(self, columns: int, lines: int) -> None:
        """A serial line has no size; `stty` inside sets it."""

    def ending(self) -> str:
        return f"the connection to the console was lost: {self._failure}" if self._failure else "the console ended"

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


def _events(is_reading: bool) -> int:
    """Return the stream events to subscribe to."""
    import libvirt

    always = int(libvirt.VIR_STREAM_EVENT_HANGUP | libvirt.VIR_STREAM_EVENT_ERROR)
    return always | int(libvirt.VIR_STREAM_EVENT_READABLE) if is_reading else always
