"""The API of LXD and Incus over their unix socket; turns its errors into `SourceError`.

Source: https://documentation.ubuntu.com/lxd/en/latest/api/ and https://linuxcontainers.org/incus/docs/main/api/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from collectors.engines.lxd.sockets import connect
from collectors.engines.lxd.websocket import HandshakeRefused, WebSocket
from collectors.engines.socket_http import send, whole
from collectors.model.errors import AccessDenied, NotInTime, SourceDown, SourceError, WorkloadGone
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, part, text
from collectors.sampling.timeout import ANSWER_S

_LARGEST = 64 << 20
"""Bytes of one answer at most: a thousand instances, each with a dozen snapshots, take some 30 MiB."""
_MOST_VALUES = 2_000_000
"""Values in one answer at most, of up to 100 bytes of memory each once it is decoded."""
_LONGEST_ANSWER_S = 60.0


class LxdClient:
    """Calls of one daemon, each on a connection of its own.

    Args:
        path: The daemon's socket.
        timeout_s: Seconds that a call may take.
    """

    def __init__(self, path: Path, timeout_s: float = ANSWER_S) -> None:
        self.path = path
        self._timeout_s = timeout_s

    def get(self, path: str, **query: str) -> Any:
        """Return the `metadata` of an answer.

        Raises:
            SourceError: The daemon cannot be reached, refuses (`AccessDenied`), or does not know it (`WorkloadGone`).
        """
        return self._json("GET", path, query).get("metadata")

    def text(self, path: str, **query: str) -> bytes:
        """Return an answer that is not JSON, such as a log. Raises as `get`."""
        return self._call("GET", path, query, None, self._timeout_s)

    def run(self, method: str, path: str, body: Mapping[str, Any], timeout_s: float, **query: str) -> str:
        """Start an operation and wait for its end; return why it failed, empty if it did not.

        Raises:
            NotInTime: It goes on for longer than `timeout_s` and `ANSWER_S`.
            SourceError: As `get`.
        """
        operation = self.start(method, path, body, **query)
        seconds = timeout_s + ANSWER_S
        identity = quote(text(operation.get("id")), safe="")
        answer = self._json("GET", f"/1.0/operations/{identity}/wait", {"timeout": f"{seconds:.0f}"}, None, seconds + 5)
        ended = part(answer, "metadata")
        if ended.get("status_code") == _RUNNING:
            raise NotInTime(f"the daemon has not done it for {seconds:.0f} s")
        return sanitize(text(ended.get("err")))

    def start(self, method: str, path: str, body: Mapping[str, Any], **query: str) -> Mapping[str, Any]:
        """Start an operation and return it. Raises as `get`."""
        return part(self._json(method, path, query, body), "metadata")

    def websocket(self, path: str, **query: str) -> WebSocket:
        """Open a WebSocket. Its reads may take forever. Raises as `get`."""
        connection = connect(self.path, self._timeout_s)
        try:
            opened = WebSocket(connection, _target(path, query))
            connection.settimeout(None)
        except HandshakeRefused as error:
            connection.close()
            raise SourceError(f"the daemon refused: {sanitize(str(error))}") from error
        except OSError as error:
            connection.close()
            raise SourceDown(f"the connection to {self._shown} was lost: {error.strerror or error}") from error
        return opened

    @property
    def _shown(self) -> str:
        return sanitize(str(self.path))

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        raw = self._call(method, path, query, body, timeout_s or self._timeout_s)
        try:
            answer = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise SourceDown(f"the daemon at {self._shown} sent an invalid answer") from error
        if not isinstance(answer, dict):
            raise SourceDown(f"the daemon at {self._shown} sent an invalid answer")
        return answer

    def _call(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None, timeout_s: float
    ) -> bytes:
        connection = connect(self.path, timeout_s)
        try:
            answer = send(connection, method, _target(path, query), None if body is None else json.dumps(body).encode())
            raw = whole(answer.read, _LARGEST, _MOST_VALUES, _LONGEST_ANSWER_S)
        except TimeoutError:
            raise NotInTime(f"the daemon at {self._shown} did not answer within {timeout_s:g} s") from None
        except OSError as error:
            raise SourceDown(f"the connection to {self._shown} was lost: {sanitize(str(error))}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise _refusal(answer.status, raw)
        return raw


_RUNNING = 103
"""Status code of an operation that has not ended."""


def instance_path(project_and_name: str, *rest: str) -> tuple[str, str]:
    """Return the path of an instance in the API, and its project, by the id `project/name`."""
    project, _, name = project_and_name.rpartition("/")
    return "/".join(("/1.0/instances", quote(name, safe=""), *rest)), project or "default"


def _target(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode({key.replace('_', '-'): value for key, value in query.items()})}" if query else path


def _refusal(status: int, raw: bytes) -> SourceError:
    try:
        message = sanitize(text(at(json.loads(raw), "error")))
    except (ValueError, RecursionError):
        message = f"HTTP {status}"
    if status == 404:
        return WorkloadGone("the daemon no longer has it")
    if status in (401, 403):
        return AccessDenied(f"the daemon does not allow it: {message}")
    return SourceError(f"the daemon refused: {message.rstrip('.')}")
