"""Writing TOML: values, and a section's lines in a text whose comments and other sections stay as they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tui.configuration.toml_places import Places


def as_toml(value: Any) -> str:
    """Return a value as TOML: text, numbers, switches, and lists and inline tables of these."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{as_key(key)} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return f"{value}"


def as_key(key: str) -> str:
    """Return a key, in quotes where it needs them."""
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else as_toml(key)


def with_values(text: str, section: str, values: Mapping[str, Any]) -> str:
    """Return a text in which a section's keys have some values; all else stays as it is.

    Args:
        text: Valid TOML.
        section: The name of a table; it is added at the end if it is missing.
        values: The new values by key.

    Raises:
        ValueError: The section is written in a way that cannot be edited, such as an inline table.
    """
    places = Places(text)
    changes: list[tuple[int, int, str]] = []
    added: list[str] = []
    for key, value in values.items():
        place = places.by_path.get((section, key))
        if place is None:
            added.append(f"{as_key(key)} = {as_toml(value)}\n")
        else:
            changes.append((place.start, place.end, as_toml(value)))
    edited = text
    if added:
        edited = _with_lines(text, section, places, "".join(added))
    for start, end, new in sorted(changes, reverse=True):
        edited = edited[:start] + new + edited[end:]
    _check(text, edited, section, values)
    return edited


def _with_lines(text: str, section: str, places: Places, lines: str) -> str:
    """Return the text with lines below the last of a section. They come after all that is changed in place."""
    ends = [place.end for path, place in places.by_path.items() if path[:1] == (section,) and len(path) <= 2]
    if not ends:
        return f"{text.rstrip()}\n\n[{section}]\n{lines}".lstrip()
    end = text.find("\n", max(ends))
    return f"{text}\n{lines}" if end < 0 else f"{text[: end + 1]}{lines}{text[end + 1 :]}"


def _check(text: str, edited: str, section: str, values: Mapping[str, Any]) -> None:
    import tomllib  # late: most runs write nothing

    wanted = tomllib.loads(text)
    before = wanted.setdefault(section, {})
    try:
        if isinstance(before, dict):
            before.update(
                tomllib.loads("".join(f"{as_key(key)} = {as_toml(value)}\n" for key, value in values.items()))
            )
        is_right = tomllib.loads(edited) == wanted
    except tomllib.TOMLDecodeError:
        is_right = False
    if not is_right:
        raise ValueError(f"[{section}] is written in a way that cannot be edited: give each key a line of its own")
