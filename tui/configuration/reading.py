"""Reading `config.toml`: every value with its line, every mistake as a sentence that names the line.

The shape of the file follows from `SETTINGS`; beside those there are tables that hold names of the user's own:
`[keys]`, `[columns]`, `[[commands]]`, `[[alerts]]`, `[[hosts]]`, `[prometheus.NAME]`, and a table for the options of
each command.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collectors.safety.toml_file import TooDeep, parse_toml, read_text
from tui.configuration.config import ActionConfig, Config, ConfigError, Timeouts, config_file
from tui.configuration.settings_table import BY_NAME, SCREEN, SETTINGS
from tui.configuration.toml_places import Places
from tui.configuration.value_types import Choice, Several, meant
from tui.configuration.vocabulary import column_words

if TYPE_CHECKING:
    from collectors.alerts.rule import Rule
    from collectors.fleet.hosts import HostSpec
    from collectors.prometheus.server import Server
    from tui.configuration.own_commands import OwnCommand

KEYS, PRESETS, COMMANDS, THEME, HOSTS, SERVERS = "keys", "columns", "commands", "theme", "hosts", "prometheus"
ALERTS = "alerts"
_TABLES = frozenset({setting.section for setting in SETTINGS if setting.section} | {"actions"})


@dataclass(slots=True)
class FileContent:
    """What a file says, and what is wrong with it."""

    path: Path
    text: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    """The text, parsed."""
    values: dict[str, Any] = field(default_factory=dict)
    """The values of settings, by `Setting.name`."""
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The options of commands, unchecked, by table and key."""
    keymap: dict[str, str] = field(default_factory=dict)
    presets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    commands: list[OwnCommand] = field(default_factory=list)
    alerts: list[Rule] = field(default_factory=list)
    hosts: list[HostSpec] = field(default_factory=list)
    servers: dict[str, Server] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    """Sentences without the file's name, in the order of the lines."""
    lines: Places = field(default_factory=lambda: Places(""))

    def line(self, *path: str | int) -> int:
        """Return the line of a key."""
        return self.lines.line(path)

    def config(self) -> Config:
        """Return the configuration.

        Raises:
            ConfigError: There is a mistake in it; all of them are named.
        """
        if self.mistakes:
            raise ConfigError(f"{self.path} {'; '.join(self.mistakes)}")
        actions = {name.removeprefix("actions."): value for name, value in self.values.items()}
        given = {
            key: actions[f"timeout_s.{key}"] for key in ("container", "vm", "service") if f"timeout_s.{key}" in actions
        }
        return Config(
            read_only=self.values.get("read_only", False),
            actions=ActionConfig(actions.get("allow_protected", ()), Timeouts(**given)),
            keymap=self.keymap,
            presets=self.presets,
            commands=tuple(self.commands),
            alerts=tuple(self.alerts),
            hosts=tuple(self.hosts),
            servers=self.servers,
        )


def read(path: Path | None = None, option_tables: Collection[str] | None = None) -> FileContent:
    """Read the file; without one, the content is empty. Mistakes in it are in the content.

    Args:
        path: The file; by default the user's.
        option_tables: Names of the tables with options of commands, which the command line checks; `None` where they
            are not known, and every other table may be one.

    Raises:
        ConfigError: The file cannot be read, or is not TOML.
    """
    path = path or config_file()
    try:
        text = read_text(path)
    except FileNotFoundError:
        return FileContent(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"the configuration {path} cannot be read: {reason}") from error
    return parse(text, path, option_tables)


def parse(text: str, path: Path, option_tables: Collection[str] | None = None) -> FileContent:
    """Return the content of a text; the arguments are those of `read`.

    Raises:
        ConfigError: It is not TOML.
    """
    try:
        document = parse_toml(text)
    except TooDeep as error:
        raise ConfigError(f"the configuration {path} cannot be used: {error}") from error
    except ValueError as error:
        raise ConfigError(f"the configuration {path} is not TOML: {error}") from error
    content = FileContent(path, text, document, lines=Places(text))
    _Reader(content, option_tables).take(document)
    return content


