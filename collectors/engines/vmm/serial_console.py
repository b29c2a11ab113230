"""The serial console of a QEMU machine whose command line puts it on a unix socket."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

from collectors.engines.vmm.control_socket import connect
from collectors.kernel.vmm.options import FIRST, parts, values
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.errors import SourceAbsent
from collectors.safety.sanitize import sanitize_name

_CONNECT_S = 2.0


class SerialConsole:
    """Bytes to and from the first serial line.

    Raises:
        SourceError: It has none on a socket, or the socket cannot be used.
    """

    def __init__(self, process: VmmProcess, words: Sequence[str]) -> None:
        path = serial_socket(words)
        name = sanitize_name(process.name)
        if path is None:
            raise SourceAbsent(
                f"{name} has no serial line on a socket",
                "start it with -serial unix:/run/NAME.serial,server=on,wait=off",
            )
        self.title = f"the serial console of virtual machine {name}"
        self.exit_code: int | None = None
        self._connection = connect(process, path, _CONNECT_S)
        self._connection.settimeout(None)
        self._is_closed = False

    def read(self) -> bytes:
        try:
            return self._connection.recv(65536)
        except OSError:
            if self._is_closed:
                return b""
            raise

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    def resize(self, columns: int, lines: int) -> None:
        """A serial line has no size; `stty` inside sets it."""

    def ending(self) -> str:
        return "the console ended"

    def close(self) -> None:
        self._is_closed = True
        with contextlib.suppress(OSError):  # it has ended by itself
            self._connection.shutdown(socket.SHUT_RDWR)  # wakes a read
        self._connection.close()


def serial_socket(words: Sequence[str]) -> str | None:
    """Return the path of the first serial line's unix socket on a QEMU command line; `None` if it is on none."""
    sockets = {
        options["id"]: options["path"]
        for line in values(words, "-chardev", "--chardev")
        if "id" in (options := parts(line)) and "path" in options
    }
    for line in values(words, "-serial", "--serial"):
        kind, _, rest = parts(line).get(FIRST, "").partition(":")
        if kind == "unix" and rest:
            return rest
        if kind == "chardev" and rest in sockets:
            return sockets[rest]
    for line in values(words, "-device", "--device"):
        options = parts(line)
        if "serial" in options.get(FIRST, "") and (path := sockets.get(options.get("chardev", ""))):
            return path
    return None
