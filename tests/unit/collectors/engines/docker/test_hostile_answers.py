"""An engine, or what poses as one, that sends without end, compressed, too deeply nested, or somewhere else."""

from __future__ import annotations

import gzip
import itertools
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.engines.docker import source
from collectors.engines.docker.connection import answers
from collectors.engines.docker.connection.answers import LARGEST_ANSWER, LONGEST_MESSAGE
from collectors.engines.docker.connection.endpoint import Endpoint, is_id
from collectors.engines.docker.connection.greeting import Greeting
from collectors.engines.docker.events import EventListener
from collectors.engines.docker.source import DockerSource
from collectors.engines.docker.stats import Stream
from collectors.model.errors import SourceDown
from tests.helpers.lab.process import wait_until
from tests.unit.collectors.engines.docker.test_source import ENTRY, VERSION, QuietEvents, engine, response

ID = "4e239e4b80d6" + "0" * 52
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PIECE = b" " * (64 << 10)
_BUFFERED = 8 << 20
"""Bytes that may be in the socket, in buffers and in the last chunk when a reader gives up."""


class Endless:
    """Answers every path in `paths` without end, and counts what it got rid of before the reader left."""

    def __init__(self, folder: Path, head: bytes, pieces: Iterator[bytes], *paths: str) -> None:
        self.folder = folder
        self.paths = paths
        self.sent = 0
        self.has_ended = threading.Event()
        self.asked: list[str] = []
        self._head, self._pieces = head, pieces

    def send(self, path: str, write: Callable[[bytes], object]) -> None:
        self.asked.append(path)
        if not any(part in path for part in self.paths):
            write(response(VERSION if path == "/version" else json.dumps([{**ENTRY, "Id": ID}]).encode()))
            return
        try:
            write(self._head)
            for piece in self._pieces:
                write(piece)
                self.sent += len(piece)
        except OSError:
            self.has_ended.set()

    @contextmanager
    def serving(self) -> Iterator[str]:
        send = self.send

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                words = self.rfile.readline().split()
                while self.rfile.readline().strip():
                    pass
                if words:
                    send(words[1].decode(), self.wfile.write)

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        with Server(str(self.folder / "e"), Handler) as server:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            yield f"unix://{self.folder}/e"
            server.shutdown()


def chunks(piece: bytes = PIECE) -> Iterator[bytes]:
    return itertools.repeat(b"%x\r\n%b\r\n" % (len(piece), piece))


HEADS: dict[str, tuple[bytes, Callable[[], Iterator[bytes]]]] = {
    "chunks": (CHUNKED, chunks),
    "one chunk": (CHUNKED + b"ffffffffff\r\n", lambda: itertools.repeat(PIECE)),
    "until it closes": (b"HTTP/1.1 200 OK\r\n\r\n", lambda: itertools.repeat(PIECE)),
    "a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", lambda: itertools.repeat(PIECE)),
    "a refusal": (b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", chunks),
    "a line between chunks": (CHUNKED, lambda: itertools.repeat(PIECE)),
}


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("path", ["/version", "/containers/json", f"/containers/{ID}/json"])
def test_an_answer_without_end_is_cut_at_its_bound(name: str, path: str, tmp_path: Path) -> None:
    head, pieces = HEADS[name]
    endless = Endless(tmp_path, head, pieces(), path)
    with endless.serving() as url:
        docker = DockerSource(url)
        docker._events = QuietEvents()  # type: ignore[assignment]
        with pytest.raises(SourceDown) as failure:  # noqa: PT012  # whichever of the two asks for it
            docker.open(lambda: None)
            docker.read()
        assert failure.value.reason.isprintable()
        wait_until(endless.has_ended.is_set, 20, "the reader to leave")
        docker.close()
    assert endless.sent < LARGEST_ANSWER + _BUFFERED


@pytest.mark.parametrize("path", ["/events", "/stats"])
def test_a_stream_whose_message_never_ends_is_left(path: str, tmp_path: Path) -> None:
    endless = Endless(tmp_path, CHUNKED, chunks(), path)
    with endless.serving() as url:
        if path == "/events":
            listener = EventListener()
            listener.start(Endpoint(url), Greeting("docker", "1.41"), lambda: None)
            wait_until(lambda: not listener.is_running, 20, "the end of the stream")
        else:
            stream = Stream(Endpoint(url), Greeting("docker", "1.41"), ID, "")
            wait_until(lambda: not stream.is_running, 20, "the end of the stream")
        wait_until(endless.has_ended.is_set, 20, "the reader to leave")
    assert endless.sent < LONGEST_MESSAGE + _BUFFERED


