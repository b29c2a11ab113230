"""A filter as a query: what is searched for is found on every host, not only among those that use most. Pure.

What a server cannot tell, such as a metric's value or what is not, is left out: the screen's own filter does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from collectors.model.workloads import KINDS_BY_NAME
from collectors.prometheus.promql import INFO, literal, quoted, selector

_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_TERM = re.compile(r"([a-z]+)(!=|>=|<=|=|~|>|<)(.*)", re.DOTALL | re.IGNORECASE)
_SEARCHED = ("name", "project", "image", "id", "full_id")
"""The labels in which a word without a field is looked for."""
_FIELDS = frozenset({"name", "engine", "state", "image", "project", "health", "id"})
_LONGEST = 300
HostKeyOf = Callable[[str], tuple[str, str] | None]
"""Returns `instance` and the label `host` of a host's name."""


def wanted(text: str, match: str, key_of: HostKeyOf) -> str:
    """Return the query for the workloads that a filter is about; empty where nothing of it can be asked.

    Args:
        text: The filter.
        match: Label matchers that everything is limited to.
        key_of: Returns what a server knows a host by.
    """
    words = _WORD.findall(text)
    if len(text) > _LONGEST or "or" in words:
        return ""
    terms = [term for word in words if (term := _term(word, match, key_of))]
    return " and ".join(terms)


def _term(word: str, match: str, key_of: HostKeyOf) -> str:
    if word.startswith("!"):
        return ""
    found = _TERM.fullmatch(word)
    if found is None:
        part = literal(_unquoted(word))
        return "(" + " or ".join(_of_label(label, f".*{part}.*", match) for label in _SEARCHED) + ")" if part else ""
    field, sign, value = found[1].lower(), found[2], _unquoted(found[3])
    if field == "host":
        return _of_host(sign, value, match, key_of)
    if field == "kind" and sign == "=":
        kind = KINDS_BY_NAME.get(value.casefold())
        return "" if kind is None else selector(match, f"kind={quoted(kind)}", name=INFO)
    if field not in _FIELDS or sign not in ("=", "~"):
        return ""
    pattern = literal(value) if sign == "=" else f".*(?:{value}).*"
    if field == "id":
        return f"({_of_label('id', pattern, match)} or {_of_label('full_id', pattern, match)})"
    return _of_label(field, pattern, match)


def _of_host(sign: str, value: str, match: str, key_of: HostKeyOf) -> str:
    key = key_of(value)
    if sign != "=" or key is None:
        return ""
    return selector(match, f"instance={quoted(key[0])}", f"host={quoted(key[1])}", name=INFO)


def _of_label(label: str, pattern: str, match: str) -> str:
    return selector(match, f"{label}=~{quoted(f'(?i){pattern}')}", name=INFO)


def _unquoted(word: str) -> str:
    return _QUOTED.sub(lambda found: found[1] if found[1] is not None else found[2], word)
