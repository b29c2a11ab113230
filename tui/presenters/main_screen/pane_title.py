"""The rule above the panes: which workload, group or host they are of, and the worst that is wrong with it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len

from collectors.analysis.contacts import contacts
from collectors.analysis.hosts import facts_of_host, size_of_host
from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from tui.presenters.formatting import duration, fit, text
from tui.presenters.main_screen.signs import LONG_KINDS, SHORT_KINDS
from tui.presenters.styled_lines import Line, Run, plain_text
from tui.presenters.table.line import Line as Row

_LONG = 100
"""Cells from which the kind is written out, and what Enter does is told."""


def title_line(row: Row, moment: Moment, alarm: Sequence[Run], opens: str, width: int, ascii_only: bool) -> Line:
    """Return the rule with the title in it.

    Args:
        row: The row under the cursor.
        moment: The moment it is of.
        alarm: What is wrong with it; empty if nothing is.
        opens: What Enter does, such as `Enter opens`.
        width: Cells.
        ascii_only: Use no character beyond ASCII.
    """
    rule, dot = ("-", " - ") if ascii_only else ("─", " · ")
    name, kind, facts = _subject(row, moment, width)
    right = f" {opens} {rule}" if width >= _LONG else ""
    room = width - 4 - cell_len(right)
    warning: list[Run] = [("  ", "text"), *alarm] if alarm else []
    name = fit(name, min(cell_len(name), max(8, room // 2)), "..." if ascii_only else "…")
    left = room - cell_len(name) - cell_len(plain_text(warning))
    told = ""
    for number, fact in enumerate(facts):
        longer = f"{told}{dot if number else ''}{fact}"
        if 5 + cell_len(kind) + cell_len(longer) > left:
            break
        told = longer
    runs: list[Run] = [(f"{rule} ", "border"), (name, "title")]
    if left >= cell_len(kind) + 2:
        tone = f"kind-{row.reading.workload.kind}" if row.reading and row.reading.workload.kind is not Kind.HOST else ""
        between = " " if tone else dot
        runs += [(f"  {kind}", tone or "muted"), (f"{between}{told}" if told else "", "muted")]
    runs += [*warning, (" ", "text")]
    used = cell_len(plain_text(runs))
    if used > width:
        return _cut(runs, width)
    filling = max(0, width - used - cell_len(right))
    return [*runs, (rule * filling, "border"), *([(right[:-1], "muted"), (rule, "border")] if right else [])]


def _cut(runs: Sequence[Run], width: int) -> Line:
    kept: list[Run] = []
    for part, tone in runs:
        kept.append((fit(part, min(width, cell_len(part)), ""), tone))
        width -= cell_len(part)
        if width <= 0:
            break
    return kept


def _subject(row: Row, moment: Moment, width: int) -> tuple[str, str, list[str]]:
    """Return the name, the kind and the facts of a row, the most important first."""
    frame = moment.frame
    if row.is_fleet:
        known = contacts(frame).values()
        silent = sum(not contact.answers for contact in known)
        return row.label, "all together", [f"{silent} without an answer"] if silent else []
    if row.total is not None:
        count = len(row.members)
        return row.label, "host", [*_host_facts(row.total.workload, moment), f"{count} workload{'s' * (count != 1)}"]
    if row.reading is None:
        return row.label, _members(row.members), _states(row.members)
    workload = row.reading.workload
    if workload.is_host:
        return frame.facts.get("hostname", workload.name), "host", _host_facts(workload, moment)
    kind = (LONG_KINDS if width >= _LONG else SHORT_KINDS)[workload.kind]
    is_up = workload.started_at is not None and workload.state.is_active
    facts = [
        workload.id.host,
        workload.id.engine,
        workload.image or "",
        workload.ports or "",
        f"up {duration(max(0.0, frame.wall - (workload.started_at or 0.0)), 5).strip()}" if is_up else "",
        workload.endpoint,
        workload.short_id if workload.short_id != workload.name else "",
    ]
    return workload.name, kind, [fact for fact in facts if fact]


def _host_facts(host: Workload, moment: Moment) -> list[str]:
    frame = moment.frame
    known, (cpus, memory_bytes) = facts_of_host(frame, host.id), size_of_host(frame, host.id)
    uptime, kernel = known.get("uptime_s"), known.get("kernel")
    facts = [
        f"Linux {kernel}" if kernel else "",
        f"{cpus} CPUs" if cpus else "",
        text(memory_bytes, Unit.BYTES, 6).strip() if memory_bytes else "",
        f"up {duration(float(uptime), 5).strip()}" if uptime else "",
    ]
    return [fact for fact in facts if fact]


def _members(members: Sequence[Reading]) -> str:
    kinds = {member.workload.kind for member in members}
    word = LONG_KINDS[kinds.pop()] if len(kinds) == 1 else "workload"
    return f"{len(members)} {word}{'s' if len(members) != 1 else ''}"


def _states(members: Sequence[Reading]) -> list[str]:
    counts = Counter(member.workload.state.value for member in members)
    return [" · ".join(f"{count} {state}" for state, count in counts.most_common())]
