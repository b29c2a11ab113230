"""The filter language of the screen and the command line. Pure.

shop                      name, project, image or id contains it (case is ignored)
kind=vm  state!=running   a field is or is not a value; also host, engine, name, image, project, health, id, label.KEY
kind=ct  kind=svc         container and service have short names, too
ports~443  restarts>3     ports and addresses are text; restarts and exit codes are numbers
name~^web-[0-9]+$         a field matches a regular expression
cpu>50  mem>=1.5G         a metric, by alias or key, with a size, a share or a time; spaces may stand around the sign
cpu>90% of limit          a metric as a share of its limit
!term                     not; terms next to each other: all of them; `or`: either side
"two words"               quotes keep spaces and signs
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from collectors.analysis.columns import Columns
from collectors.analysis.rates import Reading
from collectors.model.metrics import ALIASES, METRICS, Metric, Unit
from collectors.model.workloads import KINDS_BY_NAME, State, Workload
from collectors.query.regex import Pattern, PatternError
from collectors.query.sieve import Sieve, of_number, of_text
from collectors.query.words import OF_LIMIT, QUOTED, UnclosedQuote, unquoted, words
from collectors.safety.sanitize import sanitize


class Term(NamedTuple):
    """A condition of one workload."""

    judge: Callable[[Reading], bool | None]
    """Returns whether it holds, before the negation; `None` where what it asks for is not known."""
    is_negated: bool = False
    metrics: tuple[str, ...] = ()
    """Keys of the metrics that it asks for."""
    fact: str = ""
    """The field or number that it asks for, in lower case; empty for a metric, a label or any text."""
    is_share: bool = False
    """Whether it compares the metric as a share of its limit."""
    is_unknown: Callable[[Workload], bool] | None = None
    """Returns whether the text that it asks for is not known; `None`: it always is."""
    sieve: Sieve | None = None
    """Leaves out of many workloads those for which it does not hold, before the negation; `None`: they are asked."""

    def holds(self, reading: Reading) -> bool:
        """Return whether it holds; one that asks for something unknown does not, and its negation does."""
        return (self.judge(reading) is True) is not self.is_negated

    def verdict(self, reading: Reading) -> bool | None:
        """Return whether it holds; `None` where that is not known."""
        if self.is_unknown is not None and self.is_unknown(reading.workload):
            return None
        judged = self.judge(reading)
        return None if judged is None else judged is not self.is_negated


FIELDS: dict[str, Callable[[Workload], str]] = {
    "kind": lambda workload: workload.kind,
    "host": lambda workload: workload.host_name,
    "engine": lambda workload: workload.id.engine,
    "state": lambda workload: workload.state,
    "name": lambda workload: workload.name,
    "image": lambda workload: workload.image or "",
    "project": lambda workload: workload.project or "",
    "health": lambda workload: workload.health or "",
    "id": lambda workload: workload.id.id,
    "reason": lambda workload: workload.state_reason or "",
    "ports": lambda workload: workload.ports or "",
    "ip": lambda workload: ", ".join(workload.addresses),
}
"""The text fields that a filter can ask for, by name."""

NUMBERS: dict[str, Callable[[Workload], int | None]] = {
    "restarts": lambda workload: workload.restarts,
    "exit": lambda workload: workload.exit_code,
}
"""The facts that are numbers, by name."""

_UNKNOWN: dict[str, Callable[[Workload], bool]] = {
    "state": lambda workload: workload.state is State.UNKNOWN,
    "name": lambda workload: not workload.name_is_known,
    "health": lambda workload: not workload.health,
}
"""The fields that may not be known, and what tells that."""

_CLOSED = {"kind": tuple(KINDS_BY_NAME), "state": tuple(State)}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}
_FIELD = re.compile(r"([A-Za-z_][\w./-]*)(!=|>=|<=|=|~|>|<)(.*)", re.DOTALL)
_KIND = re.compile(r"kind=(\w+)", re.IGNORECASE)
_SIGNS = re.compile(r"[=<>~]")
_NUMBER = re.compile(r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)) ?([a-z%/]*)", re.IGNORECASE)
_SIZES = {"": 1.0, "b": 1.0} | {
    letter + tail: 1024.0 ** (power + 1) for power, letter in enumerate("kmgtpe") for tail in ("", "b", "ib")
}
_THOUSANDS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_SUFFIXES: dict[Unit, dict[str, float]] = {
    Unit.PERCENT: _THOUSANDS | {"%": 1.0},
    Unit.BYTES: _SIZES,
    Unit.BYTES_PER_SECOND: _SIZES | {f"{suffix}/s": scale for suffix, scale in _SIZES.items()},
    Unit.SECONDS: {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0},
    Unit.MILLISECONDS: {"": 1.0, "ms": 1.0, "s": 1000.0},
}


_LONGEST_MESSAGE = 1000


class QueryError(ValueError):
    """An invalid filter; the message is one sentence for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(sanitize(message, _LONGEST_MESSAGE))


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter."""

    text: str
    alternatives: tuple[tuple[Term, ...], ...] = ()
    """Groups of terms: a workload passes if all terms of at least one group hold. Empty lets every workload pass."""
    asks_text: bool = False
    """Whether a term asks for a text, such as a name, that only the engine may know. A kind is none of them."""
    kinds: frozenset[str] | None = None
    """The kinds that can pass; `None` if a group has no `kind=`."""
    facts: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The fields and numbers that it asks for, each once, in its order."""
    metrics: tuple[str, ...] = field(init=False, repr=False, compare=False)
    """The keys of the metrics that it asks for, each once, in its order."""
    shares: frozenset[str] = field(init=False, repr=False, compare=False)
    """The keys of the metrics that it compares as shares of their limits."""

    def __post_init__(self) -> None:
        terms = [term for terms in self.alternatives for term in terms]
        put = object.__setattr__  # once: alerts ask again for each workload
        put(self, "facts", tuple(dict.fromkeys(term.fact for term in terms if term.fact)))
        put(self, "metrics", tuple(dict.fromkeys(key for term in terms for key in term.metrics)))
        put(self, "shares", frozenset(key for term in terms if term.is_share for key in term.metrics))

    def matches(self, reading: Reading) -> bool:
        """Return whether a workload passes. Never raises."""
        return not self.alternatives or any(all(term.holds(reading) for term in terms) for terms in self.alternatives)

    def verdict(self, reading: Reading) -> bool | None:
        """Return whether a workload passes; `None` where that depends on what is not known of it. Never raises.

        What is not known decides nothing: `cpu>50 or state=paused` holds for a paused workload without CPU time, and
        `cpu>50 state=paused` does not hold for one that runs (Kleene's logic).
        """
        is_known = True
        for terms in self.alternatives:
            verdict = _conjunction(terms, reading)
            if verdict:
                return True
            is_known = is_known and verdict is not None
        return (not self.alternatives) if is_known else None

    def passing(self, columns: Columns) -> list[int]:
        """Return the indices of the readings in columns whose verdict is that they pass, in their order. Never raises.

        They are those of `verdict`, which is only asked about what the sieves of the terms have left.
        """
        readings, found = columns.readings, set[int]()
        for terms in self.alternatives or ((),):
            places: Sequence[int] = range(len(readings))
            for term in terms:
                if term.sieve is not None and not term.is_negated:
                    places = term.sieve(columns, places)
            found.update(place for place in places if _conjunction(terms, readings[place]))
        return sorted(found)


