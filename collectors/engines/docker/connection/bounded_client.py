"""docker-py's client with bounds: an engine, or what poses as one, can send without end, deflated or deeply nested.

Imports docker-py, so it is imported late.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from docker import APIClient
from docker.types.daemon import CancellableStream
from requests import PreparedRequest, Response

from collectors.engines.docker.connection import answers
from collectors.engines.docker.connection.answers import refusal
from collectors.engines.socket_http import AnswerRefused, whole

_CHUNK = 64 << 10


class ResponseStream:
    """The body of an answer that is read as it arrives."""

    def __init__(self, response: Response) -> None:
        self._response = response

    def read(self) -> bytes:
        """Return what has arrived, at least a byte; nothing at the end."""
        return _read(self._response)

    def close(self) -> None:
        """End it; a `read` in another thread ends as well."""
        with suppress(OSError, AttributeError):  # it has ended by itself, and has no socket any more
            CancellableStream(iter(()), self._response).close()
        self._response.close()


class BoundedClient(APIClient):
    """Reads whole answers up to the bounds, and takes neither a redirect nor a compressed answer.

    Raises:
        Refused: From every request, for an answer with an error.
        AnswerRefused: From every request, for an answer beyond the bounds.
    """

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Send a request, and read its answer unless it is a stream."""
        is_stream = options.pop("stream", False)
        request.headers["Accept-Encoding"] = "identity"
        response = super().send(request, stream=True, **options)
        try:
            if response.is_redirect:
                raise AnswerRefused("it answers with a redirect, which vmtop does not follow")
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise AnswerRefused("it answers compressed, which vmtop did not ask for")
            if not is_stream:
                response.raw = io.BytesIO(_body(response))
        except BaseException:
            response.close()
            raise
        return response

    def get_redirect_target(self, resp: Response) -> None:
        """Return nothing: requests would read the whole answer, and send the request elsewhere."""

    def ping_headers(self) -> Mapping[str, str]:
        """Return the headers of the answer to `/_ping`; empty where it is not answered, as by some proxies."""
        response = self.get(f"{self.base_url}/_ping", timeout=self.timeout)
        return response.headers if response.status_code == 200 else {}

    def open_stream(self, path: str, parameters: Mapping[str, str], timeout_s: float | None) -> ResponseStream:
        """Request a path of the API, and return the answer before its first message."""
        address = f"{self.base_url}/v{self.api_version}{path}"
        response = self.get(address, params=parameters, stream=True, timeout=(self.timeout, timeout_s))
        self._raise_for_status(response)
        return ResponseStream(response)

    def _raise_for_status(self, response: Response) -> None:
        """Raise `Refused`; docker-py would read the whole answer to a stream, whatever its length."""
        if response.status_code >= 400:
            try:
                body = response.raw.getvalue() if isinstance(response.raw, io.BytesIO) else _body(response)
            finally:
                response.close()
            raise refusal(response.status_code, body)


def _body(response: Response) -> bytes:
    return whole(lambda: _read(response), answers.LARGEST_ANSWER, answers.MOST_VALUES, answers.LONGEST_ANSWER_S)


def _read(response: Response) -> bytes:
    """Return what has arrived, at least a byte; nothing at the end. http.client bounds the lines between chunks."""
    read = getattr(response.raw, "read1", response.raw.read)
    return bytes(read(_CHUNK, decode_content=False))
