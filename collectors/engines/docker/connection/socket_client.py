"""What the Docker source asks of an engine of this host, without docker-py (docs/decisions/0060)."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from collectors.engines.docker.connection import answers
from collectors.engines.docker.connection.answers import refusal
from collectors.engines.socket_http import Answer, AnswerRefused, send, whole


class SocketClient:
    """Reads from an engine over its unix socket, on a connection for each request. Changes nothing.

    Args:
        path: The socket.
        version: The version of the API.
        timeout_s: Seconds that an answer may keep silent.

    Raises:
        Refused: From every request, for an answer with an error.
        AnswerRefused: From every request, for an answer beyond the bounds of `answers`, a redirect or a compressed one.
        OSError: From every request, if the connection fails, or `TimeoutError`.
        ValueError: From every request for JSON, if the answer is not.
    """

    def __init__(self, path: Path, version: str, timeout_s: float) -> None:
        self._path = path
        self._version = version
        self.timeout: float | None = timeout_s

    def ping_headers(self) -> Mapping[str, str]:
        """Return the headers of the answer to `/_ping`, by lower-case name; empty where it is not answered."""
        answer = self._open("/_ping", {}, self.timeout)
        try:
            _body(answer)
        finally:
            answer.close()
        return answer.headers if answer.status == 200 else {}

    def ping(self) -> None:
        """Check that the engine answers."""
        self._whole("/_ping", {})

    def version(self, api_version: bool = True) -> Any:
        """Return who the engine is; without `api_version` it is asked in the newest version that it speaks."""
        return self._json("/version", {}, is_versioned=api_version)

    def info(self) -> Any:
        """Return what the engine tells of itself and its host."""
        return self._json("/info", {})

    def containers(self, all: bool = False, size: bool = False) -> Any:  # noqa: A002  # docker-py's name
        """Return the list of containers, with `all` those that do not run as well."""
        return self._json("/containers/json", {"all": str(int(all)), "size": str(int(size))})

    def inspect_container(self, container: str) -> Any:
        """Return all of a container, by an id that may be in a path."""
        return self._json(f"/containers/{container}/json", {})

    def open_stream(self, path: str, parameters: Mapping[str, str], timeout_s: float | None) -> Answer:
        """Request a path of the API, and return the answer before its first message.

        Args:
            path: The path.
            parameters: The query.
            timeout_s: Seconds that it may keep silent, its head included; `None` for ever.
        """
        return self._checked(self._open(f"/v{self._version}{path}", parameters, timeout_s))

    def close(self) -> None:
        """Do nothing: no connection outlives its request."""

    def _json(self, path: str, parameters: Mapping[str, str], is_versioned: bool = True) -> Any:
        return json.loads(self._whole(path, parameters, is_versioned))

    def _whole(self, path: str, parameters: Mapping[str, str], is_versioned: bool = True) -> bytes:
        version = f"/v{self._version}" if is_versioned else ""
        answer = self._checked(self._open(f"{version}{path}", parameters, self.timeout))
        try:
            return _body(answer)
        finally:
            answer.close()

    def _open(self, path: str, parameters: Mapping[str, str], timeout_s: float | None) -> Answer:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        connection.settimeout(self.timeout)
        try:
            connection.connect(str(self._path))
            connection.settimeout(timeout_s)
        except BaseException:
            connection.close()
            raise
        answer = send(connection, "GET", f"{path}?{urlencode(parameters)}" if parameters else path)
        if 300 <= answer.status < 400:
            answer.close()
            raise AnswerRefused("it answers with a redirect, which vmtop does not follow")
        if answer.headers.get("content-encoding", "identity") != "identity":
            answer.close()
            raise AnswerRefused("it answers compressed, which vmtop did not ask for")
        return answer

    def _checked(self, answer: Answer) -> Answer:
        """Return an answer that is none of an error; close another one, and raise what it says."""
        if answer.status < 400:
            return answer
        try:
            raise refusal(answer.status, _body(answer))
        finally:
            answer.close()


def _body(answer: Answer) -> bytes:
    return whole(answer.read, answers.LARGEST_ANSWER, answers.MOST_VALUES, answers.LONGEST_ANSWER_S)
