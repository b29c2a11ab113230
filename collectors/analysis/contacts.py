"""Whether each of several hosts answers. Pure."""

from __future__ import annotations

from typing import NamedTuple

from collectors.model.workloads import LOCAL_HOST, Availability, Frame, SourceState

GONE_AFTER_S = 60.0
"""Seconds without an answer after which a host's workloads are no longer shown each, only that it is gone."""


class Contact(NamedTuple):
    """Whether one host of several answers."""

    name: str
    """As in `WorkloadId.host`; empty for the host that vmtop runs on."""
    connection: SourceState | None
    """The state of the connection to it; `None` where there is none, as on the host that vmtop runs on."""
    silent_s: float | None
    """Seconds since its last answer, while it does not answer; `None` while it does, or if it never did."""

    @property
    def title(self) -> str:
        """Its name, as the screen has it."""
        return self.name or LOCAL_HOST

    @property
    def answers(self) -> bool:
        """Whether its numbers are those of now."""
        return self.connection is None or self.connection.availability is Availability.OK

    @property
    def is_waited_for(self) -> bool:
        """Whether it has been asked for the first time, and may only be slow."""
        return self.connection is not None and self.connection.availability is Availability.WAITING

    @property
    def is_gone(self) -> bool:
        """Whether it has been silent for so long, or from the start, that nothing is known of it now."""
        return not self.answers and (self.silent_s is None or self.silent_s >= GONE_AFTER_S)


def contacts(frame: Frame) -> dict[str, Contact]:
    """Return whether each other host of a frame answers, by name; in the frame of one host alone, whether that does."""
    names = [*frame.hosts] or [frame.host.id.host]
    connections = {state.name: state for state in frame.sources if not state.host}
    return {name: _contact(name, connections.get(name), frame.at_ns) for name in names if name}


def _contact(name: str, connection: SourceState | None, at_ns: int) -> Contact:
    if connection is None or connection.availability is Availability.OK or connection.read_at_ns is None:
        return Contact(name, connection, None)
    return Contact(name, connection, max(0, at_ns - connection.read_at_ns) / 1e9)
