"""The texts of the pages over the main screen: help, where numbers come from, the sources. Plain rich text."""

from __future__ import annotations

from rich.text import Text

from collectors.metrics import METRICS
from collectors.model import Availability
from collectors.rates import Moment, Reading
from tui.format import fit, text
from tui.keys import KEYS, shown


def help_page() -> Text:
    """The keys by group, made from the bindings, then the columns, made from the metrics table."""
    page = Text()
    group = ""
    for key in KEYS:
        if key.group != group:
            group = key.group
            page.append(f"\n{group}\n", style="bold underline")
        page.append(f"  {fit(shown(key.keys), 18)}", style="bold").append(f"{key.help}\n")
    page.append("\nFilter\n", style="bold underline")
    page.append(
        "  web                    name, project, image or id contains it\n"
        "  kind=vm cpu>50         fields and metrics, joined by 'and'\n"
        "  name~^db mem>=1G       a regular expression; sizes with K, M, G\n"
        "  !state=paused or oom>0 not; or\n"
    )
    page.append("\nSigns\n", style="bold underline")
    page.append("  ● running  ‖ paused  ○ stopped  ✗ crashed  ! unhealthy  ? numbers are old  ▌ marked\n")
    page.append("  ~ before a number: measured in a roundabout way (w tells how);  - : not known (w tells why)\n")
    page.append("\nColumns\n", style="bold underline")
    for metric in METRICS.values():
        page.append(f"  {fit(metric.label, 8)} ", style="bold").append(fit(metric.alias, 10), style="dim")
        page.append(f" {metric.help}\n")
    return page


def why_page(reading: Reading, moment: Moment) -> Text:
    """Every metric of one workload: its value, its formula, its source and age, or why it is missing."""
    workload = reading.workload
    page = Text()
    page.append(f"{workload.name}  {workload.kind} by {workload.id.engine}  {workload.state}\n", style="bold")
    for label, fact in (("id", workload.id.id), ("cgroup", workload.cgroup), ("image", workload.image)):
        if fact:
            page.append(f"{label:<7}", style="dim").append(f"{fact}\n")
    if not workload.name_is_known:
        page.append("The name is a shortened id: no engine that knows it could be asked (see !).\n", style="italic")
    for metric in METRICS.values():
        value = reading.value(metric.key)
        page.append(f"\n{fit(metric.label, 8)}", style="bold")
        page.append(f"{text(value, metric.unit, 8)} {metric.unit.value if value is not None else ''}\n")
        page.append(f"  {metric.help}\n")
        if value is None:
            page.append(f"  not known: {metric.missing}\n", style="italic")
            continue
        page.append(f"  = {metric.formula}\n", style="dim")
        supplier = reading.supplier(metric.key)
        if supplier is not None:
            age = max(0.0, (moment.frame.at_ns - supplier.at_ns) / 1e9)
            origin = metric.origins.get(supplier.source, supplier.source)
            page.append(f"  from {origin}, {age:.1f} s ago\n", style="dim")
    return page


def sources_page(moment: Moment) -> Text:
    """Each source: how it is, why, and what to do about it."""
    page = Text()
    for state in moment.sources:
        page.append(f"{state.name}: ", style="bold").append(f"{state.availability} {state.detail}\n")
        if state.reason:
            page.append(f"  {state.reason}\n")
        if state.remedy:
            page.append(f"  to mend it: {state.remedy}\n")
        if state.read_at_ns is not None and state.availability is not Availability.ABSENT:
            age = max(0.0, (moment.frame.at_ns - state.read_at_ns) / 1e9)
            cost = (state.cost_ns or 0) / 1e6
            page.append(f"  last reading {age:.1f} s ago, it took {cost:.1f} ms\n", style="dim")
    return page
