"""The client's side of a WebSocket (RFC 6455) on a connected socket: events, shells and commands come that way."""

from __future__ import annotations

import base64
import os
import socket
import struct
import threading
from contextlib import suppress
from typing import NamedTuple

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_LONGEST_HEAD = 16 << 10
LONGEST_MESSAGE = 4 << 20
"""Bytes of one message at most."""
TEXT, BINARY = 1, 2
_CLOSING_S = 1.0
_CONTINUATION, _CLOSE, _PING, _PONG = 0, 8, 9, 10


class HandshakeRefused(Exception):
    """The server does not open a WebSocket; the message is the first line of its answer, not sanitized."""


class Message(NamedTuple):
    """One message."""

    is_text: bool
    data: bytes


class WebSocket:
    """Messages over a connected stream socket, which it closes. `send` may be called from any thread.

    Args:
        connection: The socket.
        path: What is asked for, with its query.

    Raises:
        HandshakeRefused: The server answers otherwise.
        OSError: The connection broke.
    """

    def __init__(self, connection: socket.socket, path: str) -> None:
        self._socket = connection
        self._sending = threading.Lock()
        self._rest = b""
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode("ascii")
        )
        head = self._read_head()
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        import hashlib  # late: it loads OpenSSL

        expected = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
        if " 101 " not in f"{status} " or headers.get("sec-websocket-accept") != expected:
            raise HandshakeRefused(status)

    def receive(self) -> Message | None:
        """Return the next message; `None` at the end.

        Raises:
            OSError: The connection broke, or the server does not keep to the protocol.
        """
        parts = bytearray()
        kind = 0
        while True:
            is_last, code, data = self._read_frame()
            if code == _CLOSE:
                with suppress(OSError):
                    self._send_frame(_CLOSE, data[:2])
                return None
            if code == _PING:
                self._send_frame(_PONG, data)
            elif code in (TEXT, BINARY, _CONTINUATION):
                if (code == _CONTINUATION) != (kind != 0):
                    raise OSError("a message began inside another one")
                kind = kind or code
                parts += data
                if len(parts) > LONGEST_MESSAGE:
                    raise OSError(f"it sends a message of more than {LONGEST_MESSAGE >> 20} MiB")
                if is_last:
                    return Message(kind == TEXT, bytes(parts))
            elif code != _PONG:
                raise OSError(f"it sends a frame of the unknown kind {code}")

    def send(self, data: bytes, is_text: bool = False) -> None:
        """Send a message.

        Raises:
            OSError: The connection broke.
        """
        self._send_frame(TEXT if is_text else BINARY, data)

    def close(self) -> None:
        """Say so to the server and end the connection, which wakes its reader. Never raises."""
        with suppress(OSError):
            self._socket.settimeout(_CLOSING_S)
            self._send_frame(_CLOSE, b"")
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _read_head(self) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = self._socket.recv(4096)
            if not chunk or len(head) > _LONGEST_HEAD:
                raise HandshakeRefused(head.partition(b"\r\n")[0].decode("latin-1") or "no answer")
            head += chunk
        head, _, self._rest = head.partition(b"\r\n\r\n")
        return head

    def _read_frame(self) -> tuple[bool, int, bytes]:
        """Read a frame: whether it ends its message, its kind and its data. A connection that ends is a close."""
        first = self._read(2)
        if len(first) < 2:
            return True, _CLOSE, b""
        length = first[1] & 0x7F
        if length >= 126:
            (length,) = struct.unpack(">H" if length == 126 else ">Q", self._read_all(2 if length == 126 else 8))
        if length > LONGEST_MESSAGE:
            raise OSError(f"it sends a message of more than {LONGEST_MESSAGE >> 20} MiB")
        mask = self._read_all(4) if first[1] & 0x80 else b""
        data = self._read_all(length)
        return bool(first[0] & 0x80), first[0] & 0x0F, _masked(data, mask) if mask else data

    def _read_all(self, count: int) -> bytes:
        data = self._read(count)
        if len(data) < count:
            raise OSError("the connection ended in the middle of a message")
        return data

    def _read(self, count: int) -> bytes:
        data = bytearray(self._rest[:count])
        self._rest = self._rest[count:]
        while len(data) < count and (chunk := self._socket.recv(count - len(data))):
            data += chunk
        return bytes(data)

    def _send_frame(self, code: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 1 << 16:
            length = bytes([0x80 | 126]) + struct.pack(">H", size)
        else:
            length = bytes([0x80 | 127]) + struct.pack(">Q", size)
        mask = os.urandom(4)
        with self._sending:
            self._socket.sendall(bytes([0x80 | code]) + length + mask + _masked(data, mask))


def _masked(data: bytes, mask: bytes) -> bytes:
    """Apply a mask of four bytes, which is also how it is removed."""
    size = len(data)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(size, "big")
