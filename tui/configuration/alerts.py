"""Rules for alerts: `[[alerts]]` in the configuration, and those that are built in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from collectors.alerts.built_in import built_in_rules
from collectors.alerts.condition import Condition, parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.query.filter import Query, parse
from collectors.query.words import stray_word, words
from tui.configuration.own_commands import words_to_run
from tui.configuration.value_types import Choice, Switch, Words, checked_values

_LEVELS = {str(level): str(level) for level in Level}
_FIELDS = {
    "when": "condition",
    "until": "until",
    "level": "level",
    "text": "text",
    "run": "run",
    "bell": "has_bell",
    "desktop": "is_shown_on_desktop",
    "on": "is_on",
}
"""The keys of a rule beside its name, and the fields of `Rule` that they set."""


def _line(value: object) -> str:
    line = Words().check(value).strip()
    if not line or not line.isprintable():
        raise ValueError("has to be a few words on one line")
    return line


def _condition(value: object) -> Condition:
    try:
        return parse_condition(Words().check(value))
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None


def _until(value: object) -> Query:
    text = Words().check(value)
    if not text.strip():
        raise ValueError("is empty: leave it out, and the alert ends when its condition no longer holds")
    try:
        ends = parse(text)
    except ValueError as error:
        raise ValueError(f"cannot be used: {error}") from None
    if stray := stray_word(words(text), "an end has no time"):
        raise ValueError(f"cannot be used: {stray}")
    return ends


CHECKS: Mapping[str, Callable[[object], Any]] = {
    "name": _line,
    "when": _condition,
    "until": _until,
    "level": lambda value: Level(Choice(lambda: _LEVELS).check(value)),
    "text": _line,
    "run": words_to_run,
    "bell": Switch().check,
    "desktop": Switch().check,
    "on": Switch().check,
}
"""The keys of a rule, and what checks their values."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "description": "Its name; that of a built-in rule changes it."},
        "when": {"type": "string", "description": "When an alert begins: cpu > 90% of limit for 2m."},
        "until": {"type": "string", "description": "What ends it; without it, that the condition does not hold."},
        "level": {"enum": list(_LEVELS), "default": "warning", "description": "How grave it is."},
        "text": {"type": "string", "description": "What has happened, in words."},
        "run": {
            "description": "A program that is run when an alert begins; no shell is involved.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                {"type": "string", "minLength": 1},
            ],
        },
        "bell": {"type": "boolean", "default": False, "description": "Ring the terminal's bell."},
        "desktop": {"type": "boolean", "default": False, "description": "Show a notification of the desktop."},
        "on": {"type": "boolean", "default": True, "description": "Whether it is used."},
    },
}


def check(table: Mapping[str, Any]) -> tuple[Rule | None, dict[str, str]]:
    """Return a rule, and what is wrong with it by key; an empty key stands for the rule.

    Args:
        table: The keys and values of one `[[alerts]]`. One with the name of a built-in rule changes what it gives.
    """
    values, mistakes = checked_values(table, CHECKS)
    built_in = next((rule for rule in built_in_rules() if rule.name == values.get("name")), None)
    if "name" not in table:
        mistakes[""] = "has no name"
    elif "when" not in table and built_in is None and "name" in values:
        known = ", ".join(rule.name for rule in built_in_rules())
        mistakes[""] = f"{values['name']!r} has no when, and is none of the built-in ones: {known}"
    if mistakes:
        return None, mistakes
    fields = {_FIELDS[key]: value for key, value in values.items() if key != "name"}
    if built_in is None:
        return Rule(values["name"], **fields), {}
    if "when" in table and "until" not in table:
        fields["until"] = None  # its own belongs to its own condition
    return replace(built_in, **fields), {}


def rules_of(configured: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return all rules: the built-in ones as they were changed, then the user's own."""
    changed = {rule.name: rule for rule in configured}
    built_in = tuple(changed.pop(rule.name, rule) for rule in built_in_rules())
    return built_in + tuple(changed.values())
