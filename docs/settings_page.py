"""Writes `docs/reference/settings.md` from the table of settings and the commands; run by `make docs-generate`."""

from __future__ import annotations

import json
from typing import Any

from docs.table import table
from tui.cli.command_sections import SOURCES, option_tables
from tui.cli.main import main as vmtop
from tui.configuration.option_row import OptionRow
from tui.configuration.settings_table import SETTINGS, Setting
from tui.configuration.toml_text import as_toml

_HEAD = """# Settings

This page is generated from `tui/configuration/` and the commands by `make docs-generate`.

They are set in `~/.config/vmtop/config.toml`; [configuration](../configuration.md) explains the file, and what else can
be in it: keys, sets of columns, themes, hosts, servers, alerts and commands of your own. `vmtop config --default`
prints a commented file, `vmtop config --check` finds mistakes, and [config.schema.json](../config.schema.json) is for
editors.
"""
_WORDS = 8
"""Values of a setting that are listed; there may be a hundred of them."""


def markdown() -> str:
    """Return the whole page as Markdown."""
    sections = dict.fromkeys(setting.section for setting in SETTINGS)
    parts = [_HEAD, *(_settings(section) for section in sections)]
    return "\n".join([*parts, *(_options(name, list(rows)) for name, rows in option_tables(vmtop).items() if rows)])


def _settings(section: str) -> str:
    rows = [_setting(setting) for setting in SETTINGS if setting.section == section]
    head = f"## `[{section}]`\n" if section else "## At the top of the file\n"
    return f"{head}\n{table(('key', 'default', 'values', 'means', 'option'), rows)}"


def _setting(setting: Setting) -> tuple[str, ...]:
    default = f"`{as_toml(setting.type.written(setting.default))}`"
    option = f"`{setting.flag}`" if setting.flag else ""
    return f"`{setting.key}`", default, _values(setting.type.schema()), _plain(setting.help), option


def _options(name: str, rows: list[OptionRow]) -> str:
    about = (
        "For every command that reads." if name == SOURCES else f"Options of [vmtop {name}](commands.md#vmtop-{name})."
    )
    cells = [
        (
            f"`{row.key}`",
            "" if row.default is None else f"`{as_toml(row.default)}`",
            _values(row.schema),
            _plain(row.help),
        )
        for row in rows
    ]
    return f"## `[{name}]`\n\n{about}\n\n{table(('key', 'default', 'values', 'means'), cells)}"


def _values(schema: dict[str, Any]) -> str:
    """Return what a value may be, in words."""
    if schema.get("type") == "array":
        return f"a list: {_values(schema['items'])}"
    if words := [word for word in schema.get("enum", ()) if word != ""]:
        listed = ", ".join(f"`{word}`" for word in words[:_WORDS])
        return listed + (", ..." if len(words) > _WORDS else "")
    if "minimum" in schema and "maximum" in schema:
        return f"{json.dumps(schema['minimum'])} to {json.dumps(schema['maximum'])}"
    if "minimum" in schema:
        return f"{json.dumps(schema['minimum'])} or more"
    kinds = {"boolean": "true or false", "string": "text", "number": "number", "integer": "number"}
    wanted = schema.get("type", "string")  # of an option that takes a text or a number, all values are read as text
    return kinds[wanted if isinstance(wanted, str) else wanted[0]]


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*")
