"""The JSON schema of the configuration, for editors: `vmtop config --schema`, docs/config.schema.json."""

from __future__ import annotations

from typing import Any

from tui.configuration import alerts, hosts, own_commands, servers
from tui.configuration.keymap import default_keys
from tui.configuration.option_row import OptionTables
from tui.configuration.settings_table import SETTINGS
from tui.configuration.value_types import Choice, Several
from tui.configuration.vocabulary import column_words
from tui.themes.palette import DARK, PALETTES
from tui.themes.roles import ROLES

_KEYS = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}


def schema(tables: OptionTables) -> dict[str, Any]:
    """Return the schema.

    Args:
        tables: The options of commands.
    """
    whole = _table("Configuration of vmtop: ~/.config/vmtop/config.toml.")
    for setting in SETTINGS:
        properties = whole["properties"]
        for part in filter(None, setting.section.split(".")):
            properties = properties.setdefault(part, _table())["properties"]
        default = setting.type.written(setting.default)
        properties[setting.key] = {"description": setting.help, "default": default, **setting.type.schema()}
    for table, rows in tables.items():
        options = whole["properties"].setdefault(table, _table(f"Options of vmtop {table}."))["properties"]
        for row in rows:
            default = {} if row.default is None else {"default": row.default}
            options[row.key] = {"description": row.help, **default, **row.schema}
    keys = _table("The keys of each action, in place of its own; an empty list leaves it none.")
    keys["properties"] = {name: {"default": words, **_KEYS} for name, words in default_keys().items()}
    columns = {"type": "object", "description": "Sets of columns.", "additionalProperties": _columns()}
    commands = {"type": "array", "description": "Programs of your own.", "items": own_commands.SCHEMA}
    whole["properties"] |= {"keys": keys, "columns": columns, "theme": _theme(), "commands": commands}
    whole["properties"]["alerts"] = {"type": "array", "description": "Rules for alerts.", "items": alerts.SCHEMA}
    whole["properties"]["hosts"] = {"type": "array", "description": "Other hosts.", "items": hosts.SCHEMA}
    named = {"type": "object", "description": "Servers of vmtop fleet.", "additionalProperties": servers.SCHEMA}
    whole["properties"]["prometheus"] = named
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "vmtop configuration", **whole}


def _table(description: str = "") -> dict[str, Any]:
    table: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {}}
    return {"description": description, **table} if description else table


def _theme() -> dict[str, Any]:
    theme = _table("A theme of your own: roles and colours, and the theme that the others come from.")
    theme["properties"] = {"base": {"enum": list(PALETTES), "default": DARK}}
    theme["properties"] |= {role: {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"} for role in ROLES}
    return theme


def _columns() -> dict[str, Any]:
    return Several(Choice(column_words), 1).schema()
