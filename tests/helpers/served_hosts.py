"""Made-up hosts that are scraped: each on a port of its own, in the process of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from collectors.exposition.exposer import Exposer, Own
from collectors.exposition.text import Dialect
from collectors.model.workloads import Frame
from tests.helpers.demo_fleet import Fleet


class ServedHost:
    """A host with made-up workloads, which go on by as much time as its interval says whenever it is scraped.

    Args:
        name: Its hostname.
        workloads: How many workloads it has.
        seed: The same seed gives the same workloads, with the same names and ids.
        step_s: Seconds from scrape to scrape.
    """

    def __init__(self, name: str, workloads: int, seed: int, step_s: float) -> None:
        self.name, self.step_s = name, step_s
        self.frames: list[Frame] = []
        """What was served so far."""
        self.is_up = True
        self._fleet = Fleet(workloads, seed)
        self._exposer = Exposer()
        self._lock = threading.Lock()

    def text(self) -> bytes:
        """Return the next scrape."""
        with self._lock:
            frame = self._fleet.frame(self.step_s)
            frame = msgspec.structs.replace(frame, facts={**frame.facts, "hostname": self.name})
            self.frames.append(frame)
            return self._exposer.text(frame, Dialect.PROMETHEUS, Own("0.1.0")).encode()


@contextmanager
def served_hosts(
    names: Sequence[str], workloads: int = 20, seeds: Sequence[int] | None = None, step_s: float = 1.0
) -> Iterator[dict[str, tuple[ServedHost, str]]]:
    """Serve hosts; yield each with its address, by name.

    Args:
        names: Their names.
        workloads: How many workloads each has.
        seeds: One of each host; by default all are different.
        step_s: Seconds from scrape to scrape.
    """
    with ExitStack() as stack:
        hosts = {}
        for number, name in enumerate(names):
            host = ServedHost(name, workloads, number if seeds is None else seeds[number], step_s)
            hosts[name] = (host, stack.enter_context(_listening(host)))
        yield hosts


@contextmanager
def _listening(host: ServedHost) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = host.text() if host.is_up else b""
            self.send_response(200 if host.is_up else 500)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
