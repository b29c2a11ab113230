"""The page of the sources where there are several hosts: each host's connection, clock, version and sources."""

from __future__ import annotations

from rich.text import Text

from collectors.analysis.contacts import Contact
from collectors.analysis.rates import Moment
from collectors.model.workloads import Availability, HostFacts, SourceState
from tui.presenters.formatting import duration
from tui.presenters.pages.source_lines import add_source
from tui.presenters.reports.troubles import FINE
from tui.presenters.table.host_rows import all_contacts, silence_words

_CLOCK_S = 1.0
"""Seconds by which a clock may be off before it is told."""


def hosts_page(moment: Moment, own_usage: str = "", alone: str | None = None) -> Text:
    """Each host, those that do not answer first: its state, the reason and the fix; its clock, version and sources.

    Args:
        moment: Of all hosts.
        own_usage: What vmtop itself uses; empty where that is not known.
        alone: The only host to tell of, in full; `None` for all, of which what can be read is told in a line.
    """
    page = Text()
    if own_usage:
        page.append("vmtop: ", style="bold").append(f"{own_usage}\n")
    hosts = [contact for contact in all_contacts(moment) if alone is None or contact.name == alone]
    for contact in sorted(hosts, key=lambda contact: contact.answers):
        _add_host(page, contact, moment, is_alone=alone is not None)
    others = [state for state in moment.sources if not state.host and state.name not in moment.frame.hosts]
    if alone is None and others and "" not in moment.hosts:
        page.append("\n")
        for state in others:
            add_source(page, state, moment.frame.at_ns)
    return page


def _add_host(page: Text, contact: Contact, moment: Moment, is_alone: bool) -> None:
    state, facts = contact.connection, moment.frame.hosts.get(contact.name)
    page.append("\n" if page else "")
    page.append(contact.title, style="bold")
    words = silence_words(contact) or (state.detail if state is not None else "")
    page.append(f": {state.availability if state is not None else 'this host'}{f', {words}' if words else ''}\n")
    if state is not None and state.reason:
        page.append(f"  {state.reason}\n")
    if state is not None and state.remedy:
        page.append(f"  fix: {state.remedy}\n")
    if facts is not None and (told := _facts(facts, contact.name)):
        page.append(f"  {told}\n", style="dim")
    at_ns = moment.frame.at_ns
    if state is not None and state.read_at_ns is not None:
        page.append(f"  last answer {max(0, at_ns - state.read_at_ns) / 1e9:.1f} s ago\n", style="dim")
    sources = [other for other in moment.sources if _is_of(other, contact, moment)]
    readable = [other for other in sources if other.availability is Availability.OK and not other.reason]
    if readable and contact.answers and not is_alone:
        names = ", ".join(f"{other.name}{f' {other.detail}' if other.detail else ''}" for other in readable)
        page.append(f"  reads {names}\n", style="dim")
    for other in sources:
        is_told = other.availability not in FINE or bool(other.reason and other.availability is Availability.OK)
        if is_alone or (is_told and contact.answers):
            add_source(page, other, at_ns, "  ")


def _is_of(state: SourceState, contact: Contact, moment: Moment) -> bool:
    is_connection = not state.host and state.name in moment.frame.hosts
    return state.host == contact.name and not is_connection


def _facts(facts: HostFacts, name: str) -> str:
    """Return the version of vmtop there, its clock, its pace and what it is chosen by, as far as known."""
    ahead, hostname = facts.clock_ahead_s, facts.facts.get("hostname", "")
    parts = [
        hostname if hostname != name else "",
        f"vmtop {facts.facts['vmtop']}" if facts.facts.get("vmtop") else "",
        f"Linux {facts.facts['kernel']}" if facts.facts.get("kernel") else "",
        clock_words(ahead) if ahead is not None else "",
        f"every {facts.interval_s:g} s" if facts.interval_s else "",
        f"tags: {', '.join(facts.tags)}" if facts.tags else "",
    ]
    return " · ".join(part for part in parts if part)


def clock_words(ahead_s: float) -> str:
    """Return how a host's clock differs from this one's: `clock 2h ahead, corrected`."""
    if abs(ahead_s) < _CLOCK_S:
        return "clock as here"
    span = duration(abs(ahead_s), 6).strip().removesuffix("00s").removesuffix("00m")
    return f"clock {span} {'ahead' if ahead_s > 0 else 'behind'}, corrected"
