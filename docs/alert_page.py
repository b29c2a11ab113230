"""Writes the table of built-in rules on `docs/alerts.md`; run by `make docs-generate`."""

from __future__ import annotations

import re

from collectors.alerts.built_in import built_in_rules, condition_text, until_text
from collectors.alerts.rule import Rule

_HEAD = "| rule | begins when | ends when | level | what is said |\n|---|---|---|---|---|\n"
_TABLE = re.compile(re.escape(_HEAD) + r"(?:\|.*\n)*")


def with_rules(page: str) -> str:
    """Return the page with the rows of its table of rules replaced."""
    return _TABLE.sub(lambda _: _HEAD + "".join(map(_row, built_in_rules())), page)


def _row(rule: Rule) -> str:
    until = until_text(rule.name)
    cells = (rule.name, _code(condition_text(rule.name)), _code(until) if until else "", rule.level, rule.words)
    return "| " + " | ".join(cells) + " |\n"


def _code(text: str) -> str:
    """Return a text as code; in a cell of a table a bar needs a backslash there, too."""
    return f"`{text.replace('|', chr(92) + '|')}`"
