"""A server with the query API of Prometheus that answers as a test says, also with what no server should send."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

Answer = Callable[["Exchange"], object]
"""Answers one question."""


class Exchange:
    """One question and its answer."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("Content-Length") or 0)
        self.parameters = {name: values[0] for name, values in parse_qs(handler.rfile.read(size).decode()).items()}
        self.path = handler.path
        self.headers = dict(handler.headers.items())
        self.handler = handler

    def send(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        self.handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)

    def send_series(self, *series: Mapping[str, object], kind: str = "vector") -> None:
        """Send a successful answer."""
        self.send(json.dumps({"status": "success", "data": {"resultType": kind, "result": series}}).encode())


@contextmanager
def query_server(answer: Answer, certificate: Path | None = None) -> Iterator[tuple[str, list[Exchange]]]:
    """Run a server on loopback, over TLS with a certificate and its key; yield its URL and the questions so far."""
    asked: list[Exchange] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            exchange = Exchange(self)
            asked.append(exchange)
            answer(exchange)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http{'' if certificate is None else 's'}://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
