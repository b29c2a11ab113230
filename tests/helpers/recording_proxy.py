"""Proxies between vmtop and a daemon's socket that note what is asked on the way."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_REQUEST = re.compile(rb"(?:^|\r\n)(GET|HEAD|POST|PUT|DELETE|PATCH) (\S+) HTTP/1\.1\r\n")
_REMOTE_PROGRAM = 0x20008086
"""libvirt's src/remote/remote_protocol.x."""


class Wire:
    """Listens on a socket, passes everything on to another, and hands what the client says to `note`."""

    def __init__(self, path: Path, target: str, note: Callable[[bytes], None]) -> None:
        self.path = path
        self._target = target
        self._note = note
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            server.connect(self._target)
            for source, sink, note in ((client, server, self._note), (server, client, None)):
                threading.Thread(target=_pass_on, args=(source, sink, note), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, note: Callable[[bytes], None] | None) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if note is not None:
                note(data)
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class DockerWire(Wire):
    """Notes the requests to a Docker engine: (method, path)."""

    def __init__(self, path: Path, target: str) -> None:
        self.requests: list[tuple[str, str]] = []
        super().__init__(path, target, self._take)

    def _take(self, data: bytes) -> None:
        self.requests += [(method.decode(), place.decode()) for method, place in _REQUEST.findall(data)]


class LibvirtWire(Wire):
    """Notes the calls to a libvirt daemon: procedure numbers, and the flags of each opening."""

    OPEN = 1

    def __init__(self, path: Path, target: str) -> None:
        self.procedures: list[int] = []
        self.open_flags: list[int] = []
        super().__init__(path, target, self._take)

    def _take(self, data: bytes) -> None:
        """Take the packets of a write apart; the client writes each in one piece."""
        while len(data) >= 28:
            length, program, _version, procedure, kind = struct.unpack(">IIIII", data[:20])
            if program == _REMOTE_PROGRAM and kind == 0:
                self.procedures.append(procedure)
                if procedure == self.OPEN:
                    self.open_flags.append(struct.unpack(">I", data[length - 4 : length])[0])
            data = data[max(length, 28) :]
