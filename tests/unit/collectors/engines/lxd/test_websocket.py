"""Messages over a WebSocket, against a server that is written here after RFC 6455."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.engines.lxd import websocket
from collectors.engines.lxd.websocket import HandshakeRefused, Message, WebSocket
from tests.helpers.lab.process import wait_until

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def answer(request: bytes) -> bytes:
    key = next(line for line in request.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key"))[19:].strip()
    accept = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    return f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()


def frame(data: bytes, code: int = 2, is_last: bool = True) -> bytes:
    size = len(data)
    first = bytes([(0x80 if is_last else 0) | code])
    if size < 126:
        return first + bytes([size]) + data
    return (
        first
        + (bytes([126]) + struct.pack(">H", size) if size < 1 << 16 else bytes([127]) + struct.pack(">Q", size))
        + data
    )


def connected(play: Callable[[socket.socket], None]) -> WebSocket:
    """Return a WebSocket to a server that answers the handshake and then plays."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs:
            theirs.sendall(answer(theirs.recv(4096)))
            play(theirs)

    threading.Thread(target=serve, daemon=True).start()
    ours.settimeout(10)
    return WebSocket(ours, "/1.0/events?type=lifecycle")


def received(sent: bytes) -> list[Message]:
    opened = connected(lambda server: server.sendall(sent))
    messages = []
    while (message := opened.receive()) is not None:
        messages.append(message)
    opened.close()
    return messages


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=4), st.sampled_from([0, 125, 126, 65535, 65536]))
def test_messages_of_every_length_arrive_whole(parts: list[bytes], padding: int) -> None:
    wanted = [part + b"x" * padding for part in parts]
    assert received(b"".join(map(frame, wanted))) == [Message(False, data) for data in wanted]


def test_a_message_in_pieces_is_one_and_a_ping_between_them_is_answered() -> None:
    answers: list[bytes] = []

    def play(server: socket.socket) -> None:
        server.sendall(frame(b"he", 1, is_last=False) + frame(b"now", 9) + frame(b"llo", 0) + frame(b"", 8))
        answers.append(server.recv(100))

    opened = connected(play)
    assert opened.receive() == Message(True, b"hello")
    assert opened.receive() is None
    opened.close()
    wait_until(lambda: bool(answers), 10, "the answer")
    assert answers[0][0] == 0x8A, "a pong"


@pytest.mark.parametrize(
    "sent",
    [
        frame(b"x", 0),
        frame(b"x", 1, is_last=False) + frame(b"y", 1),
        frame(b"x", 5),
        bytes([0x82, 127]) + struct.pack(">Q", 1 << 40),
        frame(b"whole")[:-2],
    ],
    ids=["a piece of nothing", "one inside another", "an unknown kind", "one that is too long", "one that is cut"],
)
def test_what_breaks_the_protocol_ends_the_connection(sent: bytes) -> None:
    with pytest.raises(OSError, match=r"message|unknown kind"):
        received(sent)


def test_pieces_that_go_on_for_ever_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "LONGEST_MESSAGE", 1000)
    with pytest.raises(OSError, match="more than"):
        received(frame(b"x" * 600, 2, is_last=False) + frame(b"x" * 600, 0))


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=70000))
def test_what_is_sent_can_be_unmasked(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    threading.Thread(target=lambda: theirs.sendall(answer(theirs.recv(4096))), daemon=True).start()
    opened = WebSocket(ours, "/")
    threading.Thread(target=opened.send, args=(data,), daemon=True).start()
    whole = b""
    while len(whole) < len(data) + 6 + (0 if len(data) < 126 else 2 if len(data) < 1 << 16 else 8):
        whole += theirs.recv(1 << 17)
    assert whole[0] == 0x82
    mask, masked = whole[-len(data) - 4 :][:4], whole[len(whole) - len(data) :]
    assert bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked)) == data
    opened.close()
    theirs.close()


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: wrong\r\n\r\n", b"", b"x" * 40000],
)
def test_an_answer_that_opens_nothing_is_refused(head: bytes) -> None:
    ours, theirs = socket.socketpair()

    def serve() -> None:
        theirs.recv(4096)
        theirs.sendall(head)
        theirs.close()

    threading.Thread(target=serve, daemon=True).start()
    with pytest.raises((HandshakeRefused, OSError)):
        WebSocket(ours, "/")
    ours.close()
