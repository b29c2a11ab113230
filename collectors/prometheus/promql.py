"""The texts of queries for values: raw counters, from range selectors. Pure.

`rate({__name__=~...})` is refused by both engines, since its results would lose their names; and vmtop has formulas of
its own for raw counters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from collectors.exposition.families import FAMILIES, HOST_LABEL, Of
from collectors.model.errors import SourceDown

WORKLOAD_FAMILIES = tuple(family.name for family in FAMILIES if family.of is Of.WORKLOAD)
HOST_FAMILIES = tuple(family.name for family in FAMILIES if family.of in (Of.HOST, Of.SOURCE))
INFO = "vmtop_workload_info"
_META = frozenset("\\.+*?()|[]{}^$")
_LONGEST_MATCH = 2000
_CROSS = 3
"""Series asked for in one query may be this many times those that are shown; more, and each host is asked alone."""


class Member(NamedTuple):
    """A workload as a server knows it."""

    instance: str
    host: str
    """The label `host`; empty for workloads of the host that is scraped."""
    engine: str
    id: str
    """The exposed one, which may be shortened."""


def quoted(text: str) -> str:
    """Return a text as a PromQL string."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'


def literal(text: str) -> str:
    """Return a regular expression that matches a text and no other."""
    return "".join(f"\\{letter}" if letter in _META else letter for letter in text)


def one_of(texts: Iterable[str]) -> str:
    """Return the string of a regular expression that matches these texts; equal collections give equal ones."""
    return quoted("|".join(map(literal, sorted(set(texts)))))


def selector(match: str, *matchers: str, name: str = "") -> str:
    """Return a selector: a metric's name, what everything is limited to, and further matchers."""
    return f"{name}{{{','.join(part for part in (*matchers, match) if part)}}}"


def check_match(match: str) -> str:
    """Return label matchers as they may be put between braces, without braces around them.

    Raises:
        SourceDown: They are not a list of label matchers.
    """
    inner = match.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    inner = inner.rstrip(",").rstrip()
    if inner and (len(inner) > _LONGEST_MATCH or not _is_matchers(inner)):
        raise SourceDown("--match is not a list of label matchers", '--match \'job="vmtop",site=~"fra|ams"\'')
    return inner


def _is_matchers(text: str) -> bool:
    """Return whether a text is label matchers and nothing else: no brace outside of a string may end the selector."""
    rest = text
    while rest:
        name = len(rest) - len(rest.lstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"))
        if not name or rest[0].isdigit():
            return False
        rest = rest[name:].lstrip()
        operator = next((operator for operator in ("=~", "!~", "!=", "=") if rest.startswith(operator)), "")
        rest = rest[len(operator) :].lstrip()
        end = _end_of_string(rest)
        if not operator or end is None:
            return False
        rest = rest[end:].lstrip()
        if rest:
            if rest[0] != ",":
                return False
            rest = rest[1:].lstrip()
            if not rest:
                return False
    return True


def _end_of_string(text: str) -> int | None:
    """Return the index after a quoted string at the start of a text; `None` if there is none."""
    if text[:1] not in ('"', "'"):
        return None
    index = 1
    while index < len(text):
        if text[index] == "\\":
            index += 2
        elif text[index] == text[0]:
            return index + 1
        elif text[index] == "\n":
            return None
        else:
            index += 1
    return None


def duration(seconds: float) -> str:
    """Return seconds as a duration of PromQL, at least a second."""
    return f"{max(1, round(seconds))}s"


def all_workloads(match: str) -> str:
    """Return the query for every workload, running or not."""
    return selector(match, name=INFO)


def count_by_host(match: str) -> str:
    """Return the query for the number of workloads of each host."""
    return f"count by (instance, {HOST_LABEL}) ({selector(match, name=INFO)})"


def hosts(match: str) -> str:
    """Return the selector, without a span, of everything about the hosts themselves."""
    return selector(match, f"__name__=~{one_of(HOST_FAMILIES)}")


def values_of(members: Collection[Member], match: str, names: Sequence[str] = WORKLOAD_FAMILIES) -> list[str]:
    """Return the selectors, without a span, of the values of workloads.

    There are as few as possible: hosts whose workloads have the same ids, as services do, would multiply in one.
    """
    wanted: dict[tuple[str, str], set[str]] = {}
    for member in members:
        wanted.setdefault((member.instance, member.host), set()).add(member.id)
    shared = _ids_on_several(wanted)
    alone = {host: ids - shared for host, ids in wanted.items()}
    together = {host: ids & shared for host, ids in wanted.items()}
    groups = [list(alone.items())] if any(alone.values()) else []
    groups += _grouped(together)
    metric = f"__name__=~{one_of(names)}"
    return [
        selector(
            match,
            metric,
            f"instance=~{one_of(host[0] for host, ids in group if ids)}",
            f"id=~{one_of(identity for _, ids in group for identity in ids)}",
        )
        for group in groups
    ]


def _ids_on_several(wanted: dict[tuple[str, str], set[str]]) -> set[str]:
    seen: set[str] = set()
    shared: set[str] = set()
    for ids in wanted.values():
        shared |= ids & seen
        seen |= ids
    return shared


def _grouped(wanted: dict[tuple[str, str], set[str]]) -> list[list[tuple[tuple[str, str], set[str]]]]:
    """Return hosts with what is wanted of them, in groups that are each asked at once."""
    items = [(host, ids) for host, ids in wanted.items() if ids]
    if not items:
        return []
    together = len(items) * len(set().union(*(ids for _, ids in items)))
    if together <= _CROSS * sum(len(ids) for _, ids in items):
        return [items]
    return [[item] for item in items]
