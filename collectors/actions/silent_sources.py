"""Which sources could know a word that a person typed, and which of them have not answered yet. Pure.

While one of them is silent, a name that was found may be somebody else's too, and one that was not found may be there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collectors.actions.targets import NoTarget, find, is_full_id, is_id_of, take_apart
from collectors.engines.registry import could_know, engine_of_source
from collectors.model.workloads import Availability, Kind, SourceState, Workload
from collectors.safety.redact import redact_text
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec

_SILENT = frozenset({Availability.WAITING, Availability.DOWN, Availability.STALE})
_PREFIXES = (Kind.VM, Kind.CONTAINER, Kind.SERVICE)


class Asked(NamedTuple):
    """A source and how it is doing."""

    spec: SourceSpec
    state: SourceState


def silent(typed: str, workloads: Sequence[Workload], sources: Sequence[Asked]) -> list[Asked]:
    """Return the sources that could know a word and have not answered; none when no answer could matter."""
    if _is_certain(typed, workloads):
        return []
    return [one for one in _could_know(typed, sources) if one.state.availability in _SILENT]


def denied(typed: str, sources: Sequence[Asked]) -> list[Asked]:
    """Return the sources that could know a word, and do not let this user in."""
    return [one for one in _could_know(typed, sources) if one.state.availability is Availability.DENIED]


def silence(typed: str, missing: Sequence[Asked], waited_s: float, environ: Mapping[str, str]) -> str:
    """Say who has not answered, and how to ask without them.

    Args:
        typed: The word.
        missing: At least one source.
        waited_s: Seconds.
        environ: Where addresses come from that were not given.
    """
    who = " and ".join(_place(one.spec, environ) for one in missing)
    has = "has" if len(missing) == 1 else "have"
    why = "".join(f" ({one.state.reason})" for one in missing if _tells_more(one.state))
    said = f"{who} {has} not answered for {waited_s:g} s{why}, and could know that name; nothing was done"
    return f"{sanitize(typed)}: {said} ({_ways_around(typed, missing)})"


def _tells_more(state: SourceState) -> bool:
    """Whether a reason says more than that there is no answer: the worker's own sentence, and before the first one."""
    is_silence = state.reason.startswith(f"{state.name} has not responded")
    return bool(state.reason) and state.availability is not Availability.WAITING and not is_silence


def _ways_around(typed: str, missing: Sequence[Asked]) -> str:
    word = take_apart(typed)
    others = [kind for kind in _PREFIXES if not any(could_know(one.spec, kind) for one in missing)]
    if word.kind is not None or not others:
        return "a full id asks no one else"
    names = " and ".join(f"{kind}:{sanitize(word.wanted)}" for kind in others)
    return f"{names} {'does' if len(others) == 1 else 'do'} not ask there; a full id asks no one else"


def _is_certain(typed: str, workloads: Sequence[Workload]) -> bool:
    """Whether a word is the full id of a workload that its engine has described: it is no one else's."""
    wanted = take_apart(typed).wanted
    if not is_full_id(wanted):
        return False
    try:
        found = find(typed, workloads)
    except NoTarget:
        return False
    return is_id_of(wanted, found) and found.name_is_known


def _could_know(typed: str, sources: Sequence[Asked]) -> list[Asked]:
    kind = take_apart(typed).kind
    return [one for one in sources if could_know(one.spec, kind)]


def _place(spec: SourceSpec, environ: Mapping[str, str]) -> str:
    """Name a source with its address, as far as one was given."""
    option = engine_of_source(spec.name).address
    address = option and (spec.options.get(option.key) or environ.get(option.variable))
    return f"{spec.name} at {redact_text(sanitize(str(address)))}" if address else spec.name
