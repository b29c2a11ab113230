"""What `vmtop config` prints: everything that applies, as TOML, each value with its origin."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from collectors.alerts.built_in import built_in_rules, condition_text, until_text
from collectors.safety.sanitize import sanitize
from tui.configuration.effective import Effective
from tui.configuration.reading import ALERTS, COMMANDS, HOSTS, KEYS, PRESETS, SERVERS, THEME, FileContent
from tui.configuration.settings_table import BY_NAME, SETTINGS
from tui.configuration.toml_text import as_key, as_toml

_ORIGIN_AT = 40
"""Column of the origins."""


def overview(values: Mapping[str, Effective], content: FileContent, sources: Mapping[str, Effective]) -> str:
    """Return the text, which is itself a configuration with the same effect.

    Args:
        values: All settings.
        content: The file.
        sources: The options of `[sources]` that have a value.
    """
    lines: list[str] = []
    for section, settings in groupby(SETTINGS, lambda setting: setting.section):
        lines += _heading(section)
        lines += [
            _line(setting.key, _written(setting.name, values), values[setting.name].origin) for setting in settings
        ]
    lines += _section("sources", {key: (item.value, item.origin) for key, item in sources.items()})
    for table, options in content.options.items():
        if table != "sources":
            lines += _section(table, _in_file(content, table, options))
    for table in (KEYS, PRESETS, THEME):
        raw = content.document.get(table, {})
        lines += _section(table, _in_file(content, table, raw))
    lines += _tables(content, COMMANDS)
    lines += _built_in_alerts(content)
    lines += _tables(content, ALERTS, {rule.name for rule in built_in_rules()})
    lines += _tables(content, HOSTS)
    for name in content.servers:
        raw = content.document[SERVERS][name]
        lines += ["", f"[{SERVERS}.{as_key(name)}]"]
        lines += [_line(key, value, _origin(content, SERVERS, name, key)) for key, value in raw.items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def summary(content: FileContent, has_names: bool) -> list[str]:
    """Return which settings a file has, for a report that others read.

    Args:
        content: The file.
        has_names: Show the values too: they may hold names of workloads.
    """
    lines = [f"{name} = {_summary(name, value, has_names)}" for name, value in content.values.items()]
    counts = (
        ("keys", len(content.keymap)),
        ("columns", len(content.presets)),
        ("own commands", len(content.commands)),
        ("alerts", len(content.alerts)),
        ("other hosts", len(content.hosts)),
        ("servers of fleets", len(content.servers)),
        ("tables of options", len(content.options)),
    )
    return [*lines, *(f"{what}: {count}" for what, count in counts if count)]


def _summary(name: str, value: Any, has_names: bool) -> str:
    if has_names or isinstance(value, bool | int | float):
        return as_toml(_plain(name, value))
    return f"({len(value)} names)" if isinstance(value, tuple) else "(set)"


def _plain(name: str, value: Any) -> Any:
    return BY_NAME[name].type.written(value)


def _written(name: str, values: Mapping[str, Effective]) -> Any:
    return _plain(name, values[name].value)


def _tables(content: FileContent, name: str, left_out: Collection[str] = ()) -> Iterator[str]:
    """Yield the tables of a name as they are in the file, without those whose `name` is left out."""
    for index, table in enumerate(content.document.get(name, ())):
        if table.get("name") not in left_out:
            yield from ("", f"[[{name}]]")
            yield from (_line(key, value, _origin(content, name, index, key)) for key, value in table.items())


def _built_in_alerts(content: FileContent) -> Iterator[str]:
    """Yield the built-in rules, with what the file changes of them."""
    tables: Sequence[Mapping[str, Any]] = content.document.get(ALERTS, ())
    changed = {table.get("name"): index for index, table in enumerate(tables)}
    for rule in built_in_rules():
        index = changed.get(rule.name)
        given = {} if index is None else tables[index]
        values: dict[str, Any] = {"name": rule.name, "when": condition_text(rule.name)}
        if "when" not in given and until_text(rule.name):  # a condition of its own ends as it says itself
            values["until"] = until_text(rule.name)
        values |= {"level": str(rule.level), "text": rule.text, **given}
        yield from ("", f"[[{ALERTS}]]")
        for key, value in values.items():
            origin = "" if index is None or key not in given else _origin(content, ALERTS, index, key)
            yield _line(key, value, origin or "built in")


def _section(table: str, rows: Mapping[str, tuple[Any, str]]) -> Iterator[str]:
    if rows:
        yield from _heading(table)
        yield from (_line(key, value, origin) for key, (value, origin) in rows.items())


def _heading(section: str) -> Sequence[str]:
    return ("", f"[{section}]") if section else ()


def _in_file(content: FileContent, table: str, rows: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    return {key: (value, _origin(content, table, key)) for key, value in rows.items()}


def _origin(content: FileContent, *path: str | int) -> str:
    return f"{content.path.name}:{content.line(*path)}"


def _line(key: str, value: Any, origin: str) -> str:
    assignment = sanitize(f"{as_key(key)} = {as_toml(value)}", 2000)
    return f"{assignment:<{_ORIGIN_AT}} # {sanitize(origin) or 'default'}"
