"""Questions to the HTTP API of Prometheus, each answered or refused within bounds.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/; VictoriaMetrics has the same.
"""

from __future__ import annotations

import http.client
import time
import zlib
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from collectors.model.errors import SourceDown, SourceError
from collectors.prometheus.answers import Series, parse, refusal
from collectors.prometheus.connection import connect, lost
from collectors.prometheus.server import Server, authorization, checked
from collectors.safety.loopback import is_loopback

LARGEST = 64 << 20
"""Bytes of one answer at most: 300,000 values of 60 series each take about 20 MiB."""
ANSWER_S = 20.0
"""Seconds that one answer may take, from the question to its last byte."""
_CHUNK = 256 << 10
_FRESH = {"nocache": "1"}
"""Without it, VictoriaMetrics answers as of 30 s ago; Prometheus ignores it."""
_SILENT_S = 5.0
"""Seconds without a byte of an answer that has begun."""


class PrometheusClient:
    """One connection to a server, kept open between questions and opened again when it was lost.

    Args:
        server: Whom to ask.
        answer_s: Seconds that an answer may take.
    """

    def __init__(self, server: Server, answer_s: float = ANSWER_S) -> None:
        self.server = checked(server)
        self.server_time: float | None = None
        self._answer_s = answer_s
        self._parts = urlsplit(server.url)
        self._connection: http.client.HTTPConnection | None = None
        self._headers: dict[str, str] = {}

    def instant(self, query: str, at: float | None = None) -> list[Series]:
        """Return what a query gives at an instant in seconds since 1970; by default, now.

        Raises:
            SourceError: The server cannot be reached, refuses, or does not answer within bounds.
        """
        parameters = {"query": query, **_FRESH}
        if at is not None:
            parameters["time"] = f"{at:.3f}"
        return self._ask("query", parameters)

    def over(self, query: str, start: float, end: float, step_s: float) -> list[Series]:
        """Return what a query gives at each step between two instants, both included. Raises as `instant`."""
        parameters = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_s:.3f}", **_FRESH}
        return self._ask("query_range", parameters)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, what: str, parameters: Mapping[str, str]) -> list[Series]:
        is_kept = self._connection is not None
        try:
            status, body = self._post(what, parameters)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            self.close()
            if not is_kept:
                raise self._lost(error) from error
            return self._once(what, parameters)  # a server closes a connection that was idle for long
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._lost(error) from error
        return self._read(status, body)

    def _once(self, what: str, parameters: Mapping[str, str]) -> list[Series]:
        try:
            status, body = self._post(what, parameters)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._lost(error) from error
        return self._read(status, body)

    def _read(self, status: int, body: bytes) -> list[Series]:
        if status == 200:
            return parse(body, self.server.shown)
        raise refusal(status, body, self.server.shown)

    def _lost(self, error: Exception) -> SourceError:
        if isinstance(error, _TooLong):
            return SourceDown(str(error), "narrow it: --match, --most")
        return lost(self.server, error, f"did not answer within {self._answer_s:g} s", "cannot be asked")

    def _post(self, what: str, parameters: Mapping[str, str]) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._answer_s
        connection = self._connection or self._connect()
        assert connection.sock is not None  # noqa: S101  # it is connected
        connection.sock.settimeout(self._answer_s)
        path = f"{self._parts.path.rstrip('/')}/api/v1/{what}"
        connection.request("POST", path, urlencode(parameters), self._headers)
        response = connection.getresponse()
        body = self._body(response, connection, deadline)
        response.close()  # it has been read to its end: the connection is free for the next question
        if response.will_close:
            self.close()
        return response.status, body

    def _connect(self) -> http.client.HTTPConnection:
        self._headers = {"Content-Type": "application/x-www-form-urlencoded", **authorization(self.server)}
        if not is_loopback(self._parts.hostname or ""):
            self._headers["Accept-Encoding"] = "gzip"
        connection = connect(self.server)
        self._connection = connection
        return connection

    def _body(
        self, response: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float
    ) -> bytes:
        is_packed = response.headers.get("Content-Encoding", "").lower() == "gzip"
        inflater = zlib.decompressobj(16 + zlib.MAX_WBITS) if is_packed else None
        body = bytearray()
        if connection.sock is not None:
            connection.sock.settimeout(min(_SILENT_S, self._answer_s))
        while chunk := response.read1(_CHUNK):
            try:
                body += chunk if inflater is None else inflater.decompress(chunk, LARGEST + 1 - len(body))
            except zlib.error:
                raise http.client.HTTPException("its answer is damaged") from None
            if len(body) > LARGEST:
                raise _TooLong(f"the answer of {self.server.shown} is longer than {LARGEST >> 20} MiB")
            if time.monotonic() > deadline:
                raise TimeoutError
        return bytes(body)


class _TooLong(http.client.HTTPException):
    """An answer beyond its bounds."""
