"""Servers that have what was measured on many hosts: `[prometheus.NAME]` in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collectors.model.errors import SourceError
from collectors.prometheus.promql import check_match
from collectors.prometheus.server import Server, checked
from tui.configuration.value_types import Switch, Words, checked_values

_HELP = {
    "url": "Its address, with the path below which it has /api/v1/query.",
    "match": 'Label matchers that everything is limited to: job="vmtop",site=~"fra|ams".',
    "insecure": "Allow plain HTTP to another host.",
    "user": "The user for basic authentication.",
    "password_file": "A file with the user's password, mode 0600.",
    "token_file": "A file with a bearer token, mode 0600.",
    "ca_file": "Certificates to trust instead of the system's.",
    "certificate_file": "A client certificate.",
    "key_file": "The key of the client certificate.",
}
_SWITCHES = frozenset({"insecure"})
_CHECKS: dict[str, Callable[[Any], Any]] = {key: Switch().check if key in _SWITCHES else Words().check for key in _HELP}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A Prometheus or VictoriaMetrics, for vmtop fleet.",
    "additionalProperties": False,
    "required": ["url"],
    "properties": {
        key: {"type": "boolean", "default": False, "description": words}
        if key in _SWITCHES
        else {"type": "string", "minLength": 1, "description": words}
        for key, words in _HELP.items()
    },
}


def check(name: str, table: Mapping[str, Any]) -> tuple[Server | None, dict[str, str]]:
    """Return a server, and what is wrong with it by key; an empty key stands for the server.

    Args:
        name: Its name.
        table: The keys and values of one `[prometheus.NAME]`.
    """
    values, mistakes = checked_values(table, _CHECKS)
    if "url" not in table:
        mistakes[""] = "has no url"
    if mistakes:
        return None, mistakes
    try:
        server = checked(Server(name=name, **values))
        check_match(server.match)
    except SourceError as error:
        return None, {"": f"cannot be used: {error.reason}"}
    return server, {}
