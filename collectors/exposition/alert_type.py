"""The type of an alerting rule, and of the examples that promtool checks it with."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """Series as an engine would have them, and the alert that they raise."""

    at: str
    """When it is looked, such as `10m`, after the first value; there is one value a minute."""
    series: dict[str, str]
    """For each series its values in promtool's notation."""
    raises: dict[str, str] | None
    """The labels of the alert that fires, without those of the rule itself; `None`: none fires."""
    value: str = ""
    """What is in the place of `{{ $value ... }}` in the description."""


class Alert(NamedTuple):
    """One alerting rule with its examples."""

    name: str
    expression: str
    wait: str
    """How long it must hold before it fires."""
    severity: str
    """`critical`: wake somebody; `warning`: look today; `info`: it explains other numbers."""
    summary: str
    description: str
    """What it means and where to look; a template of Prometheus."""
    cases: tuple[Case, ...]
