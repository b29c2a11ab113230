"""The texts of the pages over the main screen: where numbers come from, the sources. Plain rich text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.text import Text

from collectors.actions.log import Entry
from collectors.analysis.empty_cells import failing_sources, failure
from collectors.analysis.rates import Moment, Reading
from collectors.engines.registry import owner
from collectors.model.metrics import METRICS, Unit
from collectors.model.wording import some
from collectors.model.workloads import Availability
from collectors.safety.sanitize import sanitize
from tui.presenters.formatting import fit, stamp, state_text, text
from tui.presenters.main_screen.identity_cells import facts_of
from tui.presenters.pages.empty_reason import why_empty
from tui.presenters.pages.source_lines import add_source

_UNIT_WORDS = {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "a second", Unit.PER_SECOND: "a second", Unit.CORES: "cores"}


def why_page(reading: Reading, moment: Moment) -> Text:
    """Every metric of one workload: its value, its formula, its source and age, or why it is missing."""
    workload = reading.workload
    page = Text()
    page.append(f"{workload.name}  {workload.kind} by {workload.id.engine}  {state_text(workload)}\n", style="bold")
    for label, fact in (("host", workload.id.host), ("id", workload.id.id), ("cgroup", workload.cgroup)):
        if fact:
            page.append(f"{label:<9}", style="dim").append(f"{fact}\n")
    for name, known, why_not in facts_of(workload):
        page.append(f"{name:<9}", style="dim").append(known or "-")
        page.append(f" ({why_not})\n" if why_not else "\n", style="italic")
    if (error := owner(workload).unreachable(workload)) is not None:
        page.append(f"{error.reason[0].upper()}{error.reason[1:]}.\n", style="italic")
        page.append(f"fix: {error.remedy}\n" if error.remedy else "")
    elif not workload.name_is_known:
        page.append(
            "The name is a shortened id: no engine that knows the full name can be read (see !).\n", style="italic"
        )
    if nested := [other.workload.name for other in moment.readings.values() if other.workload.parent == workload.id]:
        page.append(f"Its numbers, but for the network, include those of {some(nested)}, inside it.\n", style="italic")
    page.append("".join(f"{line}\n" for line in _sources_of(reading, moment)), style="italic")
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
            origin = metric.origins.get(supplier.source)
            page.append(f"  from {supplier.source}{f': {origin}' if origin else ''}\n", style="dim")
    return page


def _sources_of(reading: Reading, moment: Moment) -> Iterator[str]:
    """Yield when each source last read the workload, and which of its sources cannot be read now."""
    ages = {pair.current.source: max(0.0, (moment.frame.at_ns - pair.current.at_ns) / 1e9) for pair in reading.pairs}
    if ages:
        yield "Read: " + ", ".join(f"{source} {age:.1f} s ago" for source, age in ages.items())
    for state in failing_sources(reading, moment, owner(reading.workload).name):
        yield f"{failure(state)} (see !)"


def action_page(
    entries: Sequence[Entry],
    path: Path | None,
    problem: str,
    under_way: Sequence[str] = (),
    notices: Sequence[tuple[float, str, str]] = (),
) -> Text:
    """The action log, newest first: time, user, action, equivalent command, result and duration.

    Args:
        entries: What was done, oldest first.
        path: Where the log is kept; `None` if it is not.
        problem: Why it cannot be kept; empty if it can.
        under_way: What is being done now, a line each.
        notices: What the user was told (wall clock, severity, words), oldest first; in full, unlike in the footer.
    """
    page = Text()
    if problem:
        page.append(f"{problem}\n", style="bold")
    for line in under_way:
        page.append(f"now  {line}\n", style="bold")
    if not entries and not under_way:
        page.append("No actions yet: x acts on the workload under the cursor.\n")
    for entry in reversed(entries):
        time_text = stamp(entry.time)
        page.append(f"{time_text}  {sanitize(entry.result)}", style="bold").append(f"  {sanitize(entry.sentence)}")
        page.append(f"  {entry.seconds:.1f} s\n")
        page.append(f"  {sanitize(entry.who)}: {sanitize(entry.command, 1000)}\n", style="dim")
    if notices:
        page.append("\nMessages\n", style="bold")
    for wall, severity, words in reversed(notices):
        page.append(f"{stamp(wall)}  {'' if severity == 'information' else severity + ': '}{sanitize(words, 1000)}\n")
    if path is not None:
        page.append(f"\nKept in {path}\n", style="dim")
    return page


def sources_page(moment: Moment, own_usage: str = "") -> Text:
    """Each source: its state, the reason, and how to fix it; before them, what vmtop itself uses.

    What this host does not have comes last, a line each.
    """
    page = Text()
    if own_usage:
        page.append("vmtop: ", style="bold").append(f"{own_usage}\n")
    absent = [state for state in moment.sources if state.availability is Availability.ABSENT]
    for state in moment.sources:
        if state in absent:
            continue
        add_source(page, state, moment.frame.at_ns)
    page.append("\nNot on this host\n" if absent else "", style="bold")
    for state in absent:
        page.append(f"{state.name}: {state.reason}\n", style="dim")
        page.append(f"  fix: {state.remedy}\n" if state.remedy else "")
    return page
