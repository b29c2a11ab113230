"""The findings of a session that is read from its first frame to its last. Bounded."""

from __future__ import annotations

from collections import defaultdict

from msgspec.structs import replace

from collectors.analysis.rates import Moment
from collectors.comparison.findings import KEYS, READINGS, Finding, findings
from collectors.comparison.window_statistics import MOST_TICKS, Past, Window
from collectors.model.workloads import Kind


class SessionFindings:
    """Keeps what the rules need of every workload, and judges them as they last were.

    A session has no facts that only a live host tells, such as namespaces: rules that need those find nothing in it.
    """

    def __init__(self) -> None:
        self._window = Window(longest=MOST_TICKS, keys=KEYS)
        self._frames = 0

    def take(self, moment: Moment) -> None:
        """Take in the next moment."""
        self._window.feed(moment)
        self._frames += 1

    @property
    def is_judged(self) -> bool:
        """Whether the session has as many frames as the rules need."""
        return self._frames >= READINGS

    def found(self) -> list[Finding]:
        """Return the findings on the workloads of each host; those of another host are named with it."""
        by_host = defaultdict[str, list[Past]](list)
        for identity in self._window.workloads:
            past = self._window.past(identity)
            if past is not None and past.workload.kind is not Kind.HOST:
                by_host[identity.host].append(_named(past))
        return [finding for pasts in by_host.values() for finding in findings(pasts, {})]


def _named(past: Past) -> Past:
    """Return a past whose workload's name has its host before it, if that is another one."""
    workload = past.workload
    return past._replace(workload=replace(workload, name=workload.id.named(workload.name)))
