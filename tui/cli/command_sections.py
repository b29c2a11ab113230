"""Options of commands in the configuration: `[record] rotate_size = "100M"`, and `[sources]` for all that read.

Their names, types and defaults are those of the command line: there is no other list of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from collectors.engines.registry import options as engine_options
from tui.cli.lazy import LazyGroup
from tui.cli.types import KindType, SettingType
from tui.configuration.option_row import OptionRow
from tui.configuration.reading import FileContent
from tui.configuration.settings_table import SETTINGS
from tui.configuration.value_types import meant

SOURCES = "sources"
_NEVER = frozenset({
    *("help", "version", "yes", "force", "fresh", "record", "output", "report", "with_names", "from", "to", "at"),
    *("name", "for", "timeout", "junit", "summary", "nagios", "warn"),
    *("max", "new", "kill_rest", "fail_if"),
    *("control", "past", "session", "workload", "metric", "count", "watch", "since", "follow", "once"),
    *("persist", "dry_run"),
})  # fmt: skip
"""What confirms, overwrites, or is chosen for one run only."""
_FORMS = frozenset({"json", "csv", "form", "format", "schema", "check", "default", "quiet", "no_header", "commands"})
"""What a command prints in: scripts rely on it."""
_WITHOUT = frozenset({"config", "completion", "doctor", "info", "monitoring"})
"""Commands that have no options to keep."""


_HOST = "host"
"""The parameter that every command has which reads sources."""


def source_keys() -> frozenset[str]:
    """Return the keys of `[sources]`: what is read, and how long it is waited for."""
    return frozenset({*(option.parameter for option in engine_options()), "wait", _HOST})


def key_of(option: click.Parameter) -> str:
    """Return the key of an option: its long name, with `_` for `-`."""
    return max(option.opts, key=len).lstrip("-").replace("-", "_")


def options_of(command: click.Command) -> dict[str, click.Option]:
    """Return a command's options that can be configured, by key.

    Left out are those that confirm or are meant for one run, the form of what is printed, and settings of the screen;
    of a command that reads no sources also what only is called like an option of theirs, such as the hosts of `export`.
    """
    screen = {setting.parameter for setting in SETTINGS if setting.flag}
    reads_sources = any(option.name == _HOST for option in command.params)
    left_out = _NEVER | _FORMS | (frozenset() if reads_sources else source_keys())
    return {
        key_of(option): option
        for option in command.params
        if isinstance(option, click.Option)
        and key_of(option) not in left_out
        and not (command.name in (None, "main", "demo", "replay") and option.name in screen)
    }


def defaults_of(command: click.Command, name: str, content: FileContent) -> tuple[dict[str, Any], list[str]]:
    """Return the defaults of a command's parameters as a content sets them, and what is wrong with them.

    Args:
        command: The command.
        name: Its name; empty for the main command.
        content: The configuration.
    """
    defaults: dict[str, Any] = {}
    mistakes: list[str] = []
    options = options_of(command)
    shared = source_keys()
    for table in (SOURCES, name):
        known = {key: option for key, option in options.items() if (key in shared) == (table == SOURCES)}
        for key, value in content.options.get(table, {}).items():
            line = content.line(table, key)
            if key in known:
                try:
                    defaults[known[key].name or ""] = _checked(known[key], value)
                except ValueError as error:
                    mistakes.append(f"line {line}: {key!r} {error}")
            elif table == SOURCES and key in shared:
                continue  # an option that this command does not have
            else:
                where = f" here; it belongs below [{SOURCES}]" if key in shared else ""
                mistakes.append(f"line {line}: {key!r} is unknown{where or meant(key, list(_words(table, known)))}")
    if content.values.get("log") and "log" in {option.name for option in command.params}:
        defaults["log"] = content.values["log"]
    return ({} if mistakes else defaults), mistakes


def _words(table: str, known: dict[str, click.Option]) -> Iterator[str]:
    yield from source_keys() if table == SOURCES else known


def _checked(option: click.Option, value: object) -> object:
    """Return a value that an option takes.

    Raises:
        ValueError: It does not; the message says what is allowed.
    """
    if option.is_flag:
        if not isinstance(value, bool):
            raise ValueError("has to be true or false")
        return value
    if isinstance(value, str) and option.multiple:
        value = [value]
    if isinstance(value, dict | bool) or isinstance(value, list) != option.multiple:
        raise ValueError(f"has to be {'a list of values' if option.multiple else 'one value'}")
    try:
        option.type_cast_value(click.Context(click.Command("check")), value)
    except click.UsageError as error:
        raise ValueError(f"cannot be used: {error.message.rstrip('.')}") from error
    return value


def mistakes_in(content: FileContent, group: LazyGroup) -> list[str]:
    """Return what is wrong with the options of all of a group's commands in a content."""
    mistakes: dict[str, None] = {}
    tables = [name for name in content.options if name != SOURCES]
    for name in tables or ["list"]:
        mistakes |= dict.fromkeys(defaults_of(group.load(name), name, content)[1])
    return list(mistakes)


def option_tables(group: LazyGroup) -> dict[str, list[OptionRow]]:
    """Return all options of commands that can be configured, by table."""
    tables: dict[str, list[OptionRow]] = {SOURCES: []}
    shared = source_keys()
    for name in (name for name in group.rows if name not in _WITHOUT):
        for key, option in options_of(group.load(name)).items():
            table = SOURCES if key in shared else name
            if option.name == "log" or any(row.key == key for row in tables.get(table, ())):
                continue
            tables.setdefault(table, []).append(_row(key, option))
    return tables


def _row(key: str, option: click.Option) -> OptionRow:
    item = _schema(option)
    schema = {"type": "array", "items": item} if option.multiple else item
    return OptionRow(key, option.help or "", option.metavar or "...", _default(option), schema)


def _default(option: click.Option) -> Any:
    """Return an option's default as it is written in the file; `None` if it has none: 0 stands for none."""
    if option.multiple:
        return []
    if option.is_flag:
        return option.default is True
    return option.default if isinstance(option.default, int | float | str) and option.default else None


def _schema(option: click.Option) -> dict[str, Any]:
    value_type = option.type
    if option.is_flag:
        return {"type": "boolean"}
    if isinstance(value_type, click.Choice):
        return {"enum": list(value_type.choices)}
    if isinstance(value_type, SettingType | KindType):
        return value_type.schema
    if isinstance(value_type, click.IntRange | click.FloatRange):
        bounds = {"minimum": value_type.min, "maximum": value_type.max}
        kind = "integer" if isinstance(value_type, click.IntRange) else "number"
        return {"type": kind, **{name: bound for name, bound in bounds.items() if bound is not None}}
    return {"type": ["string", "number"]}
