"""Samples go to VictoriaMetrics in batches; whatever the server does is one sentence."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.exposition.labels import pairs
from collectors.model.errors import AccessDenied, SourceDown, SourceError
from collectors.prometheus.backfill import Piece, with_labels
from collectors.prometheus.importer import Batch, Importer, batches
from collectors.prometheus.server import Server


class Answering(BaseHTTPRequestHandler):
    answers: list[int]
    taken: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            self.taken.append((self.path, gzip.decompress(body)))
        self.send_response(status)
        answer = b"" if status == 204 else b"no \x1b[31mroom\n" + b"x" * 100_000
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(name="server")
def a_server() -> Iterator[HTTPServer]:
    Answering.answers, Answering.taken = [], []
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def importer(server: HTTPServer, path: str = "") -> Importer:
    return Importer(Server(f"http://127.0.0.1:{server.server_port}{path}"), (0.0, 0.0))


def test_a_busy_server_is_asked_again_once_it_has_taken_something(server: HTTPServer) -> None:
    one = importer(server, "/insert/0/prometheus/")
    one.send(Batch("a 1 1\n", 1, 1.0))
    Answering.answers = [503, 429]
    one.send(Batch("a 2 2\n", 1, 2.0))
    assert Answering.taken == [
        ("/insert/0/prometheus/api/v1/import/prometheus", b"a 1 1\n"),
        ("/insert/0/prometheus/api/v1/import/prometheus", b"a 2 2\n"),
    ]
    Answering.answers = [503] * 3
    with pytest.raises(SourceDown, match=r"did not take the samples \(503\): no"):
        one.send(Batch("a 3 3\n", 1, 3.0))
    assert not Answering.answers
    one.close()


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (404, SourceDown, "takes no imports of samples"),
        (401, AccessDenied, "does not let vmtop import samples"),
        (400, SourceDown, "did not take the samples (400): no"),
        (302, SourceDown, "did not take the samples (302)"),
    ],
)
def test_a_refusal_is_one_short_sentence_without_escapes(
    server: HTTPServer, status: int, kind: type[SourceError], words: str
) -> None:
    Answering.answers = [status]
    one = importer(server)
    with pytest.raises(kind) as failure:
        one.send(Batch("a 1 1\n", 1, 1.0))
    assert words in failure.value.reason
    assert "\x1b" not in failure.value.reason
    assert len(failure.value.reason) < 300
    assert not Answering.taken
    one.close()


def test_a_server_that_cannot_be_reached_at_first_is_not_waited_for() -> None:
    one = Importer(Server("http://127.0.0.1:9"), (3600.0,))
    with pytest.raises(SourceDown, match="cannot be reached: Connection refused"):
        one.send(Batch("a 1 1\n", 1, 1.0))


def test_batches_have_whole_instants_and_a_bounded_size() -> None:
    pieces = [Piece(float(number), "x" * 40, 3) for number in range(7)]
    made = list(batches(pieces, 100))
    assert [(len(batch.text), batch.samples, batch.last_wall) for batch in made] == [
        (120, 9, 2.0), (120, 9, 5.0), (40, 3, 6.0)
    ]  # fmt: skip
    assert list(batches([], 100)) == []


@given(st.text(max_size=30), st.text(max_size=30))
def test_labels_are_added_whatever_the_others_hold(value: str, added: str) -> None:
    extra = pairs([("instance", added or "hv01")])
    own = pairs([("name", value or "web")])
    assert with_labels(f"vmtop_x{{{own}}} 1.5", extra) == f"vmtop_x{{{extra},{own}}} 1.5"
    assert with_labels("vmtop_x 1.5", extra) == f"vmtop_x{{{extra}}} 1.5"
