"""Which sources could know a name that the user typed, and which of them have not answered yet. Pure.

While one of them is silent, a name that was found may be ambiguous, and one that was not found may exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collectors.actions.targets import NoTarget, find, is_container_id, is_full_id, is_id_of, take_apart
from collectors.engines.registry import could_know, engine_of_source, owner
from collectors.model.workloads import LOCAL_HOST, Availability, Kind, SourceState, Workload
from collectors.safety.redact import redact_text
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import REMOTE, SourceSpec

_SILENT = frozenset({Availability.WAITING, Availability.DOWN})
"""A source that is stale has answered: a command has no answers from before it began."""
_PREFIXES = (Kind.VM, Kind.CONTAINER, Kind.SERVICE)


class Asked(NamedTuple):
    """A source and its state."""

    spec: SourceSpec
    state: SourceState


def silent(typed: str, workloads: Sequence[Workload], sources: Sequence[Asked]) -> list[Asked]:
    """Return the sources that could know a name and have not answered; empty when their answer cannot matter."""
    if _is_certain(typed, workloads, is_on_one_host=len(set(map(host_of, sources))) < 2):
        return []
    return [source for source in _could_know(typed, sources) if source.state.availability in _SILENT]


def denied(typed: str, sources: Sequence[Asked]) -> list[Asked]:
    """Return the sources that could know a name but deny this user access."""
    return [source for source in _could_know(typed, sources) if source.state.availability is Availability.DENIED]


def is_late(source: Asked) -> bool:
    """Return whether a source has not answered yet, and may only be slow."""
    return source.state.availability is Availability.WAITING


def host_of(source: Asked) -> str:
    """Return the other host that a source reads; empty for the host that vmtop runs on."""
    return source.spec.label if source.spec.name == REMOTE else source.state.host


def silence(
    typed: str, missing: Sequence[Asked], waited_s: float, environ: Mapping[str, str], is_action: bool = True
) -> str:
    """Return the error message that names the silent sources and how to do without them.

    Args:
        typed: The name.
        missing: The silent sources, at least one.
        waited_s: Seconds waited for them.
        environ: Environment variables, for addresses that were not given as options.
        is_action: Whether the message adds that nothing was done.
    """
    names = " and ".join(_name_with_address(source, environ) for source in missing)
    has = "has" if len(missing) == 1 else "have"
    why = "".join(f" ({source.state.reason})" for source in missing if not is_late(source))
    done = "; nothing was done" if is_action else ""
    sentence = f"{names} {has} not answered for {waited_s:.0f} s{why} and could know that name{done}"
    return f"{sanitize(typed)}: {sentence} ({_ways_around(typed, missing)})"


def _ways_around(typed: str, missing: Sequence[Asked]) -> str:
    target = take_apart(typed)
    kinds = [kind for kind in _PREFIXES if not any(could_know(source.spec, kind) for source in missing)]
    names = [] if target.kind is not None else [f"{kind}:{sanitize(target.text)}" for kind in kinds]
    way_around = f"{', '.join(names)} or a full id" if names else "a full id"
    return f"use {way_around} to skip {'it' if len(missing) == 1 else 'them'}"


def _is_certain(typed: str, workloads: Sequence[Workload], is_on_one_host: bool) -> bool:
    """Return whether the name is the full id of a workload that its engine has described: it can mean no other.

    One that nothing can be done to may only not be listed yet. A copy of a machine on another host has the same UUID.
    """
    text = take_apart(typed).text
    if not (is_full_id(text) if is_on_one_host else is_container_id(text)):
        return False
    try:
        workload = find(typed, workloads)
    except NoTarget:
        return False
    return is_id_of(text, workload) and workload.name_is_known and owner(workload).unreachable(workload) is None


def _could_know(typed: str, sources: Sequence[Asked]) -> list[Asked]:
    host, _, rest = typed.partition("/")
    if rest and (there := [source for source in sources if (host_of(source) or LOCAL_HOST) == host]):
        typed, sources = rest, there
    kind = take_apart(typed).kind
    return [source for source in sources if could_know(source.spec, kind)]


def _name_with_address(source: Asked, environ: Mapping[str, str]) -> str:
    """Return a source's name, with its address if one was given, or with its host if that is another one."""
    spec = source.spec
    if host := host_of(source):
        return host if spec.name == REMOTE else f"{sanitize(spec.label)} on {host}"
    option = engine_of_source(spec.name).address
    address = option and (spec.options.get(option.key) or environ.get(option.variable))
    return f"{spec.name} at {redact_text(sanitize(str(address)))}" if address else spec.name
