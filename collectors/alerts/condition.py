"""When an alert begins, as users write it: a filter with a time, an event, the state of a source, a full disk. Pure.

cpu > 90% of limit for 2m            a filter that has to hold for a time
kind=host mem > 95% of limit         the host, which other filters leave out
event=oom                            something happened, here or in the last 5 minutes
event=die|restarted 3 times in 10m   it happened so often
event=die kind=ct name~web           ... to a workload that passes a filter
source=stale|down docker for 30s     a source, of that name, is in one of these states
engine disk > 90% for 1m             the file system on which an engine keeps its images and disks is that full
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from collectors.model.workloads import Availability, Kind
from collectors.query.filter import Query, QueryError, parse
from collectors.query.time_parser import TimeError, parse_span
from collectors.query.words import UnclosedQuote, stray_word, words

EVENT_SPAN_S = 300.0
"""Seconds for which an event is an alert where its rule names no other time."""
RESTARTED = "restarted"
"""What vmtop notices by itself: an engine started a workload again, which a user's own restart is not."""
_MOST_S = 86400.0
_EVENT = re.compile(r"event=([\w-]+(?:\|[\w-]+)*)", re.ASCII)
_SOURCE = re.compile(r"source=([a-z]+(?:\|[a-z]+)*)")
_DISK = re.compile(r"disk>=?([0-9]+(?:\.[0-9]+)?)%?")
_FAULTS = {str(state): state for state in (Availability.STALE, Availability.DOWN, Availability.DENIED)}


@dataclass(frozen=True, slots=True)
class Holding:
    """A filter that has to hold for a time."""

    query: Query
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that has to happen so often within a time."""

    whats: frozenset[str]
    """Values of `Event.what`, and `RESTARTED`."""
    query: Query
    """Which workloads are meant."""
    times: int = 1
    within_s: float = EVENT_SPAN_S


@dataclass(frozen=True, slots=True)
class SourceIs:
    """A state of a source that has to last for a time."""

    states: frozenset[Availability]
    name: str = ""
    """The source; empty for all."""
    for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class EngineDisk:
    """The file system of an engine that has to be full for a time."""

    percent: float
    for_s: float = 0.0


Condition = Holding | Happening | SourceIs | EngineDisk


def parse_condition(text: str) -> Condition:
    """Parse a condition.

    Raises:
        QueryError: It is invalid; the message is a sentence for the user.
    """
    try:
        found = words(text)
    except UnclosedQuote:
        return Holding(parse(text))  # raises the sentence about the quote
    found, for_s = _without_span(found, "for")
    if not found:
        raise QueryError("a condition is empty; write one such as 'cpu > 90% of limit for 2m'")
    if match := _EVENT.fullmatch(found[0]):
        if for_s is not None:
            raise QueryError("an event lasts no time; write '3 times in 10m' instead of 'for'")
        return _happening(frozenset(match[1].split("|")), found[1:])
    if match := _SOURCE.fullmatch(found[0]):
        return _source_is(match[1].split("|"), found[1:], for_s or 0.0)
    if found[0] == "engine" and len(found) == 2 and (match := _DISK.fullmatch(found[1])):
        return EngineDisk(float(match[1]), for_s or 0.0)
    return Holding(_filter(found), for_s or 0.0)


def is_of_hosts(query: Query) -> bool:
    """Return whether a filter is about hosts: it says so, as 'cpu > 90' is not meant for one."""
    return sorted(query.kinds or ()) == [Kind.HOST.value]


def _filter(found: list[str]) -> Query:
    if stray := stray_word(found, "a condition ends with 'for 2m', an event with '3 times in 10m'"):
        raise QueryError(stray)
    return parse(" ".join(found))


def _without_span(found: list[str], word: str) -> tuple[list[str], float | None]:
    """Take a word and the time after it from the end."""
    if len(found) < 2 or found[-2] != word:
        return found, None
    return found[:-2], _span(found[-1])


def _span(text: str) -> float:
    try:
        seconds = parse_span(text)
    except TimeError as error:
        raise QueryError(str(error)) from None
    if seconds > _MOST_S:
        raise QueryError(f"{text!r} is longer than a day, which is the most that a rule looks back")
    return seconds


def _happening(whats: frozenset[str], rest: list[str]) -> Happening:
    rest, within_s = _without_span(rest, "in")
    times = 1
    if len(rest) >= 2 and rest[-1] == "times":
        times = _count(rest[-2])
        rest = rest[:-2]
    return Happening(whats, _filter(rest), times, within_s or EVENT_SPAN_S)


def _count(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,2}", text):
        raise QueryError(f"{text!r} times: that has to be a number from 1 to 999")
    return int(text)


def _source_is(states: list[str], rest: list[str], for_s: float) -> SourceIs:
    unknown = next((state for state in states if state not in _FAULTS), None)
    if unknown is not None or len(rest) > 1:
        _refuse_source(unknown, rest)
    return SourceIs(frozenset(_FAULTS[state] for state in states), rest[0] if rest else "", for_s)


def _refuse_source(unknown: str | None, rest: list[str]) -> NoReturn:
    if unknown is not None:
        raise QueryError(f"a source is not {unknown!r}; it is one of {', '.join(_FAULTS)}")
    raise QueryError(f"one name of a source may follow, not {' '.join(rest)!r}")
