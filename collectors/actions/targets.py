"""Finds the workload that a typed name means: a whole name, a full id, the first digits of one, or `kind:name`. Pure.

Where there are several hosts, `HOST/` before it means that host; `lxc:web` is the workload of that engine.

The beginning of a name matches nothing: `web` must not hit `web-standby` while `web` is being replaced.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from collectors.engines.systemd.engine import is_of_user
from collectors.model.workloads import KINDS_BY_NAME, LOCAL_HOST, Kind, Workload
from collectors.safety.sanitize import sanitize

_SHOWN = 8
_SUGGESTED = 3
LEAST_DIGITS = 6
"""Digits of an id that are needed at least: fewer could begin another id, or be a word."""
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9a-f][0-9a-f-]*", re.IGNORECASE)
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


class Target(NamedTuple):
    """A typed target, split into its parts."""

    text: str
    """Name or id, without the kind."""
    kind: Kind | None
    """`None` for any kind."""


class NoTarget(Exception):
    """A typed name matches no workload, or several. The message lists them, or suggests others.

    Args:
        typed: The name as it was typed.
        candidates: The workloads it could be; empty when it matches none.
        suggestions: Similar names, in the form in which they would be typed.
    """

    def __init__(self, typed: str, candidates: Sequence[Workload], suggestions: Sequence[str] = ()) -> None:
        self.typed = typed
        self.is_ambiguous = bool(candidates)
        self.suggestions = tuple(suggestions)
        name = sanitize(typed)
        if not candidates:
            meant = f"; did you mean {' or '.join(suggestions)}?" if suggestions else ""
            super().__init__(f"{name}: no such workload{meant}")
            return
        are_apart = len({workload.id.host for workload in candidates}) > 1
        listed = ", ".join(_candidate(workload, are_apart) for workload in candidates[:_SHOWN])
        more = f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
        super().__init__(f"{name} could be {listed}{more}: specify one of them")


def _candidate(workload: Workload, has_host: bool) -> str:
    host = f"{workload.id.host or LOCAL_HOST}/" if has_host else ""
    return f"{host}{workload.kind}:{workload.name} ({workload.short_id})"


def _on_host(typed: str, workloads: Sequence[Workload]) -> tuple[str, Sequence[Workload]]:
    """Return a name without the host before it, and the workloads of that host; all if it has none."""
    host, slash, rest = typed.partition("/")
    if not slash or not host or not rest:
        return typed, workloads
    there = [workload for workload in workloads if (workload.id.host or LOCAL_HOST) == host]
    return (rest, there) if there else (typed, workloads)


def take_apart(typed: str) -> Target:
    """Split the kind from the name, if there is one."""
    kind, separator, rest = typed.partition(":")
    return Target(rest, KINDS_BY_NAME[kind]) if separator and kind in KINDS_BY_NAME else Target(typed, None)


def is_full_id(text: str) -> bool:
    """Return whether a text has the form of a container's full id or a domain's full UUID."""
    return bool(_CONTAINER_ID.fullmatch(text) or _UUID.fullmatch(text))


def is_container_id(text: str) -> bool:
    """Return whether a text has the form of a container's full id, which no other container on any host has."""
    return bool(_CONTAINER_ID.fullmatch(text))


def find(typed: str, workloads: Iterable[Workload]) -> Workload:
    """Return the workload that a typed name means.

    Whole names, full ids and first digits of ids are searched together: a name that matches two means neither. A full
    id wins over the first digits of another one, never over a whole name. As for systemctl, the name of a unit means
    the system's before that of a user's own service manager.

    Raises:
        NoTarget: No workload matches, or several do.
    """
    all_workloads = list(workloads)
    candidates = matching(typed, all_workloads)
    if len(candidates) == 1:
        return candidates[0]
    name, there = _on_host(typed, all_workloads)
    raise NoTarget(typed, candidates, [] if candidates else list(_suggestions(take_apart(name), there)))


def is_pattern(typed: str) -> bool:
    """Return whether a typed name has wildcards: `*`, `?` or `[`."""
    return any(sign in typed for sign in "*?[")


def find_all(typed: str, workloads: Iterable[Workload]) -> list[Workload]:
    """Return every workload that a typed name means, or that a pattern with `*`, `?` or `[...]` matches.

    A pattern matches whole names, in the case in which they are written.

    Raises:
        NoTarget: No workload matches.
    """
    name, all_workloads = _on_host(typed, list(workloads))
    target = take_apart(name)
    if is_pattern(name):
        matches = [
            workload
            for workload in all_workloads
            if target.kind in (None, workload.kind)
            and any(name == target.text or fnmatchcase(name, target.text) for name in names_of(workload))
        ]
    else:
        matches = matching(typed, list(workloads))
    if not matches:
        suggestions = [] if is_pattern(name) else list(_suggestions(target, all_workloads))
        raise NoTarget(typed, [], suggestions)
    return matches


