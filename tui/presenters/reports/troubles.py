"""What cannot be read, and why: a sentence for each source. It loads little, as every command needs it."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model.workloads import Availability, SourceState

FINE = frozenset({Availability.OK, Availability.ABSENT})
"""What is no trouble: most hosts lack most engines."""


def troubles(sources: Iterable[SourceState], includes_absent: bool = False) -> list[str]:
    """Return a sentence for each source that cannot be read; one that is absent is normally not worth a sentence."""
    return [
        f"{_prefix(state)}{state.reason}" + (f" (fix: {state.remedy})" if state.remedy else "")
        for state in sources
        if state.availability not in FINE or (includes_absent and state.availability is Availability.ABSENT)
    ]


def _prefix(state: SourceState) -> str:
    """Return the source's name for the start of a sentence, unless its reason starts with it."""
    return "" if state.reason.startswith(f"{state.name} ") and not state.host else f"{state.title}: "
