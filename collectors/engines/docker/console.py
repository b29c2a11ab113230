"""Shells and commands in a container through the engine's exec API, addressed by the container's id only."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.connection.endpoint import failures, is_id
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import whole_number

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess

log = logging.getLogger(__name__)

_SHELL = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
"""Runs bash if the image has it. A constant: it never contains a name or label."""
_DETACH_KEYS = "ctrl-]"
"""The engine keeps these keys from the shell. Ctrl-] never gets to the engine: in vmtop it leaves the console."""
_NOT_FOUND = (126, 127)


class DockerConsole:
    """Runs a shell, or a command, on its own terminal inside a container."""

    def __init__(self, workload: Workload, access: DockerAccess, command: Sequence[str] = ()) -> None:
        self._program = "command" if command else "shell"
        self.title = f"a {self._program} in container {workload.name}"
        self.exit_code: int | None = None
        with ExitStack() as stack:  # so that failures in here become a `SourceError`
            self._client: Any = stack.enter_context(access.daemon(workload).client())
            execution = self._client.exec_create(
                workload.id.id, list(command or _SHELL), stdin=True, tty=True, detach_keys=_DETACH_KEYS
            )
            self._id = str(execution["Id"])
            if not is_id(self._id):
                raise SourceError("the engine's answer has no valid id of the shell")
            self._stream: Any = self._client.exec_start(self._id, tty=True, socket=True)
            self._stack = stack.pop_all()
        self._socket: Any = getattr(self._stream, "_sock", self._stream)
        if isinstance(self._socket, socket.socket):
            self._socket.settimeout(None)

    def read(self) -> bytes:
        return bytes(self._socket.recv(65536))

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def resize(self, columns: int, lines: int) -> None:
        try:
            self._client.exec_resize(self._id, height=lines, width=columns)
        except failures() as error:
            log.info("the size of a shell's terminal cannot be set: %s", error)  # it may have ended already

    def ending(self) -> str:
        try:
            code = self.exit_code = whole_number(self._client.exec_inspect(self._id).get("ExitCode"))
        except failures() as error:
            log.info("a shell's exit code cannot be read: %s", error)
            return f"the connection to the {self._program} ended"
        if code in _NOT_FOUND and self._program == "shell":
            return "the image has no shell at /bin/sh"
        return f"the {self._program} ended" + (f" with exit code {code}" if code else "")

    def close(self) -> None:
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)  # which wakes its reader
        try:
            self._stream.close()
            self._stack.close()
        except (*failures(), SourceError) as error:  # type: ignore[misc]  # a tuple of exception classes
            log.info("closing a shell: %s", error)


class DockerCommand:
    """Runs a command whose two streams of output are told apart."""

    def __init__(self, workload: Workload, access: DockerAccess, command: Sequence[str]) -> None:
        with ExitStack() as stack:  # so that failures in here become a `SourceError`
            self._client: Any = stack.enter_context(access.daemon(workload).client())
            execution = self._client.exec_create(workload.id.id, list(command))
            self._id = str(execution["Id"])
            if not is_id(self._id):
                raise SourceError("the engine's answer has no valid id of the command")
            self._stack = stack.pop_all()

    def output(self) -> Iterator[tuple[bool, bytes]]:
        try:
            for written, complained in self._client.exec_start(self._id, stream=True, demux=True):
                if written:
                    yield False, written
                if complained:
                    yield True, complained
        except failures() as error:
            raise SourceError(f"the command's output cannot be read: {sanitize(str(error))}") from error

    def exit_code(self) -> int:
        try:
            code = whole_number(self._client.exec_inspect(self._id).get("ExitCode"))
        except failures() as error:
            raise SourceError(f"the command's exit code cannot be read: {sanitize(str(error))}") from error
        if code is None:
            raise SourceError("the engine does not say how the command ended")
        return code

    def close(self) -> None:
        with suppress(*failures(), SourceError):
            self._stack.close()