class _Reader:
    """Fills a content with what a document says."""

    def __init__(self, content: FileContent, option_tables: Collection[str] | None) -> None:
        self._content = content
        self._option_tables = option_tables or ()
        self._has_all_tables = option_tables is not None
        self._mistakes: list[tuple[int, str]] = []

    def take(self, document: Mapping[str, Any]) -> None:
        """Take every key of the file."""
        takers = {
            KEYS: self._keys,
            PRESETS: self._presets,
            COMMANDS: self._commands,
            THEME: self._theme,
            ALERTS: self._alerts,
            HOSTS: self._hosts,
            SERVERS: self._servers,
        }
        for key, value in sorted(document.items(), key=lambda item: item[0] in (COMMANDS, THEME)):  # after keys, screen
            if key in takers:
                takers[key](value)
            elif isinstance(value, Mapping) and self._is_of_options(key):
                self._content.options[key] = dict(value)
            else:
                self._setting((key,), value)
        self._content.mistakes = [f"line {line}: {words}" for line, words in sorted(self._mistakes)]

    def _is_of_options(self, key: str) -> bool:
        return key in self._option_tables or not (self._has_all_tables or key in _TABLES)

    def _setting(self, path: tuple[str, ...], value: object) -> None:
        name = ".".join(path)
        setting = BY_NAME.get(name)
        if setting is not None:
            try:
                self._content.values[name] = setting.type.check(value)
            except ValueError as error:
                self._wrong(path, f"{path[-1]!r} {error}")
        elif name in _TABLES and isinstance(value, Mapping):
            for key, item in value.items():
                self._setting((*path, key), item)
        elif name in (*_TABLES, *self._option_tables):
            self._wrong(path, f"{path[-1]!r} has to be a table: [{name}]")
        else:
            self._wrong(path, f"{path[-1]!r} is unknown{_elsewhere(path, self._option_tables)}")

    def _keys(self, table: object) -> None:
        from tui.configuration.keymap import keymap_of

        if self._is_table(KEYS, table):
            self._content.keymap, mistakes = keymap_of(table)  # type: ignore[arg-type]
            for name, words in mistakes:
                self._wrong((KEYS, name), words)

    def _presets(self, table: object) -> None:
        columns = Several(Choice(column_words), 1)
        for name, value in self._items(PRESETS, table):
            try:
                self._content.presets[name] = columns.check(value)
            except ValueError as error:
                self._wrong((PRESETS, name), f"the columns {name!r}: it {error}")

    def _theme(self, table: object) -> None:
        from tui.themes.choice import OWN, ThemeError, colors_of

        if not self._is_table(THEME, table) or not table:
            return
        try:
            colors_of(table)  # type: ignore[arg-type]
        except ThemeError as error:
            self._wrong((THEME, error.key), str(error))
            return
        if self._content.values.setdefault("screen.theme", OWN) == OWN:
            self._content.lines.by_path.setdefault((SCREEN, "theme"), self._content.lines.by_path[THEME,])

    def _alerts(self, tables: object) -> None:
        from tui.configuration import alerts

        for index, table in self._tables(ALERTS, tables):
            rule, mistakes = alerts.check(table)
            for key, words in mistakes.items():
                self._wrong((ALERTS, index, key), f"{repr(key) if key else 'the alert'} {words}")
            if rule is None:
                continue
            if any(rule.name == one.name for one in self._content.alerts):
                self._wrong((ALERTS, index, "name"), f"there are two alerts {rule.name!r}; give one another name")
            self._content.alerts.append(rule)

    def _hosts(self, tables: object) -> None:
        from tui.configuration import hosts

        for index, table in self._tables(HOSTS, tables):
            host, mistakes = hosts.check(table)
            for key, words in mistakes.items():
                self._wrong((HOSTS, index, key), f"{repr(key) if key else 'the host'} {words}")
            if host is None:
                continue
            if any(host.name == one.name for one in self._content.hosts):
                self._wrong((HOSTS, index, "name"), f"there are two hosts {host.name!r}; give one of them another name")
            self._content.hosts.append(host)

    def _servers(self, table: object) -> None:
        from tui.configuration import servers

        for name, value in self._items(SERVERS, table):
            if not isinstance(value, Mapping):
                self._wrong((SERVERS, name), f"{name!r} has to be a table: [{SERVERS}.{name}]")
                continue
            server, mistakes = servers.check(name, value)
            for key, words in mistakes.items():
                path = (SERVERS, name, key) if key else (SERVERS, name)
                self._wrong(path, f"{repr(key) if key else f'the server {name!r}'} {words}")
            if server is not None:
                self._content.servers[name] = server

    def _commands(self, tables: object) -> None:
        from tui.configuration import own_commands
        from tui.configuration.keymap import owner_of, textual_key
        from tui.keys.tables import OWN_ON

        for index, table in self._tables(COMMANDS, tables):
            command, mistakes = own_commands.check(table, textual_key)
            for key, words in mistakes.items():
                self._wrong((COMMANDS, index, key), f"{repr(key) if key else 'the command'} {words}")
            if command is None:
                continue
            owner = owner_of(command.key, self._content.keymap, OWN_ON)
            owner = owner or next((one.label for one in self._content.commands if command.key == one.key), "")
            if command.key and owner:
                words = f"{table['key']!r} is the key of both {owner!r} and {command.label!r}; give one of them another"
                self._wrong((COMMANDS, index, "key"), words)
            self._content.commands.append(command)

    def _tables(self, name: str, tables: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
        if not isinstance(tables, list) or not all(isinstance(table, Mapping) for table in tables):
            self._wrong((name,), f"{name!r} has to be tables, each below [[{name}]]")
            return iter(())
        return enumerate(tables)

    def _is_table(self, name: str, table: object) -> bool:
        if not isinstance(table, Mapping):
            self._wrong((name,), f"{name!r} has to be a table: [{name}]")
        return isinstance(table, Mapping)

    def _items(self, name: str, table: object) -> Iterator[tuple[str, object]]:
        return iter(table.items() if self._is_table(name, table) else ())  # type: ignore[attr-defined]

    def _wrong(self, path: tuple[str | int, ...], words: str) -> None:
        self._mistakes.append((self._content.line(*path), words))


def _elsewhere(path: tuple[str, ...], option_tables: Collection[str]) -> str:
    """Return what was meant by an unknown key: one like it in its table, or the table where it belongs."""
    section, key = ".".join(path[:-1]), path[-1]
    here = [setting.key for setting in SETTINGS if setting.section == section]
    if not section:
        here += [
            *(table for table in _TABLES if "." not in table),
            KEYS,
            PRESETS,
            COMMANDS,
            THEME,
            ALERTS,
            HOSTS,
            *option_tables,
        ]
    if key in BY_NAME:
        return " here; it belongs at the top, before any [table]"
    table = next((setting.section for setting in SETTINGS if setting.key == key and setting.section), "")
    return f" here; it belongs below [{table}]" if table else meant(key, here)
