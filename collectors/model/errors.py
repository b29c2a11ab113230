"""The errors that a source, an action or the details raise when a system cannot be read."""

from __future__ import annotations

from collectors.model.workloads import Availability


class SourceError(Exception):
    """A source cannot be read now. Has the reason and the remedy for the header and `doctor`."""

    availability = Availability.DOWN

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class SourceAbsent(SourceError):
    """This host has no such system; not an error."""

    availability = Availability.ABSENT


class AccessDenied(SourceError):
    """The system is there, but this user may not read it."""

    availability = Availability.DENIED


class SourceDown(SourceError):
    """The system is there but does not answer, or the connection broke."""


class NotInTime(SourceDown):
    """A call ran into its time-out. The system may only be slow, as on an overloaded host."""


class WorkloadGone(SourceError):
    """The engine answers, but knows no workload with this id."""
