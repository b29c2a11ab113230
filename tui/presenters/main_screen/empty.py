"""What stands in an empty table: why it is empty, the state of each source with its fix, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from collectors.analysis.contacts import contacts
from collectors.analysis.rates import Moment
from collectors.model.workloads import ACTIVE, Availability, Kind, SourceState
from tui.keys.key import Key, first_key
from tui.presenters.styled_lines import Line, Run
from tui.presenters.table.state import TableState

_MANY = {Kind.VM: "virtual machines", Kind.CONTAINER: "containers", Kind.SERVICE: "services", Kind.HOST: "remote hosts"}
_NOT_ENGINES = ("host",)
_AVAILABILITY = {
    Availability.OK: ("ok", "good"),
    Availability.WAITING: ("has not answered yet", "muted"),
    Availability.STALE: ("does not answer", "warn"),
    Availability.DENIED: ("no permission", "warn"),
    Availability.ABSENT: ("not installed", "muted"),
    Availability.DOWN: ("cannot be read", "bad"),
}
_KEYS = {
    "stopped": "show stopped ones",
    "sources": "sources and fixes",
    "processes": "processes of the host",
    "help": "help",
}
"""What leads on from an empty table, by the name of the key's row."""
_INDENT = " " * 8


def empty_lines(view: TableState, moment: Moment, keys: Iterable[Key]) -> list[Line]:
    """Return the lines that stand in the place of workloads.

    Args:
        view: What the user has chosen; it hides everything, if there is anything.
        moment: What there is.
        keys: The keys of this screen.
    """
    shown_keys = {key.name: first_key(key.keys) for key in keys}
    if view.query_text or (view.only and moment.readings):
        return [[(_INDENT, "text"), *_hidden(view, shown_keys)]]
    contact = contacts(moment.frame).get(moment.frame.host.id.host)
    resting = sum(reading.workload.state not in ACTIVE for reading in moment.readings.values())
    if contact is not None and not contact.answers:
        words = "has not answered yet" if contact.is_waited_for else "does not answer"
        first: Line = [(f"{_INDENT}{contact.title} {words}.", "text")]
    elif resting and not view.show_all:
        stopped = "1 workload is stopped" if resting == 1 else f"{resting} workloads are stopped"
        shows = _key(shown_keys.get("stopped", ""), "shows them")
        first = [(f"{_INDENT}Nothing is running here. {stopped}: ", "text"), *shows]
    elif not (moment.sources or moment.host.pairs):
        first = [(f"{_INDENT}Nothing was measured at this moment.", "text")]
    else:
        first = [(f"{_INDENT}No machines, containers or services are running here.", "text")]
    lines: list[Line] = [first, []]
    for state in moment.sources:
        if state.name not in _NOT_ENGINES:
            lines += _source(state)
    return [*lines, [], *_key_lines(shown_keys)]


def _hidden(view: TableState, keys: Mapping[str, str]) -> Iterator[Run]:
    """Say what hides everything, how much that is, and how to see it."""
    if view.query_text:
        yield "Nothing matches ", "text"
        yield view.query_text, "title"
        if view.only:
            yield f" among {_MANY[view.only]}", "text"
        yield f". {view.hidden} hidden. ", "text"
        yield from _key("Esc", "clears.")
    elif view.only:
        yield f"No {_MANY[view.only]} are running here. {view.hidden} hidden. ", "text"
        yield from _key(keys.get("all_kinds", ""), "shows every kind")
        if not view.show_all:
            yield ", ", "text"
            yield from _key(keys.get("stopped", ""), "stopped ones too")
        yield ".", "text"


def _key(key: str, label: str) -> list[Run]:
    return [(key, "accent bold"), (f" {label}", "text")]


def _source(state: SourceState) -> Iterator[Line]:
    """Yield the state of a source, and below it the fix."""
    words, tone = _AVAILABILITY[state.availability]
    if state.availability is Availability.OK:
        words = f"{words}, {state.detail}" if state.detail else words
    elif state.reason and state.availability is not Availability.ABSENT:
        words = state.reason
    yield [(f"{_INDENT}  {state.name:<9} ", "muted"), (words, tone if tone != "good" else "text")]
    if state.remedy and state.availability not in (Availability.OK, Availability.ABSENT):
        yield [(f"{_INDENT}  {'':<9}  ", "muted"), (state.remedy, "accent")]


def _key_lines(keys: Mapping[str, str]) -> Iterator[Line]:
    """Yield the keys that lead on, two in a line."""
    told = [(keys[name], label) for name, label in _KEYS.items() if name in keys]
    for index in range(0, len(told), 2):
        line: list[Run] = [(f"{_INDENT}  ", "text")]
        for key, label in told[index : index + 2]:
            line += [(f"{key}  ", "accent bold"), (label.ljust(23), "muted")]
        yield line
