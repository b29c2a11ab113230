"""What the word being typed in a filter can become: fields, metrics, and the values that workloads have now."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from collectors.model.metrics import METRICS
from collectors.model.workloads import KINDS_BY_NAME, State, Workload
from collectors.query.filter import FIELDS, NUMBERS

_LAST_WORD = re.compile(r"""!?((?:[^\s"']|"[^"]*"|'[^']*')*)\Z""")
_VALUE = re.compile(r"(\w+)(!=|=)(.*)", re.DOTALL)
_NEEDS_QUOTES = re.compile(r"[\s\"'!]")
_FIXED = {"kind": [*KINDS_BY_NAME], "state": [state.value for state in State]}
_MOST = 50
"""Candidates that are offered."""


def completions(text: str, workloads: Iterable[Workload]) -> list[str]:
    """Return the texts that the last word of a filter can be completed to, the likeliest first.

    Args:
        text: The filter up to the cursor.
        workloads: Their values are offered after `field=`.

    Returns:
        Whole filters; empty if the last word is empty, complete, or nothing known begins like it.
    """
    match = _LAST_WORD.search(text)
    word = match[1] if match else ""
    if not word:
        return []
    before = text[: len(text) - len(word)]
    value = _VALUE.fullmatch(word)
    if value is None:
        return [before + name for name in _fields(word.lower())]
    field, sign, typed = value[1].lower(), value[2], value[3].strip("\"'").casefold()
    if field not in FIELDS:
        return []
    values = _FIXED[field] if field in _FIXED else _values(field, workloads)
    found = [value for value in values if value.casefold().startswith(typed) and value.casefold() != typed]
    return [f"{before}{field}{sign}{_quoted(value)}" for value in found[:_MOST]]


def common_start(candidates: Collection[str]) -> str:
    """Return what all candidates begin with; empty without any."""
    start = min(candidates, key=len, default="")
    while not all(candidate.startswith(start) for candidate in candidates):
        start = start[:-1]
    return start


def _fields(typed: str) -> list[str]:
    """Return the fields and metrics whose name begins like a word, each with the sign that is usual after it."""
    numbers = [*NUMBERS, *(metric.alias for metric in METRICS.values())]
    names = [f"{field}=" for field in FIELDS] + [f"{number}>" for number in numbers]
    return [name for name in names if name.startswith(typed)]


def _values(field: str, workloads: Iterable[Workload]) -> list[str]:
    read = FIELDS[field]
    return sorted({value for workload in workloads if (value := read(workload))}, key=str.casefold)


def _quoted(value: str) -> str:
    return f'"{value}"' if _NEEDS_QUOTES.search(value) and '"' not in value else value