def matching(typed: str, all_workloads: Sequence[Workload]) -> list[Workload]:
    """Return the workloads that a typed name, without wildcards, may mean."""
    name, there = _on_host(typed, all_workloads)
    on_host = [] if there is all_workloads else _matching(name, there)
    return list({workload.id: workload for workload in (*_matching(typed, all_workloads), *on_host)}.values())


def _of_engine(typed: str, workloads: Sequence[Workload]) -> tuple[str, Sequence[Workload]]:
    """Return a name without the engine before it, and the workloads of that engine; all if it has none."""
    engine, _, rest = typed.partition(":")
    of_engine = [workload for workload in workloads if rest and workload.id.engine == engine]
    return (rest, of_engine) if of_engine and engine not in KINDS_BY_NAME else (typed, workloads)


def _matching(typed: str, all_workloads: Sequence[Workload]) -> list[Workload]:
    typed, all_workloads = _of_engine(typed, all_workloads)
    target = take_apart(typed)
    of_kind = [workload for workload in all_workloads if target.kind in (None, workload.kind) and target.text]
    named = [workload for workload in of_kind if target.text in names_of(workload)]
    by_name = [workload for workload in named if not is_of_user(workload)] or named
    by_id = [workload for workload in of_kind if is_id_of(target.text, workload)]
    by_digits = [] if by_id else [workload for workload in of_kind if _begins_id(target.text, workload)]
    return list({workload.id: workload for workload in (*by_name, *by_id, *by_digits)}.values())


def names_of(workload: Workload) -> tuple[str, ...]:
    """Return the names of a workload that its engine accepts.

    For a service, the unit with and without `.service`. It is taken from the id, as recordings of older versions show
    `a\\x2db.service` as `a-b.service`, which may be another unit.
    """
    if workload.kind is not Kind.SERVICE:
        return (workload.name,)
    unit = workload.id.id.rpartition("/")[2]
    return tuple(dict.fromkeys((unit, unit.removesuffix(".service"))))


def is_id_of(text: str, workload: Workload) -> bool:
    """Return whether a text is a workload's full id; a UUID may lack its dashes and be in capitals."""
    identity = workload.id.id
    return text == identity or (is_full_id(identity) and _bare(text) == _bare(identity) and is_full_id(text))


def _begins_id(text: str, workload: Workload) -> bool:
    """Return whether a text is the first digits of an id. The id of a service is a path, so never for those."""
    if not _DIGITS.fullmatch(text) or len(_bare(text)) < LEAST_DIGITS or not is_full_id(workload.id.id):
        return False
    identity = workload.id.id.lower()
    return identity.startswith(text.lower()) or ("-" not in text and _bare(identity).startswith(text.lower()))


def _bare(digits: str) -> str:
    return digits.replace("-", "").lower()


def _suggestions(target: Target, workloads: Sequence[Workload]) -> Iterator[str]:
    """Yield up to `_SUGGESTED` names that may have been meant, the likeliest first: `container:web-canary`."""
    if not target.text:
        return
    text = target.text.lower()
    of_kind = [workload for workload in workloads if target.kind in (None, workload.kind)]
    names: dict[str, None] = {}
    for workload in (*_likely(text, of_kind, workloads),) or _similar(text, of_kind):
        name = sanitize(names_of(workload)[0]) if workload.name_is_known else workload.short_id
        names.setdefault(f"{workload.kind}:{name}")
        if len(names) == _SUGGESTED:
            break
    yield from names


def _likely(text: str, of_kind: Sequence[Workload], workloads: Sequence[Workload]) -> Iterator[Workload]:
    """Yield, with repetitions, workloads of any kind with that name, then those that begin with it or contain it."""
    yield from (
        workload for workload in workloads if text in (workload.name.lower(), *map(str.lower, names_of(workload)))
    )
    yield from (workload for workload in of_kind if workload.name.lower().startswith(text))
    if _DIGITS.fullmatch(text):
        ids = ((workload.id.id, workload) for workload in of_kind)
        yield from (
            workload for identity, workload in ids if is_full_id(identity) and identity.lower().startswith(text)
        )
    yield from (workload for workload in of_kind if text in workload.name.lower())


def _similar(text: str, of_kind: Sequence[Workload]) -> Iterator[Workload]:
    by_name = {names_of(workload)[-1].lower(): workload for workload in of_kind}
    yield from (by_name[name] for name in difflib.get_close_matches(text, by_name, _SUGGESTED, 0.75))
