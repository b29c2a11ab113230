"""Shells and commands in a container through the engine's exec API, addressed by the container's id only."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.connection.endpoint import failures, is_id
from collectors.kernel.processes.texts import status_values
from collectors.kernel.procfs import read_bytes
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
_HANG_UP = ("/bin/sh", "-c", 'kill -HUP "$1"', "sh")
"""Sends to the process that follows, from within: whoever may open a shell may do that, root of the host or not."""
_HANG_UP_S = 2.0
"""Seconds for which a daemon may keep those who leave a shell waiting."""


class DockerConsole:
    """Runs a shell, or a command, on its own terminal inside a container."""

    def __init__(self, workload: Workload, access: DockerAccess, command: Sequence[str] = ()) -> None:
        self._container = workload.id.id
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
        self._hang_up()
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)  # which wakes its reader
        try:
            self._stream.close()
            self._stack.close()
        except (*failures(), SourceError) as error:  # type: ignore[misc]  # a tuple of exception classes
            log.info("closing a shell: %s", error)

    def _hang_up(self) -> None:
        """End what still runs at the terminal, as one that is closed does: the engine would leave it there for ever.

        It finds the process by procfs, so that of an engine on another host it goes on.
        """
        try:
            self._client.timeout = _HANG_UP_S
            execution = self._client.exec_inspect(self._id)
            pid = _pid_inside(self._container, whole_number(execution.get("Pid"))) if execution.get("Running") else None
            if pid is not None:
                kill = self._client.exec_create(self._container, [*_HANG_UP, str(pid)], stdout=False, stderr=False)
                self._client.exec_start(kill["Id"], detach=True)
        except (*failures(), KeyError, AttributeError) as error:  # type: ignore[misc]  # a tuple of exception classes
            log.info("what runs in a %s that was left cannot be ended: %s", self._program, error)


def _pid_inside(container: str, pid: int | None, proc: str = "/proc") -> int | None:
    """Return what a process of a container is called within; `None` if this host does not show it as one of its."""
    if not pid or container not in (read_bytes(f"{proc}/{pid}/cgroup") or b"").decode("ascii", "replace"):
        return None
    inside = status_values(read_bytes(f"{proc}/{pid}/status") or b"", b"NSpid")
    return int(inside[-1]) if inside else None


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
