"""What the screen remembers from one run to the next: `screen.toml` in the state folder.

Only what differs from the defaults is in it. It is replaced as a whole, so that of two runs the last to write wins.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collectors.safety import private_file
from collectors.safety.sanitize import sanitize
from collectors.safety.toml_file import parse_toml, read_text
from tui.configuration.settings_table import REMEMBERED, SCREEN
from tui.configuration.toml_text import as_key, as_toml
from tui.settings.paths import state_folder

log = logging.getLogger(__name__)

_HINTS = "hints"
_HEAD = "# What vmtop's screen remembers of its last run. 'vmtop --fresh' does without it.\n"
_MOST_HINTS = 50


@dataclass(slots=True)
class ScreenState:
    """The remembered settings, by their names in `SETTINGS`, and how often each hint was shown."""

    values: dict[str, Any] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)


def state_file() -> Path:
    """Return the path of the file, which may not exist."""
    return state_folder() / "screen.toml"


def load(path: Path | None = None) -> ScreenState:
    """Return what is remembered. What cannot be read or used is left out, with a line in the log."""
    path = path or state_file()
    try:
        document = parse_toml(read_text(path))
    except FileNotFoundError:
        return ScreenState()
    except (OSError, ValueError) as error:  # a UnicodeDecodeError or TOMLDecodeError is a ValueError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        log.warning("%s is not used: %s", path, sanitize(reason))
        return ScreenState()
    return ScreenState(_values(document.get(SCREEN), path), _hints(document.get(_HINTS)))


def _values(table: object, path: Path) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if not isinstance(table, Mapping):
        return values
    for setting in REMEMBERED:
        if setting.key in table:
            try:
                values[setting.name] = setting.type.check(table[setting.key])
            except ValueError as error:
                log.warning("%s: %s %s; it is not used", path, setting.key, sanitize(str(error)))
    return values


def _hints(table: object) -> dict[str, int]:
    if not isinstance(table, Mapping):
        return {}
    counts = ((name, count) for name, count in table.items() if type(count) is int and 0 <= count < 1_000_000)
    return dict(list(counts)[:_MOST_HINTS])


def save(state: ScreenState, path: Path | None = None) -> None:
    """Replace the file.

    Raises:
        OSError: It cannot be written.
    """
    lines = [
        f"{setting.key} = {as_toml(setting.type.written(state.values[setting.name]))}"
        for setting in REMEMBERED
        if state.values.get(setting.name, setting.default) != setting.default
    ]
    hints = [f"{as_key(name)} = {count}" for name, count in state.hints.items()]
    tables = [f"[{SCREEN}]", *lines, *([f"[{_HINTS}]", *hints] if hints else [])]
    text = _HEAD + "".join(f"{line}\n" for line in tables)
    private_file.replace(path or state_file(), text.encode())
