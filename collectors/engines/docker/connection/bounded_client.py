"""docker-py's client with bounds: an engine, or what poses as one, can send without end, deflated or deeply nested.

Imports docker-py, so it is imported late.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from docker import APIClient
from requests import PreparedRequest, RequestException, Response

LARGEST_ANSWER = 32 << 20
"""Bytes of one answer at most: the list of 10,000 containers takes about 20 MiB."""
MOST_VALUES = 1_000_000
"""Values in one answer at most, of up to 100 bytes of memory each once it is decoded."""
LONGEST_ANSWER_S = 60.0
"""Seconds that one answer may take from its first byte to its last."""
LONGEST_MESSAGE = 1 << 20
"""Bytes of one message of a stream at most."""
_CHUNK = 64 << 10


class AnswerRefused(RequestException):
    """An answer that is not taken; the message says why."""


class BoundedClient(APIClient):
    """Reads whole answers up to the bounds, and takes neither a redirect nor a compressed answer.

    Raises:
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

    def open_stream(self, path: str, parameters: Mapping[str, str], timeout_s: float | None) -> Response:
        """Request a path of the API, and return the answer before its first message.

        Raises:
            HTTPError: The engine refuses.
        """
        address = f"{self.base_url}/v{self.api_version}{path}"
        response = self.get(address, params=parameters, stream=True, timeout=(self.timeout, timeout_s))
        response.raise_for_status()
        return response


def messages(response: Response) -> Iterator[Any]:
    """Yield the messages of a stream as they arrive, one JSON document a line, and close it.

    Raises:
        AnswerRefused: A message is too long.
        ValueError: A message is not JSON.
    """
    pending = bytearray()
    try:
        while chunk := _read(response):
            pending += chunk
            if b"\n" in chunk:
                *lines, rest = bytes(pending).split(b"\n")
                pending = bytearray(rest)
                yield from (json.loads(line) for line in lines if line.strip())
            if len(pending) > LONGEST_MESSAGE:
                raise AnswerRefused(f"it sends a message of more than {LONGEST_MESSAGE >> 20} MiB")
        if pending.strip():
            yield json.loads(pending)
    finally:
        response.close()


def _body(response: Response) -> bytes:
    body = bytearray()
    deadline = time.monotonic() + LONGEST_ANSWER_S
    while chunk := _read(response):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise AnswerRefused(f"its answer is longer than {LARGEST_ANSWER >> 20} MiB")
        if time.monotonic() > deadline:
            raise AnswerRefused(f"its answer takes longer than {LONGEST_ANSWER_S:g} s")
    if sum(body.count(mark) for mark in b",[{") > MOST_VALUES:
        raise AnswerRefused(f"its answer has more than {MOST_VALUES:,} values")
    return bytes(body)


def _read(response: Response) -> bytes:
    """Return what has arrived, at least a byte; nothing at the end. http.client bounds the lines between chunks."""
    read = getattr(response.raw, "read1", response.raw.read)
    return bytes(read(_CHUNK, decode_content=False))
