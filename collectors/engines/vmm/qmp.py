"""QEMU's machine protocol, QMP: one line of JSON for each command and answer (QEMU docs/interop/qmp-spec.rst).

A socket serves one client at a time: a second one connects, and gets no greeting until the first has left. A connection
is therefore made for a few commands and closed at once, and never to the socket of a manager that may need it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from collectors.engines.vmm.control_socket import NotReached, connect
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.errors import NotInTime, SourceDown, SourceError
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at

GREETING_S = 1.0
"""Seconds after which a socket that does not greet is taken to serve another client."""
_ANSWER_S = 5.0
_LARGEST = 4 << 20
"""Bytes of an answer: `query-block` of a machine with a hundred disks and snapshots takes some 200 KiB."""
_CHUNK = 1 << 16


class Qmp:
    """A session on a connected socket. Raises `SourceError` for everything that fails."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._received = b""
        greeting = self._message(GREETING_S, "it is busy: another program, such as the machine's manager, holds it")
        if "QMP" not in greeting:
            raise SourceDown("what listens on the machine's QMP socket does not speak QMP")
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: Any) -> Any:
        """Return the answer to a command.

        Raises:
            SourceError: QEMU refused, with its reason; or the connection broke.
        """
        request = {"execute": command, "arguments": arguments} if arguments else {"execute": command}
        try:
            self._connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise SourceDown(f"the connection to QEMU was lost: {error.strerror or error}") from error
        while True:  # events come in between
            answer = self._message(_ANSWER_S, f"QEMU did not answer {command} within {_ANSWER_S:g} s")
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise SourceError(f"QEMU refused: {sanitize(str(at(answer, 'error', 'desc')))}")

    def wait_for(self, event: str, seconds: float) -> bool:
        """Wait for an event; return whether it came in time.

        Raises:
            SourceDown: The connection broke.
        """
        deadline = time.monotonic() + seconds
        with suppress(NotInTime):
            while self._message(deadline - time.monotonic(), "").get("event") != event:
                pass
            return True
        return False

    def _message(self, seconds: float, late: str) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while b"\n" not in self._received:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise NotInTime(late)
            self._connection.settimeout(left_s)
            try:
                chunk = self._connection.recv(_CHUNK)
            except TimeoutError:
                raise NotInTime(late) from None
            except OSError as error:
                raise SourceDown(f"the connection to QEMU was lost: {error.strerror or error}") from error
            self._received += chunk
            if not chunk or len(self._received) > _LARGEST:
                raise SourceDown("QEMU closed the connection" if not chunk else "QEMU's answer is too long")
        line, _, self._received = self._received.partition(b"\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise SourceDown("what listens on the machine's QMP socket does not speak QMP")
        return message


@contextmanager
def qmp(process: VmmProcess, path: str) -> Iterator[Qmp]:
    """Open a session with a QEMU process, for a few commands.

    Args:
        process: QEMU.
        path: Its socket, as its command line names it.

    Raises:
        NotReached: Another client holds the socket, or it does not speak QMP.
        SourceError: The socket cannot be used.
    """
    connection = connect(process, path, GREETING_S)
    try:
        try:
            session = Qmp(connection)
        except SourceDown as error:
            raise NotReached(error.reason) from error
        yield session
    finally:
        connection.close()
