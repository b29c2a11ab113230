"""The texts of the pages over the main screen: help, where numbers come from, the sources. Plain rich text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from collectors.actions.log import Entry
from collectors.analysis.rates import Moment, Reading
from collectors.engines.registry import owner
from collectors.model.metrics import METRICS, Unit
from collectors.model.wording import some
from collectors.model.workloads import Availability
from collectors.safety.sanitize import sanitize
from tui.presenters.empty_reason import why_empty
from tui.presenters.formatting import fit, stamp, state_text, text
from tui.settings.main_screen_keys import key_names, keys_of

_UNIT_WORDS = {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "a second", Unit.PER_SECOND: "a second", Unit.CORES: "cores"}
_FILTERS = (
    ("web", "name, project, image or id contains it"),
    ("kind=vm cpu>50", "fields and metrics; all of them must hold"),
    ("name~^db mem>=1G", "a regular expression; sizes with K, M, G"),
    ("!state=paused or oom>0", "not; or"),
)
_SIGNS = (
    ("● ‖ ○ ✗", "running, paused, stopped, crashed"),
    ("!", "unhealthy, or paused by a fault"),
    ("?", "its numbers are old, or no engine knows it; w shows which"),
    ("▌", "marked"),
    ("~12M", "approximate; w shows how it is measured"),
    ("-", "unknown; w shows why"),
)


def help_page(where: str) -> Group:
    """The keys by group, made from the bindings, then the columns, made from the metrics table."""
    parts: list[RenderableType] = []
    keys = keys_of(where)
    for group in dict.fromkeys(key.group for key in keys):
        parts += _part(group, [(key_names(key.keys), key.help) for key in keys if key.group == group])
    parts += _part("Filter", _FILTERS)
    parts += _part("Signs", _SIGNS)
    columns = [(f"{metric.label:<8} {metric.alias}", metric.help) for metric in METRICS.values()]
    return Group(*parts, *_part("Columns, and their names in filters", columns))


def _part(title: str, rows: Sequence[tuple[str, str]]) -> list[RenderableType]:
    """A heading and a table of two columns, the second wrapped under itself."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=22, style="bold")
    table.add_column(ratio=1)
    for left, right in rows:
        table.add_row(Text(" " + left), Text(right))
    return [Text(f"\n{title}", style="bold underline"), table]


def why_page(reading: Reading, moment: Moment) -> Text:
    """Every metric of one workload: its value, its formula, its source and age, or why it is missing."""
    workload = reading.workload
    page = Text()
    page.append(f"{workload.name}  {workload.kind} by {workload.id.engine}  {state_text(workload)}\n", style="bold")
    for label, fact in (("id", workload.id.id), ("cgroup", workload.cgroup), ("image", workload.image)):
        if fact:
            page.append(f"{label:<7}", style="dim").append(f"{fact}\n")
    if (error := owner(workload).unreachable(workload)) is not None:
        page.append(f"{error.reason[0].upper()}{error.reason[1:]}.\n", style="italic")
        page.append(f"fix: {error.remedy}\n" if error.remedy else "")
    elif not workload.name_is_known:
        page.append(
            "The name is a shortened id: no engine that knows the full name can be read (see !).\n", style="italic"
        )
    if nested := [other.workload.name for other in moment.readings.values() if other.workload.parent == workload.id]:
        page.append(f"Its numbers, but for the network, include those of {some(nested)}, inside it.\n", style="italic")
    for metric in METRICS.values():
        value = reading.value(metric.key)
        page.append(f"\n{fit(metric.label, 8)}", style="bold")
        page.append(f"{text(value, metric.unit, 8)} {_UNIT_WORDS.get(metric.unit, '') if value is not None else ''}\n")
        page.append(f"  {metric.help}\n")
        if value is None:
            page.append(f"  not known: {why_empty(metric.key, reading, moment)}\n", style="italic")
            continue
        page.append(f"  = {metric.formula}\n", style="dim")
        supplier = reading.supplier(metric.key)
        if supplier is not None:
            age = max(0.0, (moment.frame.at_ns - supplier.at_ns) / 1e9)
            origin = metric.origins.get(supplier.source, supplier.source)
            page.append(f"  from {origin}, {age:.1f} s ago\n", style="dim")
    return page


def action_page(entries: Sequence[Entry], path: Path | None, problem: str) -> Text:
    """The action log, newest first: time, user, action, equivalent command, result and duration."""
    page = Text()
    if problem:
        page.append(f"{problem}\n", style="bold")
    if not entries:
        page.append("No actions yet: x acts on the workload under the cursor.\n")
    for entry in reversed(entries):
        time_text = stamp(entry.time)
        page.append(f"{time_text}  {sanitize(entry.result)}", style="bold").append(f"  {sanitize(entry.sentence)}")
        page.append(f"  {entry.seconds:.1f} s\n")
        page.append(f"  {sanitize(entry.who)}: {sanitize(entry.command, 1000)}\n", style="dim")
    if path is not None:
        page.append(f"\nKept in {path}\n", style="dim")
    return page


def sources_page(moment: Moment) -> Text:
    """Each source: its state, the reason, and how to fix it."""
    page = Text()
    for state in moment.sources:
        page.append(f"{state.name}: ", style="bold").append(f"{state.availability} {state.detail}\n")
        if state.reason:
            page.append(f"  {state.reason}\n")
        if state.remedy:
            page.append(f"  fix: {state.remedy}\n")
        if state.read_at_ns is not None and state.availability is not Availability.ABSENT:
            age = max(0.0, (moment.frame.at_ns - state.read_at_ns) / 1e9)
            cost = (state.cost_ns or 0) / 1e6
            page.append(f"  last reading {age:.1f} s ago, it took {cost:.1f} ms\n", style="dim")
        if state.daemon_cores is not None:
            page.append(f"  its daemon used {state.daemon_cores:.2%} of a core to answer\n", style="dim")
    return page
