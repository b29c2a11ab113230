"""From what a person types to one workload: a whole name, a full id, the first digits of an id, or `kind:name`. Pure.

The beginning of a name stands for no one: `web` must not hit `web-standby` while `web` is being replaced.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from collectors.model.workloads import Kind, Workload
from collectors.safety.sanitize import sanitize

_SHORT = {
    "vm": Kind.VM,
    "container": Kind.CONTAINER,
    "ct": Kind.CONTAINER,
    "service": Kind.SERVICE,
    "svc": Kind.SERVICE,
}
_SHOWN = 8
_SUGGESTED = 3
LEAST_DIGITS = 6
"""Of an id: fewer are too easily the first of another's, or a word."""
_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9a-f][0-9a-f-]*", re.IGNORECASE)
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


class Word(NamedTuple):
    """What was typed, taken apart."""

    wanted: str
    kind: Kind | None
    """`None`: of any kind."""


class NoTarget(Exception):
    """A word stands for no workload, or for several; the text says which, or who may have been meant.

    Args:
        typed: The word.
        candidates: Who it could be; empty when no one is called so.
        suggestions: Who may have been meant, as one would type it.
    """

    def __init__(self, typed: str, candidates: Sequence[Workload], suggestions: Sequence[str] = ()) -> None:
        self.is_ambiguous = bool(candidates)
        self.suggestions = tuple(suggestions)
        name = sanitize(typed)
        if not candidates:
            meant = f"; did you mean {' or '.join(suggestions)}?" if suggestions else ""
            super().__init__(f"{name}: no such workload{meant}")
            return
        listed = ", ".join(f"{one.kind}:{one.name} ({one.short_id})" for one in candidates[:_SHOWN])
        more = f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
        super().__init__(f"{name} could be {listed}{more}: name one of them")


def take_apart(typed: str) -> Word:
    """Part the kind from the rest, where there is one."""
    kind, separator, rest = typed.partition(":")
    return Word(rest, _SHORT[kind]) if separator and kind in _SHORT else Word(typed, None)


def is_full_id(wanted: str) -> bool:
    """Whether a word has the form of a container's full id or a domain's full UUID."""
    return bool(_CONTAINER_ID.fullmatch(wanted) or _UUID.fullmatch(wanted))


def find(typed: str, workloads: Iterable[Workload]) -> Workload:
    """Return the workload that is meant.

    Whole names, full ids and first digits of ids are looked for together: who could be two is no one. A full id wins
    over the first digits of another, never over a whole name.

    Raises:
        NoTarget: None is, or several could be.
    """
    word = take_apart(typed)
    everyone = list(workloads)
    among = [one for one in everyone if word.kind in (None, one.kind) and word.wanted]
    by_name = [one for one in among if word.wanted in _names(one)]
    by_id = [one for one in among if is_id_of(word.wanted, one)]
    by_digits = [] if by_id else [one for one in among if _begins_id(word.wanted, one)]
    candidates = list({one.id: one for one in (*by_name, *by_id, *by_digits)}.values())
    if len(candidates) == 1:
        return candidates[0]
    raise NoTarget(typed, candidates, [] if candidates else list(_suggestions(word, everyone)))


def is_id_of(wanted: str, workload: Workload) -> bool:
    """Whether a word is a workload's full id; a UUID may come without its dashes, and in capitals."""
    identity = workload.id.id
    return wanted == identity or (is_full_id(identity) and _bare(wanted) == _bare(identity) and is_full_id(wanted))


def _begins_id(wanted: str, workload: Workload) -> bool:
    """Whether a word is the first digits of an id that is made of digits; the path of a service is not."""
    if not _DIGITS.fullmatch(wanted) or len(_bare(wanted)) < LEAST_DIGITS or not is_full_id(workload.id.id):
        return False
    identity = workload.id.id.lower()
    return identity.startswith(wanted.lower()) or ("-" not in wanted and _bare(identity).startswith(wanted.lower()))


def _bare(digits: str) -> str:
    return digits.replace("-", "").lower()


def _names(workload: Workload) -> tuple[str, ...]:
    """Return what a workload is called, as its engine takes it.

    A service by its unit, with and without its ending: `a\\x2db.service` is shown as `a-b.service`, which may be
    another.
    """
    if workload.kind is not Kind.SERVICE:
        return (workload.name,)
    unit = workload.id.id.rpartition("/")[2]
    return (unit, unit.removesuffix(".service"))


def _suggestions(word: Word, everyone: Sequence[Workload]) -> Iterator[str]:
    """Yield a few who may have been meant, the likeliest first: `container:web-canary`."""
    if not word.wanted:
        return
    among = [one for one in everyone if word.kind in (None, one.kind)]
    found: dict[str, None] = {}
    for one in (*_likely(word.wanted.lower(), among, everyone),) or _alike(word.wanted.lower(), among):
        found.setdefault(f"{one.kind}:{sanitize(_names(one)[0]) if one.name_is_known else one.short_id}")
        if len(found) == _SUGGESTED:
            break
    yield from found


def _likely(wanted: str, among: Sequence[Workload], everyone: Sequence[Workload]) -> Iterator[Workload]:
    """Yield, with repetitions, who is called so, if of another kind, begins with it, by name or id, or has it in it."""
    yield from (one for one in everyone if wanted in (one.name.lower(), *map(str.lower, _names(one))))
    yield from (one for one in among if one.name.lower().startswith(wanted))
    if _DIGITS.fullmatch(wanted):
        yield from (one for one in among if is_full_id(one.id.id) and one.id.id.lower().startswith(wanted))
    yield from (one for one in among if wanted in one.name.lower())


def _alike(wanted: str, among: Sequence[Workload]) -> Iterator[Workload]:
    by_name = {_names(one)[-1].lower(): one for one in among}
    yield from (by_name[name] for name in difflib.get_close_matches(wanted, by_name, _SUGGESTED, 0.75))
