"""What a source, an action or a closer look raises when a system cannot be read."""

from __future__ import annotations

from collectors.model.workloads import Availability


class SourceError(Exception):
    """A source cannot be read now. Carries what the header and `doctor` say about it."""

    availability = Availability.DOWN

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class SourceAbsent(SourceError):
    """This host has no such system, which is not a fault."""

    availability = Availability.ABSENT


class AccessDenied(SourceError):
    """The system is there, but this user may not read it."""

    availability = Availability.DENIED


class SourceDown(SourceError):
    """The system is there but does not answer, or the connection broke."""


class WorkloadGone(SourceError):
    """The engine answers, and knows no workload of this identity."""
