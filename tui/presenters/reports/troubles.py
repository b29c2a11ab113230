"""What cannot be read, and why: a sentence for each source. It loads little, as every command needs it."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model.workloads import Availability, SourceState

FINE = frozenset({Availability.OK, Availability.ABSENT})
"""What is no trouble: most hosts lack most engines."""

_OPENINGS = ("", "ssh to ", "vmtop on ", "the vmtop on ", "sudo on ")
"""What stands before a name at the start of a reason."""


def troubles(sources: Iterable[SourceState], includes_absent: bool = False) -> list[str]:
    """Return a sentence for each source that cannot be read; one that is absent is normally not worth a sentence."""
    return [
        _sentence(state) + (f" (fix: {state.remedy})" if state.remedy else "")
        for state in sources
        if state.availability not in FINE or (includes_absent and state.availability is Availability.ABSENT)
    ]


def _sentence(state: SourceState) -> str:
    return f"{state.title}: {state.reason}" if state.host else named(state.name, state.reason)


def named(name: str, reason: str) -> str:
    """Return a sentence about a source or a host: why it cannot be read, after its name unless the reason has it."""
    openings = tuple(f"{opening}{name}{end}" for opening in _OPENINGS for end in (" ", ": ", ", "))
    return reason if reason.startswith(openings) else f"{name}: {reason}"
