"""Several hosts in one table: which of them is looked at, their lines, and the line of all of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from rich.cells import cell_len

from collectors.analysis.contacts import Contact, contacts
from collectors.analysis.hosts import of_one_host
from collectors.analysis.rates import Moment, Reading
from collectors.query.filter import Query
from tui.presenters.formatting import fit
from tui.presenters.main_screen.row_words import fitted, rough_span
from tui.presenters.styled_lines import Run
from tui.presenters.table.line import Line

_LEAST_REASON = 12
"""Cells below which it is not said why a host is gone."""


def looked_at(moment: Moment, alone: str | None) -> Moment:
    """Return the moment of the host that is looked at alone, which the only one always is.

    Args:
        moment: A moment of all hosts.
        alone: The host's name, as in `WorkloadId.host`; `None` for all hosts.
    """
    if len(moment.hosts) == 1:
        alone = next(iter(moment.hosts))
    return moment if alone is None or alone not in moment.hosts else of_one_host(moment, alone)


def moment_of(moment: Moment, host: str) -> Moment:
    """Return the moment of one host of several, named as in `WorkloadId.host`."""
    return of_one_host(moment, host) if host in moment.hosts else moment


def devices_elsewhere(host: str) -> str:
    """Return why the page of another host has no devices, and what shows them."""
    return f"Cores, devices, file systems and sensors are read on the host itself: 'vmtop' there shows them ({host})."


def processes_elsewhere(host: str) -> str:
    """Return why the processes of another host are not listed, and what does."""
    return f"Enter on a workload of {host} lists its processes; all of the host's are listed by the vmtop there."


def all_contacts(moment: Moment) -> list[Contact]:
    """Return every host of several, this one first."""
    known = contacts(moment.frame)
    return [known.get(name) or Contact(name, None, None) for name in moment.hosts]


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return hosts' names without their domains, as far as they stay different; addresses of IP stay whole."""
    shortened = {name: name if name[:1].isdigit() else name.partition(".")[0] or name for name in names}
    counts = Counter(shortened.values())
    return {name: short if counts[short] == 1 else name for name, short in shortened.items()}


def fleet_line(moment: Moment) -> Line:
    """Return the line above the table: the sum of the own values of the hosts that are not gone."""
    here = [contact.name for contact in all_contacts(moment) if not contact.is_gone]
    hosts = [reading for name in here if (reading := moment.hosts[name].reading) is not None]
    return Line(f"{len(moment.hosts)} hosts", members=tuple(hosts), is_fleet=True)


def host_line(moment: Moment, contact: Contact, members: Iterable[Reading]) -> Line:
    """Return the line of one host: its own values, with the workloads that are shown of it."""
    return Line(contact.title, members=tuple(members), contact=contact, total=moment.hosts[contact.name].reading)


class View(Protocol):
    """What the user has chosen of the hosts."""

    is_tree: bool
    """Whether each host has a line. Otherwise only those have one that are gone, at the end."""
    opened: set[str]
    """The labels of the hosts whose workloads are shown below their lines."""
    query: Query | None
    """With a filter, hosts have no line that have nothing that matches it."""


def lines_of_hosts(moment: Moment, workloads: Sequence[Reading], hosts: Sequence[Reading], view: View) -> list[Line]:
    """Return the lines of a table of several hosts.

    Args:
        moment: What is shown, of all hosts.
        workloads: Those that are shown, in their order.
        hosts: The hosts' own readings, in their order; hosts without one come after them.
        view: What the user has chosen.
    """
    known = {contact.name: contact for contact in all_contacts(moment)}
    members: dict[str, list[Reading]] = {name: [] for name in known}
    lines: list[Line] = []
    for reading in workloads:
        host = reading.workload.id.host
        members.setdefault(host, []).append(reading)
        if not view.is_tree and not (host in known and known[host].is_gone):
            lines.append(Line(reading.workload.name, reading))
    for name in dict.fromkeys([*(reading.workload.id.host for reading in hosts), *sorted(known)]):
        contact = known[name]
        if (view.is_tree or contact.is_gone) and (members[name] or view.query is None):
            lines.append(host_line(moment, contact, members[name]))
            if contact.title in view.opened:
                lines += [Line(reading.workload.name, reading, depth=1) for reading in members[name]]
    return lines


def silence_words(contact: Contact) -> str:
    """Return for how long a host has not answered: `12s`, `gone 5m`, `no answer`; empty while it answers."""
    if contact.answers:
        return ""
    if contact.silent_s is None:
        return "no answer yet" if contact.is_waited_for else "no answer"
    span = rough_span(contact.silent_s)
    return f"gone {span}" if contact.is_gone else span


def gone_runs(line: Line, contact: Contact, width: int, ellipsis: str) -> list[Run]:
    """Return the one line of a host that is gone: since when, how many workloads it had, and why."""
    count = len(line.members)
    reason = contact.connection.reason if contact.connection is not None else ""
    runs: list[Run] = [
        (line.label, "title"),
        (f"  {silence_words(contact)}", "muted" if contact.is_waited_for else "bad"),
    ]
    if count:
        runs.append((f"  {count} workload{'s' if count != 1 else ''}", "muted"))
    room = width - sum(cell_len(text) for text, _ in runs) - 2
    if reason and room >= _LEAST_REASON:
        runs.append(("  " + fit(reason, min(room, cell_len(reason)), ellipsis), "muted"))
    return fitted(runs, width, ellipsis)
