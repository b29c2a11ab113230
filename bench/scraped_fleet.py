"""Many hosts that do not exist, each with a hundred workloads, as `vmtop serve` would expose them: for one bench."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from bench.realistic_fleet import Believable
from collectors.exposition.exposer import Exposer, Own
from collectors.exposition.text import Dialect

WORKLOADS = 100


class Hosts:
    """The texts of hosts, new ones at each interval."""

    def __init__(self, count: int, interval_s: float) -> None:
        self.count = count
        self._interval_s = interval_s
        self._made = [(Believable(WORKLOADS).frames(10**9), Exposer()) for _ in range(count)]
        self._lock = Lock()
        self._kept = lru_cache(count * 2)(self._text)

    def text(self, number: int) -> bytes:
        """Return a host's text of the present interval: the same to every engine that asks."""
        with self._lock:
            return self._kept(number, int(time.monotonic() / self._interval_s))

    def _text(self, number: int, _interval: int) -> bytes:
        frames, exposer = self._made[number]
        return exposer.text(next(frames), Dialect.OPENMETRICS, Own("bench")).encode()


@contextmanager
def serving(hosts: Hosts) -> Iterator[str]:
    """Answer scrapes of `/HOST/metrics` on loopback; give the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            text = hosts.text(int(self.path.split("/")[1]))
            self.send_response(200)
            self.send_header("Content-Type", Dialect.OPENMETRICS.value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            with suppress(OSError):  # who asked has gone
                self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
