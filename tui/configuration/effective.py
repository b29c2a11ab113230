"""The value of every setting, and where it comes from: an option, the configuration, the last run, or the default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tui.configuration.reading import FileContent
from tui.configuration.settings_table import SETTINGS

LEFT = "as you left it"


class Effective(NamedTuple):
    """A value with its origin."""

    value: Any
    origin: str = ""
    """An option, `config.toml:7`, `as you left it`; empty for the default."""


def effective(given: Mapping[str, Any], content: FileContent, remembered: Mapping[str, Any]) -> dict[str, Effective]:
    """Return all settings by name.

    What was asked for now counts most, then what was written down for every run, then what was done last.

    Args:
        given: What options of the command line set, by name.
        content: The configuration.
        remembered: What the screen remembers.
    """
    values: dict[str, Effective] = {}
    for setting in SETTINGS:
        name = setting.name
        if name in given:
            values[name] = Effective(given[name], setting.flag)
        elif name in content.values:
            line = content.line(*name.split("."))
            values[name] = Effective(content.values[name], f"{content.path.name}:{line}")
        elif name in remembered and remembered[name] != setting.default:
            values[name] = Effective(remembered[name], LEFT)
        else:
            values[name] = Effective(setting.default)
    return values
