"""Which workloads at rest the table still shows, and which rows are news. Pure: no Textual.

A row that is needed does not vanish: a workload that has just ended stays for a while, one that failed until it was
looked at, and one that is acted on, marked or under the cursor for as long as it is.
"""

from __future__ import annotations

from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Workload, WorkloadId
from tui.presenters.main_screen.signs import has_failed

ENDED_S = 60.0
"""Seconds for which a workload that has ended stays in the table."""
FAILED_S = 600.0
"""Seconds for which one that failed stays, unless it was looked at."""
NEWS_S = 10.0
"""Seconds for which a workload counts as new, and its state as changed."""


def stays(workload: Workload, rest_s: float, is_looked_at: bool) -> bool:
    """Return whether a workload at rest is still shown, so many seconds after it ended."""
    return rest_s < (FAILED_S if has_failed(workload) and not is_looked_at else ENDED_S)


def is_new(states: StateLog, identity: WorkloadId, wall: float) -> bool:
    """Return whether a workload appeared so recently that its row says `new`."""
    return states.is_new(identity, wall, NEWS_S)


def has_changed(states: StateLog, identity: WorkloadId, wall: float) -> bool:
    """Return whether a workload's state or health changed so recently that its word stands out."""
    change = states.last_change(identity, wall)
    return change is not None and not change.is_first and change.wall is not None and wall - change.wall < NEWS_S
