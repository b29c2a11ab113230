"""HTTP over a socket: whatever shape an answer has, and what is not taken for one."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.engines.socket_http import AnswerRefused, send, whole

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def served(pieces: Iterable[bytes]) -> Iterator[tuple[socket.socket, bytearray]]:
    """Give a connection whose other end reads a request and sends these pieces, and what it has read."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    heard = bytearray()

    def answer() -> None:
        with theirs, suppress(ConnectionError):  # the reader need not take all
            heard.extend(theirs.recv(1 << 16))
            for piece in pieces:
                theirs.sendall(piece)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield ours, heard
    finally:
        ours.close()
        thread.join(10)


def body(*pieces: bytes) -> bytes:
    with served(pieces) as (connection, _):
        return whole(send(connection, "GET", "/x").read, 1 << 20, 1000, 10)


SHAPES = {
    "a length": HEAD + b"Content-Length: 5\r\n\r\nhello",
    "until it closes": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "one chunk": CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    "several chunks": CHUNKED + b"2\r\nhe\r\n00003;name=value\r\nllo\r\n0\r\nTrailer: x\r\n\r\n",
    "an interim answer first": b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"content-LENGTH:5\r\n\r\nhello",
    "lines without a carriage return": b"HTTP/1.1 200\nContent-Length: 5\n\nhello",
    "more than its length": HEAD + b"Content-Length: 5\r\n\r\nhello, and what nobody asked for",
}


@pytest.mark.parametrize("answer", SHAPES.values(), ids=SHAPES)
@settings(max_examples=15)
@given(cuts=st.lists(st.integers(1, 80), max_size=4))
def test_a_body_is_whole_in_every_shape_however_it_is_cut(answer: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(answer)]
    assert body(*(answer[start:end] for start, end in pairwise(places))) == b"hello"


def test_an_answer_without_a_body_has_none() -> None:
    assert body(b"HTTP/1.1 204 No Content\r\n\r\nhello") == b""
    assert body(HEAD + b"Content-Length: 0\r\n\r\n") == b""


WRONG = {
    "nothing": (b"", "closed the connection before"),
    "half a head": (HEAD + b"Content-Le", "closed the connection before"),
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n", "is no HTTP"),
    "HTTP/2": (b"HTTP/2 200\r\n\r\n", "is no HTTP"),
    "a length that is no number": (HEAD + b"Content-Length: -1\r\n\r\n", "is no number"),
    "a body that breaks off": (HEAD + b"Content-Length: 9\r\n\r\nhello", "breaks off"),
    "a chunk that breaks off": (CHUNKED + b"9\r\nhello", "breaks off"),
    "chunks without an end": (CHUNKED + b"5\r\nhello\r\n", "closed the connection before"),
    "a chunk without a size": (CHUNKED + b"x\r\nhello\r\n", "damaged"),
    "a chunk that is longer than it says": (CHUNKED + b"2\r\nhello\r\n0\r\n\r\n", "damaged"),
    "another encoding": (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "encoded in a way"),
    "a header without end": (HEAD + b"X: " + b"x" * 200_000, "too long"),
    "headers without end": (HEAD + b"X: 1234567\r\n" * 20_000, "too long"),
    "interim answers without end": (b"HTTP/1.1 100 Continue\r\n\r\n" * 40 + HEAD + b"\r\n", "interim answers only"),
    "too much": (HEAD + b"\r\n" + b"x" * (2 << 20), "longer than 1 MiB"),
    "too many values": (HEAD + b"\r\n" + b"[," * 900, "more than 1,000 values"),
}


@pytest.mark.parametrize(("answer", "reason"), WRONG.values(), ids=WRONG)
def test_what_is_no_answer_is_refused_with_its_reason(answer: bytes, reason: str) -> None:
    with pytest.raises(AnswerRefused, match=reason):
        body(answer)


def test_a_request_has_its_body_and_asks_for_a_plain_answer_on_a_connection_of_its_own() -> None:
    with served([HEAD + b"Content-Length: 0\r\n\r\n"]) as (connection, heard):
        answer = send(connection, "PUT", "/a?b=c", json.dumps({"ä": 1}).encode(), {"X-Own": "1"})
        answer.close()
    head, _, sent = bytes(heard).partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    assert first == "PUT /a?b=c HTTP/1.1"
    assert {"Accept-Encoding: identity", "Connection: close", f"Content-Length: {len(sent)}", "X-Own: 1"} <= set(fields)
    assert json.loads(sent) == {"ä": 1}


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/a\n", "/a\x00"])
def test_what_would_end_a_line_of_the_request_is_not_sent(target: str) -> None:
    ours, theirs = socket.socketpair()
    with theirs, pytest.raises(ValueError, match="end its line"):
        send(ours, "GET", target)
    assert ours.fileno() == -1, "the connection is closed"
    with pytest.raises(ValueError, match="end its line"):
        send(socket.socketpair()[0], "GET", "/", headers={"X": "y\r\nZ: 1"})


def test_closing_ends_a_read_in_another_thread() -> None:
    hold = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield CHUNKED + b"5\r\nhello\r\n"
        hold.wait(10)

    with served(pieces()) as (connection, _):
        connection.settimeout(None)
        answer = send(connection, "GET", "/")
        assert answer.read() == b"hello"
        failures: list[OSError] = []

        def wait() -> None:
            try:
                answer.read()
            except OSError as error:
                failures.append(error)

        reader = threading.Thread(target=wait, daemon=True)
        reader.start()
        answer.close()
        reader.join(10)
        hold.set()
        assert not reader.is_alive()
        assert failures