def test_messages_arrive_one_by_one_however_they_are_cut(tmp_path: Path) -> None:
    message = json.dumps({"Action": "start", "Actor": {"ID": ID}, "timeNano": 5}).encode() + b"\n"
    pieces = (b"1\r\n%b\r\n" % message[index : index + 1] for index in range(len(message)))
    endless = Endless(tmp_path, CHUNKED, itertools.chain(pieces, [b"0\r\n\r\n"]), "/events")
    listener = EventListener()
    with endless.serving() as url:
        listener.start(Endpoint(url), Greeting("docker", "1.41"), lambda: None)
        wait_until(lambda: not listener.is_running, 20, "the end of the stream")
    assert [event.what for event in listener.take()[0]] == ["start"]


def _refused(folder: Path, answer: bytes) -> str:
    answers = {"/version": response(VERSION), "/v1.41/containers/json": answer}
    with engine(folder, lambda path: answers.get(path.partition("?")[0], response(b""))) as docker:
        docker.open(lambda: None)
        docker._events = QuietEvents()  # type: ignore[assignment]
        with pytest.raises(SourceDown) as failure:
            docker.read()
    return failure.value.reason


def test_a_compressed_answer_is_not_inflated(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(200 << 20), 1)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(bomb)
    assert "it answers compressed" in _refused(tmp_path, head + bomb)


def test_too_many_values_are_not_decoded(tmp_path: Path) -> None:
    assert "more than 1,000,000 values" in _refused(tmp_path, response(b"[" + b"[]," * 600_000 + b"[]]"))


def test_json_that_is_nested_too_deeply_is_an_invalid_answer(tmp_path: Path) -> None:
    assert "sent an invalid answer" in _refused(tmp_path, response(b"[" * 200_000))


def test_an_answer_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LONGEST_ANSWER_S", -1.0)
    with engine(tmp_path, lambda _: response(VERSION)) as docker, pytest.raises(SourceDown, match="takes longer than"):
        docker.open(lambda: None)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(path: str) -> bytes:
        asked.append(path)
        return response(b"", "302 Found").replace(b"\r\n\r\n", b"\r\nLocation: /elsewhere\r\n\r\n")

    with engine(tmp_path, answer) as docker, pytest.raises(SourceDown, match="with a redirect"):
        docker.open(lambda: None)
    assert asked == ["/_ping"]


def test_an_id_that_leads_elsewhere_in_a_path_is_never_asked_for(tmp_path: Path) -> None:
    wrong = ["../../../../etc/passwd", "..", ".", "a/b", "a?b", "a#b", "a%2e", "", "a" * 200, "a\n", 7, None, ["a"]]
    asked: list[str] = []

    def answer(path: str) -> bytes:
        asked.append(path)
        if path == "/version":
            return response(VERSION)
        return response(json.dumps([{**ENTRY, "Id": identity} for identity in [*wrong, ID]]).encode())

    with engine(tmp_path, answer) as docker:
        docker.open(lambda: None)
        docker._events = QuietEvents()  # type: ignore[assignment]
        reading = docker.read()
    assert [identity.id for identity in reading.workloads] == [ID]
    assert reading.unseen == f"{len(wrong)} entries of the engine's list have no valid id"
    paths = [path.partition("?")[0].removeprefix("/v1.41") for path in asked[2:]]
    assert paths == ["/info", "/containers/json", f"/containers/{ID}/json"]
    assert not any(map(is_id, wrong))


def test_a_list_of_very_many_containers_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_CONTAINERS", 3)
    entries = [{**ENTRY, "Id": f"{number:064x}"} for number in range(5)]
    answers = {"/version": response(VERSION), "/v1.41/containers/json": response(json.dumps(entries).encode())}
    with engine(tmp_path, lambda path: answers.get(path.partition("?")[0], response(b"{}"))) as docker:
        docker.open(lambda: None)
        docker._events = QuietEvents()  # type: ignore[assignment]
        reading = docker.read()
    assert len(reading.workloads) == 3
    assert reading.unseen == "the engine lists 5 containers, of which the first 3 are shown"
