"""JSON as values of a type, from any thread.

msgspec notes what it knows of a type when it first meets it, and other threads see the note before it is whole: of two
that first decode a NamedTuple with defaults at once, one is told that the array is too short (msgspec 0.22,
`NamedTupleInfo_Convert`). So one thread at a time meets a new type.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

Value = TypeVar("Value")

_LOCK = threading.Lock()
_met: set[object] = set()


def decode(text: bytes | str, kind: type[Value]) -> Value:
    """Return the value of a JSON text.

    Raises:
        msgspec.MsgspecError: It is not JSON, or not of that type.
    """
    _meet(kind)
    return msgspec.json.decode(text, type=kind)


def convert(value: Any, kind: type[Value]) -> Value:
    """Return plain data as a value of a type.

    Raises:
        msgspec.ValidationError: It is not of that type.
    """
    _meet(kind)
    return msgspec.convert(value, kind)


def _meet(kind: object) -> None:
    if kind not in _met:
        with _LOCK:
            msgspec.json.Decoder(kind)
            _met.add(kind)