def _conjunction(terms: tuple[Term, ...], reading: Reading) -> bool | None:
    is_known = True
    for term in terms:
        verdict = term.verdict(reading)
        if verdict is False:
            return False
        is_known = is_known and verdict is not None
    return True if is_known else None


def parse(text: str) -> Query:
    """Parse a filter.

    Raises:
        QueryError: The filter is invalid.
    """
    groups: list[list[str]] = [[]]
    try:
        found = words(text)
    except UnclosedQuote as error:
        raise QueryError(f"the quote in {quoted(str(error))} is not closed") from None
    for word in found:
        if word == "or":
            if not groups[-1]:
                raise QueryError("there is nothing before 'or'")
            groups.append([])
        else:
            groups[-1].append(word)
    if not found:
        return Query(text)
    if not groups[-1]:
        raise QueryError("there is nothing after 'or'")
    alternatives = tuple(tuple(map(_term, group)) for group in groups)
    return Query(text, alternatives, any(_asks_text(word) for group in groups for word in group), _kinds(groups))


def _asks_text(word: str) -> bool:
    match = _FIELD.fullmatch(word.lstrip("!"))
    name = match[1].lower() if match else "name"
    return name.startswith("label.") or name in NUMBERS or (name in FIELDS and name != "kind")


def _kinds(groups: list[list[str]]) -> frozenset[str] | None:
    """Return the kinds that can pass; `None` if a group of words has no `kind=`."""
    asked = [{_kind(match[1].casefold()) for word in group if (match := _KIND.fullmatch(word))} for group in groups]
    return frozenset().union(*asked) if all(asked) else None


def _kind(name: str) -> str:
    """Return the kind of a name in lower case; an unknown name as it is."""
    return KINDS_BY_NAME.get(name, name)


def _term(word: str) -> Term:
    if word.startswith("!"):
        if len(word) == 1:
            raise QueryError("there is nothing after '!'")
        inner = _term(word[1:])
        return inner._replace(is_negated=not inner.is_negated)
    if match := _FIELD.fullmatch(word):
        return _comparison(match[1], match[2], unquoted(match[3]))
    if _SIGNS.search(QUOTED.sub("", word)):
        raise QueryError(f"{quoted(word)} has no field before its sign; put it in quotes to search for it")
    return Term(_contains(unquoted(word).casefold()))


def quoted(word: str) -> str:
    """Return a word as a message has it: in quotes, cut if it is long."""
    return repr(word if len(word) <= 40 else word[:39] + "…")


def _contains(part: str) -> Callable[[Reading], bool]:
    def contains(reading: Reading) -> bool:
        workload = reading.workload
        return any(part in text.casefold() for text in (workload.name, workload.project, workload.image) if text) or (
            part in workload.id.id.casefold()
        )

    return contains


