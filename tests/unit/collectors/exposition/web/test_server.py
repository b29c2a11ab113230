"""The web server against clients of all kinds. Its sources are made up."""

from __future__ import annotations

import base64
import gzip
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from collectors.engines.demo.engine import demo_specs
from collectors.engines.registry import load_source
from collectors.exposition.exposer import Choice
from collectors.exposition.scraper import Health, Scraper
from collectors.exposition.web import server as module
from collectors.exposition.web.configuration import Watched
from collectors.exposition.web.listening import Place, listen
from collectors.exposition.web.server import Server
from collectors.sampling.sampler import Sampler
from tests.helpers.certificates import make_certificate
from tests.unit.collectors.exposition.web.test_configuration import BCRYPT
from tests.unit.collectors.exposition.web.test_request import PROMETHEUS_2_42


@contextmanager
def served(web: Watched | None = None, scraper: Scraper | None = None) -> Iterator[int]:
    """Serve ten workloads; yield the port."""
    scraper = scraper or Scraper(Sampler(demo_specs(10, 7), load_source), Choice(), "1.2")
    listener = listen(Place("127.0.0.1", 0))
    server = Server(scraper, [listener], web)
    scraper.start()
    server.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.stop()
        scraper.stop()


def get(
    port: int, path: str = "/metrics", method: str = "GET", tls: ssl.SSLContext | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    """Ask once."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    made: http.client.HTTPConnection = (
        http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        if tls is None
        else http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=tls)
    )
    with closing(made) as connection:
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        return answer, answer.read()


def test_a_scrape_gets_what_prometheus_reads() -> None:
    with served() as port:
        answer, body = get(port, Accept=PROMETHEUS_2_42, Accept_Encoding="gzip")
        assert answer.status == 200
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        text = gzip.decompress(body).decode()
        assert "vmtop_cpu_seconds" in {family.name for family in openmetrics(text)}  # type: ignore[no-untyped-call]
        plain = get(port)[1].decode()
        assert plain.startswith("# HELP vmtop_cpu_seconds_total ")
        assert not plain.endswith("# EOF\n")


def test_head_other_paths_and_other_methods() -> None:
    with served() as port:
        head, body = get(port, method="HEAD")
        assert (head.status, body) == (200, b"")
        assert int(head.headers["Content-Length"]) > 1000
        assert get(port, "/healthz")[1] == b"ok\n"
        assert b"/metrics" in get(port, "/")[1]
        assert get(port, "/etc/passwd")[0].status == 404
        refused, _ = get(port, method="POST")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")


def test_only_who_knows_a_password_gets_anything(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(f"basic_auth_users:\n  ann: {BCRYPT}\n")
    with served(Watched(tmp_path / "web.yml")) as port:
        for path in ("/metrics", "/healthz", "/"):
            answer, body = get(port, path)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic ")
            assert b"vmtop_" not in body
        wrong, right = (base64.b64encode(text).decode() for text in (b"ann:U*U", b"ann:U*U*"))
        assert get(port, Authorization=f"Basic {wrong}")[0].status == 401
        assert get(port, Authorization=f"Basic {right}")[0].status == 200


def test_tls_and_headers_of_the_configuration(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    path = tmp_path / "web.yml"
    path.write_text(
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
        "http_server_config:\n  headers:\n    Strict-Transport-Security: max-age=600\n"
    )
    with served(Watched(path)) as port:
        answer, body = get(port, tls=ssl.create_default_context(cafile=str(certificate)))
        assert answer.headers["Strict-Transport-Security"] == "max-age=600"
        assert b"vmtop_cpu_seconds_total" in body
        with pytest.raises((http.client.HTTPException, OSError)):
            get(port)  # without TLS
        before = certificate.read_text()
        make_certificate(tmp_path)  # renewed: the old one is no longer shown
        with pytest.raises(ssl.SSLCertVerificationError):
            get(port, tls=ssl.create_default_context(cadata=before))


def test_a_client_certificate_can_be_demanded(tmp_path: Path) -> None:
    certificate, own = make_certificate(tmp_path), make_certificate(tmp_path, "client")
    path = tmp_path / "web.yml"
    path.write_text(
        "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
        "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: client.crt\n"
    )
    with served(Watched(path)) as port:
        with pytest.raises((http.client.HTTPException, OSError)):
            get(port, tls=ssl.create_default_context(cafile=str(certificate)))
        context = ssl.create_default_context(cafile=str(certificate))
        context.load_cert_chain(own, tmp_path / "client.key")
        assert get(port, tls=context)[0].status == 200


def _raw(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


def test_rubbish_and_endless_headers_are_refused() -> None:
    with served() as port:
        assert _raw(port, b"\x16\x03\x01\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        assert _raw(port, b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000).startswith(b"HTTP/1.1 431 ")
        assert get(port)[0].status == 200


def test_a_client_that_asks_slowly_is_cut_however_it_drips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASKING_S", 0.4)
    with served() as port, socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        received = b""
        for byte in b"GET /metrics HTTP/1.1\r\n" * 4:
            connection.send(bytes([byte]))
            time.sleep(0.02)
            connection.settimeout(0.001)
            try:
                received = connection.recv(4096)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert received == b"" or received.startswith(b"HTTP/1.1 408 ")
        assert get(port)[0].status == 200


def test_a_client_that_does_not_take_its_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAKING_S", 0.3)
    scraper = Scraper(Sampler(demo_specs(3000, 7), load_source), Choice(3000), "1.2")
    with served(scraper=scraper) as port:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", port))
            connection.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
            connection.recv(1)
            _wait_until(lambda: not _serving())
        assert get(port)[0].status == 200


def _serving() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "scrape"]


def _wait_until(is_true: object) -> None:
    deadline = time.monotonic() + 120
    while not is_true():  # type: ignore[operator]  # a function
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_further_clients_are_told_to_come_again() -> None:
    with served() as port:
        held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(module.MOST_AT_ONCE)]
        try:
            _wait_until(lambda: len(_serving()) == module.MOST_AT_ONCE)
            assert _raw(port, b"").startswith(b"HTTP/1.1 503 ")
        finally:
            for connection in held:
                connection.close()
        _wait_until(lambda: not _serving())
        assert get(port)[0].status == 200


def test_sources_that_cannot_be_read_are_503_and_said_by_healthz(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Sampler(demo_specs(10, 7), load_source)
    scraper = Scraper(sampler, Choice(), "1.2")
    with served(scraper=scraper) as port:
        assert get(port)[0].status == 200

        def fail(_: float) -> object:
            raise ValueError("a source lied")

        with monkeypatch.context() as patched:
            patched.setattr(sampler, "take", fail)
            patched.setattr("collectors.exposition.scraper.FRESH_S", -1.0)
            answer, body = get(port)
            assert answer.status == 503
            assert b"lied" not in body
            assert get(port, "/healthz")[0].status == 503
        assert get(port)[0].status == 200
        assert scraper.health() is Health.GOOD


def test_scrapes_at_almost_the_same_instant_share_a_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.exposition.scraper.FRESH_S", 60.0)
    with served() as port:
        first = get(port)[1]
        assert get(port)[1] == first
