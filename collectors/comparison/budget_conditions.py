"""Conditions that fail a build, as they are typed: `mem > +10%`, `mem.p95 > +50M`, `cpu > 80%`. Pure."""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import Enum
from typing import NamedTuple

from collectors.model.metrics import ALIASES, METRICS, Metric, Unit
from collectors.query.filter import QueryError, find_metric, parse_number
from collectors.safety.sanitize import sanitize

STATS = ("mean", "p95", "max")
"""The statistics that a condition can be about, the default first."""
_CONDITION = re.compile(r"([A-Za-z_][\w/-]*)(?:\.([A-Za-z]\w*))?\s*>\s*(\+?)\s*(\S.*)")
_SHARE = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_LARGEST_SHARE = 1e6
"""Percent."""
_SHOWN = 100
EXAMPLES = "'mem > +10%', 'mem.p95 > +50M' or 'cpu > 80%'"


class Allowance(Enum):
    """What a condition's number is."""

    SHARE = "share"
    """The second recording may exceed the first one by so many percent of it."""
    DIFFERENCE = "difference"
    """It may exceed it by so much, in the metric's unit."""
    BOUND = "bound"
    """It may be so much, whatever the first one is, in the metric's unit."""


class ConditionError(ValueError):
    """A text is no condition; the message is one sentence for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(sanitize(message, 1000))


class Condition(NamedTuple):
    """One condition under which a build fails."""

    text: str
    """As it was typed, with single spaces."""
    metric: Metric
    stat: str
    """One of `STATS`."""
    allowance: Allowance
    amount: float
    """In percent for a share, otherwise in the metric's unit; not negative."""


def parse_condition(text: str) -> Condition:
    """Return a condition.

    Raises:
        ConditionError: It is none, or no recording could ever be judged by it.
    """
    typed = " ".join(text.split())
    match = _CONDITION.fullmatch(typed)
    if match is None:
        raise ConditionError(f"{typed[:_SHOWN]!r} is not a condition: write something like {EXAMPLES}")
    name, stat, plus, number = match[1].lower(), match[2], match[3], match[4]
    metric, stat = _metric(name), (stat or STATS[0]).lower()
    if stat not in STATS:
        raise ConditionError(f"{stat!r} is not a statistic of {name!r}: there are {', '.join(STATS)}")
    if plus and number.endswith("%"):
        return Condition(typed, metric, stat, Allowance.SHARE, _share(typed, number[:-1].strip()))
    if number.endswith("%") and metric.unit is not Unit.PERCENT:
        raise ConditionError(f"{name!r} is not a percentage: for a share of the first recording write '+{number}'")
    if number[0] in "+-":
        raise ConditionError(f"{number!r} in {typed!r}: an allowance is +NUMBER, and a bound a number without a sign")
    try:
        amount = parse_number(name, metric.unit, number)
    except QueryError as error:
        raise ConditionError(str(error)) from error
    return Condition(typed, metric, stat, Allowance.DIFFERENCE if plus else Allowance.BOUND, amount)


def _metric(name: str) -> Metric:
    metric = find_metric(name)
    if metric is None:
        matches = get_close_matches(name, [*ALIASES, *METRICS], 1, 0.5)
        raise ConditionError(
            f"there is no metric {name[:_SHOWN]!r}" + (f"; did you mean {matches[0]!r}?" if matches else "")
        )
    if metric.is_total:
        raise ConditionError(f"{name!r} only ever grows, so that its size says when a recording began and nothing else")
    return metric


def _share(typed: str, number: str) -> float:
    if not _SHARE.fullmatch(number) or float(number) > _LARGEST_SHARE:
        raise ConditionError(f"{typed!r}: an allowance in percent is a number such as +10%")
    return float(number)
