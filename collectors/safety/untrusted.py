"""Getters for decoded JSON from outside: a value of the wrong type is absent, never an error.

Texts are returned as they are: callers sanitize them before showing them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def at(document: object, *path: str) -> Any:
    """Return the value at the end of a path of keys; `None` where a key is missing or its parent is not an object."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def part(document: object, *path: str) -> Mapping[str, Any]:
    """Return the object at the end of a path of keys; empty when there is none."""
    value = at(document, *path)
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a list; empty when the value is not one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Return the objects in a list; none when the value is not a list."""
    return (item for item in items(value) if isinstance(item, dict))


def text(value: object) -> str:
    """Return a text, not sanitized; empty when the value is not one."""
    return value if isinstance(value, str) else ""


def whole_number(value: object) -> int | None:
    """Return an integer of either sign; `None` for anything else, also for `true` and 1.0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def count(value: object) -> int | None:
    """Return an integer of at least 0; `None` for anything else."""
    number = whole_number(value)
    return number if number is not None and number >= 0 else None


def positive(value: object) -> int | None:
    """Return an integer above 0; `None` for anything else: engines write 0 or -1 for "no limit"."""
    number = whole_number(value)
    return number if number is not None and number > 0 else None
