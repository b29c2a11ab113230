"""Other hosts: `[[hosts]]` in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collectors.fleet.hosts import HostError, HostSpec, check_address, check_command, check_name, check_tag
from tui.configuration.value_types import Several, Words, checked_values


def _text(check: Callable[[str], str]) -> Callable[[object], str]:
    """Return what checks a value that has to be a text first."""
    return lambda value: check(Words().check(value))


def _tags(value: object) -> tuple[str, ...]:
    return tuple(map(check_tag, Several(Words()).check(value)))


CHECKS: Mapping[str, Callable[[object], Any]] = {
    "name": _text(check_name),
    "address": _text(check_address),
    "command": _text(check_command),
    "tags": _tags,
}
"""The keys of a host, and what checks their values."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 63, "description": "What the column HOST shows."},
        "address": {
            "type": "string",
            "minLength": 1,
            "description": "What ssh is given: HOST, USER@HOST or USER@HOST:PORT; by default the name.",
        },
        "command": {
            "type": "string",
            "minLength": 1,
            "default": "vmtop",
            "description": "What starts vmtop there, for the shell of that user.",
        },
        "tags": {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "description": "Words that hosts are chosen by: --host tag:prod.",
        },
    },
}


def check(table: Mapping[str, Any]) -> tuple[HostSpec | None, dict[str, str]]:
    """Return a host, and what is wrong with it by key; an empty key stands for the host.

    Args:
        table: The keys and values of one `[[hosts]]`.
    """
    values, mistakes = checked_values(table, CHECKS)
    if "name" not in table:
        mistakes[""] = "has no name"
    elif "address" not in table and "name" in values:
        try:
            values["address"] = check_address(values["name"])
        except HostError:
            mistakes["name"] = "is no address: give an 'address' too"
    return (None if mistakes else HostSpec(**values)), mistakes
