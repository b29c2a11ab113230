"""Answers scrapers: one request per connection, a bounded number at once, each within a bounded time."""

from __future__ import annotations

import logging
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import NamedTuple

from collectors.exposition.scraper import Health, Scraper
from collectors.exposition.web.configuration import Watched, Web
from collectors.exposition.web.request import (
    LARGEST_HEAD,
    BadRequest,
    Request,
    credentials,
    dialect_for,
    is_gzip_welcome,
    parse_request,
)

log = logging.getLogger(__name__)

MOST_AT_ONCE = 16
"""Connections; further ones are told to come again."""
ASKING_S = 10.0
"""Seconds for the handshake of TLS and the request, from the connection on."""
TAKING_S = 30.0
"""Seconds for the scraper to take the answer."""
_LOOK_S = 0.5
_SAFE = (("X-Content-Type-Options", "nosniff"),)
"""Headers that the configuration may replace."""
_PAGE = b"""<!DOCTYPE html><html lang="en"><head><title>vmtop</title></head>
<body><h1>vmtop</h1><p><a href="/metrics">Metrics</a></p></body></html>
"""


class _Answer(NamedTuple):
    status: int
    body: bytes
    type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class Server:
    """Serves `/metrics` and `/healthz` at sockets that listen already.

    Args:
        scraper: Makes the texts.
        listeners: The sockets; they are closed with the server.
        web: TLS and who may ask; `None`: no TLS, and everyone.
    """

    def __init__(self, scraper: Scraper, listeners: Sequence[socket.socket], web: Watched | None = None) -> None:
        self._scraper = scraper
        self._listeners = list(listeners)
        self._web = web
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    def start(self) -> None:
        """Begin to answer, on threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Accept no more connections. Answers under way are not waited for."""
        self._is_stopping.set()
        self._thread.join(2 * _LOOK_S)
        for listener in self._listeners:
            listener.close()

    def _run(self) -> None:
        for listener in self._listeners:
            listener.setblocking(False)
        while not self._is_stopping.is_set():
            for listener in select.select(self._listeners, [], [], _LOOK_S)[0]:
                self._accept(listener)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:  # no descriptor is left, or the client has gone
            log.warning("a connection could not be accepted: %s", error)
            self._is_stopping.wait(0.1)
            return
        if not self._places.acquire(blocking=False):
            with suppress(OSError), connection:
                connection.setblocking(False)
                connection.send(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n\r\n")
            return
        try:
            threading.Thread(target=self._serve, args=(connection,), name="scrape", daemon=True).start()
        except RuntimeError as error:  # no thread can be started
            log.warning("a connection could not be served: %s", error)
            connection.close()
            self._places.release()

    def _serve(self, connection: socket.socket) -> None:
        try:
            self._converse(connection)
        except (OSError, ssl.SSLError) as error:  # the client broke off, or was too slow
            log.info("a scrape ended early: %s", error)
        except Exception:
            # The guard of a connection: what goes wrong with one may not end the others.
            log.exception("a scrape failed")
        finally:
            connection.close()
            self._places.release()

    def _converse(self, connection: socket.socket) -> None:
        web = self._web.now() if self._web is not None else Web()
        deadline = time.monotonic() + ASKING_S
        connection.settimeout(ASKING_S)
        if web.tls is not None:
            connection = web.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with connection:
            if isinstance(connection, ssl.SSLSocket):
                _within(connection, deadline, connection.do_handshake)
            is_head = False
            try:
                request = parse_request(_read_head(connection, deadline))
                is_head = request.is_head
                answer = self._answer(request, web)
            except BadRequest as error:
                extra = (("Allow", "GET, HEAD"),) if error.status == HTTPStatus.METHOD_NOT_ALLOWED else ()
                answer = _Answer(error.status, f"{error}\n".encode(), headers=extra)
            _send(connection, _head(answer, web.headers) + (b"" if is_head else answer.body))

    def _answer(self, request: Request, web: Web) -> _Answer:
        if web.passwords is not None:
            given = credentials(request.headers)
            if given is None or not web.passwords.may(*given):
                challenge = (("WWW-Authenticate", 'Basic realm="vmtop", charset="UTF-8"'),)
                return _Answer(HTTPStatus.UNAUTHORIZED, b"a user and a password are needed\n", headers=challenge)
        if request.path == "/metrics":
            return self._metrics(request)
        if request.path == "/healthz":
            health = self._scraper.health()
            status = HTTPStatus.OK if health is Health.GOOD else HTTPStatus.SERVICE_UNAVAILABLE
            return _Answer(status, f"{health}\n".encode())
        if request.path == "/":
            return _Answer(HTTPStatus.OK, _PAGE, "text/html; charset=utf-8")
        return _Answer(HTTPStatus.NOT_FOUND, b"there are /metrics and /healthz\n")

    def _metrics(self, request: Request) -> _Answer:
        dialect, is_small = dialect_for(request.headers), is_gzip_welcome(request.headers)
        body = self._scraper.scrape(dialect, is_small)
        if body is None:
            return _Answer(HTTPStatus.SERVICE_UNAVAILABLE, b"the sources could not be read; the log has the reason\n")
        encoding = (("Content-Encoding", "gzip"),) if is_small else ()
        return _Answer(HTTPStatus.OK, body, dialect.value, (*encoding, ("Vary", "Accept, Accept-Encoding")))


def _within(connection: socket.socket, deadline: float, act: Callable[[], object]) -> None:
    """Do something with a connection until a monotonic instant at most, however slowly the other side goes on."""
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (connection,))
    timer.daemon = True
    timer.start()
    try:
        act()
    finally:
        timer.cancel()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _read_head(connection: socket.socket, deadline: float) -> bytes:
    """Return the bytes before the empty line that ends the headers.

    Raises:
        BadRequest: It is too long or takes too long.
    """
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise BadRequest(HTTPStatus.REQUEST_TIMEOUT, "the request took too long")
        if len(received) > LARGEST_HEAD:
            raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long")
        connection.settimeout(left_s)
        try:
            part = connection.recv(4096)
        except TimeoutError as error:
            raise BadRequest(HTTPStatus.REQUEST_TIMEOUT, "the request took too long") from error
        if not part:
            raise ConnectionError("the client closed the connection before its request was whole")
        received += part
    return received[:end]


def _head(answer: _Answer, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [
        f"HTTP/1.1 {int(answer.status)} {HTTPStatus(answer.status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Type: {answer.type}",
        f"Content-Length: {len(answer.body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    lines += [f"{name}: {value}" for name, value in (*answer.headers, *(dict(_SAFE) | dict(headers)).items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _send(connection: socket.socket, data: bytes) -> None:
    """Send everything within `TAKING_S`; `sendall` has its time-out for the whole."""
    connection.settimeout(TAKING_S)
    _within(connection, time.monotonic() + TAKING_S, lambda: connection.sendall(data))
    if isinstance(connection, ssl.SSLSocket):
        with suppress(OSError):
            connection.settimeout(1.0)
            connection.unwrap()
    else:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
