"""`[[hosts]]` in the text of a configuration: one is added or removed, and all else stays as it is."""

from __future__ import annotations

import tomllib
from typing import Any

from collectors.fleet.hosts import HostSpec
from tui.configuration.toml_places import Places
from tui.configuration.toml_text import as_toml

_TABLE = "hosts"


def with_host(text: str, host: HostSpec) -> str:
    """Return the text with a host, in place of one of the same name.

    Args:
        text: Valid TOML.
        host: The host.

    Raises:
        ValueError: The hosts are written in a way that cannot be edited.
    """
    text = without_host(text, host.name)
    values = {"name": host.name, "address": host.address, "command": host.command, "tags": list(host.tags)}
    defaults = {"address": host.name, "command": "vmtop", "tags": []}
    lines = [f"{key} = {as_toml(value)}\n" for key, value in values.items() if defaults.get(key) != value]
    edited = f"{text.rstrip()}\n\n[[{_TABLE}]]\n{''.join(lines)}".lstrip()
    _check(edited, [*_hosts(text), host.name])
    return edited


def without_host(text: str, name: str) -> str:
    """Return the text without a host; the same text if it has none of that name. Raises as `with_host`."""
    names = _hosts(text)
    if name not in names:
        return text
    places = Places(text).by_path
    place = places.get((_TABLE, names.index(name)))
    if place is None:
        raise ValueError("the hosts are written in a way that cannot be edited: give each one a [[hosts]] of its own")
    headings = sorted(other.start for path, other in places.items() if text[other.start] == "[" and _is_heading(path))
    end = next((start for start in headings if start > place.start), len(text))
    edited = text[: place.start].rstrip("\n") + "\n\n" + text[end:]
    edited = edited.strip("\n") + "\n" if edited.strip() else ""
    _check(edited, [one for one in names if one != name])
    return edited


def _is_heading(path: tuple[str | int, ...]) -> bool:
    return len(path) == 1 or isinstance(path[-1], int)


def _hosts(text: str) -> list[str]:
    document: dict[str, Any] = tomllib.loads(text)
    tables = document.get(_TABLE, [])
    return [str(table.get("name", "")) for table in tables] if isinstance(tables, list) else []


def _check(edited: str, wanted: list[str]) -> None:
    try:
        is_right = _hosts(edited) == wanted
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise ValueError("the hosts are written in a way that cannot be edited: give each one a [[hosts]] of its own")
