"""The line of the header that tells how each of several hosts is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from collectors.analysis.contacts import Contact
from collectors.analysis.rates import Moment
from tui.presenters.main_screen.row_words import rough_span
from tui.presenters.main_screen.signs import BUSY, FAILED, OLD, RUNNING, Sign
from tui.presenters.styled_lines import Line, Run, plain_text
from tui.presenters.table.host_rows import all_contacts, short_names

_BUSY, _FULL = 80.0, 95.0
"""CPU use of a host, in percent, from which it stands out."""
_ANSWERS = RUNNING._replace(tone="good")


class _Host(NamedTuple):
    """One host, as it may be told."""

    name: str
    sign: Sign
    silence: str
    cpu_percent: float | None
    """Of all its cores; `None` while not known, or where it is old."""
    tone: str


def hosts_line(moment: Moment, alone: str | None, width: int, ascii_only: bool) -> Line:
    """Return all hosts with as much of each as there is room for; at the least those that do not answer.

    Args:
        moment: Of all hosts.
        alone: The host that is looked at alone; `None` for all.
        width: Cells.
        ascii_only: Use no character beyond ASCII.
    """
    contacts = all_contacts(moment)
    names = short_names(contact.title for contact in contacts)
    hosts = [_host(moment, contact, names[contact.title], alone) for contact in contacts]
    forms: tuple[Callable[[Sequence[_Host], bool], Line], ...] = (_with_use, _with_names, _with_numbers)
    lines = (form(hosts, ascii_only) for form in forms)
    return next((line for line in lines if cell_len(plain_text(line)) < width), None) or _silent(
        hosts, width, ascii_only
    )


def _host(moment: Moment, contact: Contact, name: str, alone: str | None) -> _Host:
    reading = moment.hosts[contact.name].reading
    cores = None if reading is None or not contact.answers else reading.value("cpu_percent")
    cpus = reading.host_cpus if reading is not None else 0
    sign = _ANSWERS if contact.answers else BUSY if contact.is_waited_for else FAILED if contact.is_gone else OLD
    silence = "" if contact.silent_s is None else rough_span(contact.silent_s)
    tone = "accent bold underline" if alone == contact.name else "text" if alone is None else "muted"
    return _Host(name, sign, silence, cores / cpus if cores is not None and cpus else None, tone)


def _with_use(hosts: Sequence[_Host], ascii_only: bool) -> Line:
    runs: list[Run] = []
    for host in hosts:
        runs += [(" ", "text"), *_named(host, host.name, ascii_only)]
        use = host.cpu_percent
        if use is not None:
            runs.append((f" {use:.0f}%", "bad" if use >= _FULL else "warn" if use >= _BUSY else "muted"))
        runs.append((" ", "text"))
    return runs


def _with_names(hosts: Sequence[_Host], ascii_only: bool) -> Line:
    return [run for host in hosts for run in ((" ", "text"), *_named(host, host.name, ascii_only))]


def _with_numbers(hosts: Sequence[_Host], ascii_only: bool) -> Line:
    """Tell what all names begin with only once: `hv ●01 ●02 ✗03 5m`."""
    first, last = min(host.name for host in hosts), max(host.name for host in hosts)
    size = next((size for size, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    prefix = first[:size].rstrip("0123456789")
    if not prefix or first == prefix:
        return _with_names(hosts, ascii_only)
    runs: list[Run] = [(f" {prefix}", "muted")]
    for host in hosts:
        runs += [(" ", "text"), *_named(host, host.name.removeprefix(prefix), ascii_only)]
    return runs


def _named(host: _Host, name: str, ascii_only: bool) -> Line:
    silence: list[Run] = [(f" {host.silence}", host.sign.tone)] if host.silence else []
    return [(host.sign.text(ascii_only), host.sign.tone), (name, host.tone), *silence]


def _silent(hosts: Sequence[_Host], width: int, ascii_only: bool) -> Line:
    """Tell how many hosts answer, and which do not, as far as there is room."""
    silent = [host for host in hosts if host.sign is not _ANSWERS]
    runs: list[Run] = [(f" {len(hosts) - len(silent)} of {len(hosts)} hosts answer", "text")]
    for index, host in enumerate(silent):
        more = f" +{len(silent) - index}"
        told = [(" ", "text"), *_named(host, host.name, ascii_only)]
        if cell_len(plain_text([*runs, *told])) + len(more) >= width:
            return [*runs, (more, "muted")]
        runs += told
    return runs
