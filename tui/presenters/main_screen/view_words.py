"""What the heads and the header say about the user's choices. Pure."""

from __future__ import annotations

from collectors.model.workloads import LOCAL_HOST
from tui.presenters.styled_lines import Run
from tui.presenters.table.state import Scale, TableState

ON_HOST = "This row is the host: choose a workload for that."
ON_ALL_HOSTS = "This row is all hosts together: choose a workload for that."


def count_words(view: TableState) -> str:
    """Return how many workloads are shown, for the heading of the names: `12`, `3 of 12`, `12 in 4`, `12 held`."""
    shown = view.shown
    if view.is_held:  # not for long, and there is little room
        return f"{shown} held"
    is_narrowed = bool(view.query_text or view.only)
    words = f"{shown} of {shown + view.filtered_out}" if is_narrowed else str(shown)
    groups = sum(line.reading is None for line in view.lines) if view.is_tree else 0
    return f"{words} in {groups}" if groups else words


def view_notes(view: TableState) -> list[Run]:
    """Return notes for the header: everything that makes the table differ from all workloads as they are."""
    notes: list[Run] = [(f"filter {view.query_text}", "accent")] if view.query_text else []
    notes += [(f"{view.only} only", "accent")] if view.only else []
    notes += [(f"{view.alone or LOCAL_HOST} only", "accent")] if view.alone is not None else []
    notes += [(f"100%={view.scale}", "muted")] if view.scale is not Scale.CORE else []
    notes += [("following", "muted")] if view.follow else []
    notes += [(f"{len(view.marks)} marked", "accent")] if view.marks else []
    return notes


def nothing_here(view: TableState) -> str:
    """Return why there is no workload under the cursor, and what to do about it."""
    line = view.current()
    if view.is_on_host:
        return ON_ALL_HOSTS if line is not None and line.is_fleet else ON_HOST
    if line is not None and line.contact is not None:
        return "This row is a host: Enter shows its workloads, and Space marks all of them."
    if view.lines:
        return "This row is a group: choose one of its workloads for that."
    if view.query_text:
        return "Nothing matches the filter: Esc clears it."
    remedy = "1 shows every kind" if view.only else "a shows stopped ones, ! the sources"
    return f"No workload is shown: {remedy}."
