"""HTTP over the unix socket of a VMM: one request for each connection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from collectors.engines.socket_http import send, whole
from collectors.engines.vmm.control_socket import connect
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.errors import NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.safety.sanitize import sanitize, sanitize_name

_ANSWER_S = 5.0
_LARGEST = 1 << 20
_MOST_VALUES = 100_000


def call(process: VmmProcess, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Return the answer of a VMM's API, decoded from JSON; `None` for an empty one.

    Args:
        process: The VMM.
        method: `GET` or `PUT` or `PATCH`.
        path: The path of the request; a constant.
        body: What is sent as JSON.

    Raises:
        SourceError: It has no API, cannot be reached, or refuses, with its reason.
    """
    if process.control_socket is None:
        raise SourceAbsent(f"{sanitize_name(process.name)} was started without a socket for its API")
    connection = connect(process, process.control_socket, _ANSWER_S)
    try:
        headers = {"Accept": "application/json"}
        answer = send(connection, method, path, None if body is None else json.dumps(body).encode(), headers)
        text = whole(answer.read, _LARGEST, _MOST_VALUES, _ANSWER_S)
    except TimeoutError:
        raise NotInTime(f"{process.family.product} did not answer within {_ANSWER_S:g} s") from None
    except OSError as error:
        raise SourceDown(f"the connection to {process.family.product} was lost: {sanitize(str(error))}") from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise SourceError(f"{process.family.product} refused: {_reason(text, answer.status)}")
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError) as error:
        raise SourceDown(f"{process.family.product} sent an invalid answer") from error


def _reason(text: bytes, status: int) -> str:
    """Return the reason in an answer: an object with `fault_message`, a list of sentences, or plain text."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = text.decode("utf-8", "replace")
    if isinstance(answer, dict):
        answer = answer.get("fault_message")
    if isinstance(answer, list):
        answer = next((line for line in answer if isinstance(line, str)), None)
    return sanitize(answer.strip(), 300) if isinstance(answer, str) and answer.strip() else f"status {status}"
