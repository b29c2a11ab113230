"""A type that several threads meet at once is the same to each of them."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

import pytest

from collectors.safety.typed_json import convert, decode


@pytest.fixture
def _hurry() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def new_type() -> Any:
    """Make a type that msgspec has not met, with fields that it has to ask Python about."""
    state = StrEnum("state", {"RUNNING": "running", "STOPPED": "stopped"})
    fields = {"name": str, "state": state, "notes": frozenset[state], "detail": str}
    made = NamedTuple("made", list(fields.items()))  # type: ignore[misc]  # made here
    made.__new__.__defaults__ = (frozenset(), "")
    made._field_defaults = {"notes": frozenset(), "detail": ""}
    return made


@pytest.mark.usefixtures("_hurry")
@pytest.mark.parametrize(
    "read", [lambda kind: convert(["web", "running"], kind), lambda kind: decode('["web", "running"]', kind)]
)
def test_a_type_is_met_by_one_thread_at_a_time(read: Any) -> None:
    for _ in range(50):
        kind, gate = new_type(), threading.Barrier(5)
        values: list[Any] = []

        def ask(kind: Any = kind, gate: threading.Barrier = gate, values: list[Any] = values) -> None:
            gate.wait()
            values.append(read(kind))

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [value.name for value in values] == ["web"] * 5
