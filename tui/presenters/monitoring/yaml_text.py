"""Plain data as YAML that people like to read. Only what the shipped files need: mappings, lists, texts, numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

Data = Mapping[str, "Data"] | Sequence["Data"] | str | int | float | bool

_PLAIN = re.compile(r"[A-Za-z_/.][\w /.()-]*(?<! )")
"""Texts that need no quotes; they begin with no sign that has a meaning."""
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n", ".nan", ".inf"})


def yaml_text(data: Data) -> str:
    """Return a mapping or a list as YAML, in block style, with a new line at the end."""
    return "".join(f"{line}\n" for line in _lines(data))


def _lines(data: Data) -> Iterator[str]:
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from _entry(f"{_scalar(key)}:", value)
    elif isinstance(data, Sequence) and not isinstance(data, str):
        for value in data:
            inner = list(_lines(value)) if _is_block(value) else [_scalar(value)]
            yield f"- {inner[0]}"
            yield from (f"  {line}" for line in inner[1:])
    else:
        raise TypeError(f"neither a mapping nor a list: {data!r}")


def _entry(head: str, value: Data) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        yield f"{head} |"
        yield from (f"  {line}" if line else "" for line in value.rstrip("\n").split("\n"))
    elif not _is_block(value):
        yield f"{head} {_scalar(value)}"
    else:
        yield head
        yield from (f"  {line}" for line in _lines(value))


def _is_block(value: Data) -> bool:
    """Return whether a value takes lines of its own: a mapping, and a list with more in it than a few words."""
    if isinstance(value, Mapping):
        return len(value) > 0
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and any(not isinstance(item, str) or " " in item for item in value)
    )


def _scalar(value: Data) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, str) and '"' in value and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=not str(value).isprintable())  # a text of JSON is one of YAML