def _comparison(name: str, sign: str, value: str) -> Term:
    if name.startswith("label.") and len(name) > 6:
        key = name[6:]
        return _text_term(name, sign, value, lambda workload: dict(workload.labels).get(key, ""))
    lowered = name.lower()
    if lowered in FIELDS:
        return _text_term(lowered, sign, value, FIELDS[lowered])._replace(
            fact=lowered, is_unknown=_UNKNOWN.get(lowered)
        )
    if lowered in NUMBERS:
        read = NUMBERS[lowered]
        return Term(_number_test(name, Unit.COUNT, sign, value, lambda reading: read(reading.workload)), fact=lowered)
    metric = find_metric(lowered)
    if metric is not None:
        return _metric_term(name, metric, sign, value)
    raise QueryError(f"there is no field or metric {quoted(name)}{nearest(lowered)}")


def nearest(name: str) -> str:
    """Return words that ask for the name that is most like an unknown one; empty if none is."""
    matches = get_close_matches(name, [*FIELDS, *NUMBERS, *ALIASES, *METRICS, "label.KEY"], 1, 0.5)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def find_metric(name: str) -> Metric | None:
    """Return a metric by its alias or key; `None` if there is none."""
    return METRICS.get(ALIASES.get(name, name))


def _metric_term(name: str, metric: Metric, sign: str, value: str) -> Term:
    """Return a comparison of a metric with a number, or with a share of its limit."""
    if not value.endswith(OF_LIMIT):
        test = _number_test(name, metric.unit, sign, value, lambda reading: reading.value(metric.key))
        sieve = of_number(metric, _COMPARISONS[sign], parse_number(name, metric.unit, value), is_share=False)
        return Term(test, metrics=(metric.key,), sieve=sieve)
    if metric.limit is None:
        raise QueryError(f"{name!r} has no limit that it could be a share of")
    share = value.removesuffix(OF_LIMIT)
    test = _number_test(name, Unit.PERCENT, sign, share, lambda reading: share_of_limit(metric, reading))
    sieve = of_number(metric, _COMPARISONS[sign], parse_number(name, Unit.PERCENT, share), is_share=True)
    return Term(test, metrics=(metric.key,), is_share=True, sieve=sieve)


def share_of_limit(metric: Metric, reading: Reading) -> float | None:
    """Return a metric in percent of its limit; `None` where either is not known."""
    measured, limit = reading.value(metric.key), metric.limit(reading) if metric.limit else None
    return None if measured is None or not limit else measured / limit * 100


def _text_term(name: str, sign: str, value: str, read: Callable[[Workload], str]) -> Term:
    passes = _text_test(name, sign, value)
    if name == "id" and sign != "~":
        lowered = value.casefold()
        return Term(lambda reading: (lowered in _ids(reading.workload)) is (sign == "="))
    return Term(lambda reading: passes(read(reading.workload)), sieve=of_text(read, passes))


def _ids(workload: Workload) -> tuple[str, str]:
    return workload.id.id.casefold(), workload.short_id.casefold()


def _text_test(name: str, sign: str, value: str) -> Callable[[str], bool]:
    if sign == "~":
        try:
            pattern = Pattern(value)
        except PatternError as error:
            raise QueryError(f"the pattern {quoted(value)} cannot be used: {error}") from None
        return pattern.search
    if sign not in ("=", "!="):
        raise QueryError(f"{name!r} is text: use =, != or ~ with it")
    lowered = value.casefold()
    if name in _CLOSED and lowered not in _CLOSED[name]:
        raise QueryError(f"there is no {name} {quoted(value)}; it is one of {', '.join(_CLOSED[name])}")
    if name == "kind":
        lowered = _kind(lowered)
    return lambda text: (text.casefold() == lowered) is (sign == "=")


def _number_test(
    name: str, unit: Unit, sign: str, value: str, read: Callable[[Reading], float | None]
) -> Callable[[Reading], bool | None]:
    if sign == "~":
        raise QueryError(f"{name!r} is a number: use >, <, >=, <=, = or != with it")
    compare, limit = _COMPARISONS[sign], parse_number(name, unit, value)

    def compares(reading: Reading) -> bool | None:
        measured = read(reading)
        return None if measured is None or math.isnan(measured) else compare(measured, limit)

    return compares


def parse_number(name: str, unit: Unit, text: str) -> float:
    """Return a number as it is written with a metric of a unit, such as `1.5G`, `50%` or `2h`, in that unit.

    Raises:
        QueryError: It is none; the message names what was to be compared.
    """
    match = _NUMBER.fullmatch(text)
    scale = None if match is None else _SUFFIXES.get(unit, _THOUSANDS).get(match[2].lower())
    if match is None or scale is None or not math.isfinite(number := float(match[1]) * scale):
        example = {Unit.PERCENT: "50%", Unit.SECONDS: "2h", Unit.MILLISECONDS: "20ms"}.get(unit, "10")
        example = "1.5G" if unit in (Unit.BYTES, Unit.BYTES_PER_SECOND) else example
        raise QueryError(f"{name!r} is compared with a number such as {example}, not with {quoted(text)}")
    return number
