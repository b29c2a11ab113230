"""From what a person types to one workload: a name, an id, a unique beginning of either, or `kind:name`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model import Kind, Workload
from collectors.text import inert

_SHORT = {
    "vm": Kind.VM,
    "container": Kind.CONTAINER,
    "ct": Kind.CONTAINER,
    "service": Kind.SERVICE,
    "svc": Kind.SERVICE,
}
_SHOWN = 8


class NoTarget(Exception):
    """A name stands for no workload, or for several; the text says which, and nothing was done."""

    def __init__(self, typed: str, candidates: list[Workload]) -> None:
        self.is_ambiguous = bool(candidates)
        name = inert(typed)
        if not candidates:
            super().__init__(f"{name}: no such workload")
            return
        listed = ", ".join(f"{one.kind}:{one.name} ({one.short_id})" for one in candidates[:_SHOWN])
        more = f" and {len(candidates) - _SHOWN} more" if len(candidates) > _SHOWN else ""
        super().__init__(f"{name} could be {listed}{more}: name one of them")


def find(typed: str, workloads: Iterable[Workload]) -> Workload:
    """Return the workload that is meant. A whole name or id wins over beginnings.

    Raises:
        NoTarget: None is, or several could be.
    """
    kind, separator, rest = typed.partition(":")
    wanted = rest if separator and kind in _SHORT else typed
    among = [one for one in workloads if wanted is typed or one.kind is _SHORT[kind]]
    for candidates in (
        [one for one in among if wanted in (one.name, one.id.id, one.short_id, _unit(one))],
        [one for one in among if wanted and (one.name.startswith(wanted) or one.id.id.startswith(wanted))],
    ):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise NoTarget(typed, candidates)
    raise NoTarget(typed, [])


def _unit(workload: Workload) -> str:
    """Return a service's unit without its ending, as systemctl takes it."""
    return workload.name.removesuffix(".service") if workload.kind is Kind.SERVICE else workload.name
