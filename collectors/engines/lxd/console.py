"""Shells and commands in an instance through the exec API; in a virtual machine its agent runs them.

A shell has one WebSocket for what is typed and printed, and one for control messages; a command has one for each of its
streams (https://documentation.ubuntu.com/lxd/en/latest/api/#/instances/instance_exec_post).
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from collectors.engines.lxd.client import LxdClient, instance_path
from collectors.engines.lxd.websocket import WebSocket
from collectors.model.errors import SourceDown, SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import part, text, whole_number

if TYPE_CHECKING:
    from collectors.engines.lxd.access import LxdAccess

log = logging.getLogger(__name__)

_SHELL = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
"""Runs bash if the instance has it. A constant: it never contains a name or label."""
_ENVIRONMENT = {"TERM": "xterm-256color", "HOME": "/root", "USER": "root"}
_NOT_FOUND = (126, 127)
_INPUT, _OUTPUT, _ERRORS, _CONTROL = "0", "1", "2", "control"


class _Execution:
    """A command that runs in an instance, with its WebSockets."""

    def __init__(self, client: LxdClient, workload: Workload, command: Sequence[str], is_interactive: bool) -> None:
        path, project = instance_path(workload.id.id, "exec")
        body = {
            "command": list(command),
            "environment": _ENVIRONMENT if is_interactive else {},
            "interactive": is_interactive,
            "wait-for-websocket": True,
        }
        operation = client.start("POST", path, body, project=project)
        self._client = client
        self._path = f"/1.0/operations/{quote(text(operation.get('id')), safe='')}"
        secrets = part(operation, "metadata", "fds")
        names = (_INPUT, _CONTROL) if is_interactive else (_INPUT, _OUTPUT, _ERRORS, _CONTROL)
        self.streams: dict[str, WebSocket] = {}
        with ExitStack() as stack:
            for name in (name for name in names if name in secrets):
                self.streams[name] = client.websocket(f"{self._path}/websocket", secret=text(secrets[name]))
                stack.callback(self.streams[name].close)
            stack.pop_all()

    def exit_code(self) -> int | None:
        """Return the code with which the command ended; `None` if the daemon does not say.

        Raises:
            SourceError: The daemon does not answer.
        """
        ended: Any = self._client.get(f"{self._path}/wait", timeout="5")
        return whole_number(part(ended if isinstance(ended, Mapping) else {}, "metadata").get("return"))

    def close(self) -> None:
        for stream in self.streams.values():
            stream.close()


class LxdConsole:
    """Runs a shell, or a command, on a terminal of its own inside an instance."""

    def __init__(self, workload: Workload, access: LxdAccess, command: Sequence[str] = ()) -> None:
        self._program = "command" if command else "shell"
        self.title = f"a {self._program} in {workload.name}"
        self.exit_code: int | None = None
        self._execution = _Execution(access.client(workload), workload, command or _SHELL, is_interactive=True)
        if _INPUT not in self._execution.streams:
            self._execution.close()
            raise SourceDown("the daemon gives the shell no terminal")
        self._terminal = self._execution.streams[_INPUT]

    def read(self) -> bytes:
        while (message := self._terminal.receive()) is not None:
            if not message.is_text and message.data:
                return message.data
            if message.is_text:  # the daemon's sign that the output has ended
                break
        self._terminal.close()  # the daemon waits for that before it says how the command ended
        return b""

    def write(self, data: bytes) -> None:
        self._terminal.send(data)

    def resize(self, columns: int, lines: int) -> None:
        arguments = {"width": str(columns), "height": str(lines)}
        message = json.dumps({"command": "window-resize", "args": arguments}).encode()
        try:
            if (control := self._execution.streams.get(_CONTROL)) is not None:
                control.send(message, is_text=True)
        except OSError as error:
            log.info("the size of a shell's terminal cannot be set: %s", error)  # it may have ended already

    def ending(self) -> str:
        try:
            code = self.exit_code = self._execution.exit_code()
        except SourceError as error:
            log.info("a shell's exit code cannot be read: %s", error)
            return f"the connection to the {self._program} ended"
        if code in _NOT_FOUND and self._program == "shell":
            return "the instance has no shell at /bin/sh"
        return f"the {self._program} ended" + (f" with exit code {code}" if code else "")

    def close(self) -> None:
        self._execution.close()


class LxdCommand:
    """Runs a command whose two streams of output are told apart."""

    def __init__(self, workload: Workload, access: LxdAccess, command: Sequence[str]) -> None:
        self._execution = _Execution(access.client(workload), workload, command, is_interactive=False)
        self._pieces: queue.Queue[tuple[bool, bytes] | OSError | None] = queue.Queue(maxsize=64)

    def output(self) -> Iterator[tuple[bool, bytes]]:
        streams = self._execution.streams
        names = [name for name in (_OUTPUT, _ERRORS) if name in streams]
        for name in names:
            threading.Thread(target=self._read, args=(streams[name], name == _ERRORS), daemon=True).start()
        if _INPUT in streams:
            streams[_INPUT].close()  # it has no input
        for _ in names:
            while (piece := self._pieces.get()) is not None:
                if isinstance(piece, OSError):
                    raise SourceError(f"the command's output cannot be read: {sanitize(str(piece))}") from piece
                yield piece

    def exit_code(self) -> int:
        code = self._execution.exit_code()
        if code is None:
            raise SourceError("the daemon does not say how the command ended")
        return code

    def close(self) -> None:
        self._execution.close()

    def _read(self, stream: WebSocket, is_error: bool) -> None:
        try:
            while (message := stream.receive()) is not None and not message.is_text:
                if message.data:
                    self._pieces.put((is_error, message.data))
        except OSError as error:
            self._pieces.put(error)
        finally:
            self._pieces.put(None)
