"""The pages of the detail screen as coloured lines: tables of details, events. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.analysis.startup_times import Startup
from collectors.model.details import Column, Details, Fact, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.model.wording import counted
from collectors.model.workloads import Event
from tui.presenters.formatting import fit, stamp, text
from tui.presenters.styled_lines import Line, hanging, no_wider

_NUMBER = 9
_TEXT_MOST = 48
_FACT_LABEL = 27


def table_lines(details: Details, page: Page, width: int) -> list[Line]:
    """All tables of a page, under their titles."""
    lines = [line for problem in details.problems for line in hanging([(" ", "warn")], problem, "warn", width)]
    for table in details.tables:
        if table.page is page:
            lines += [[("", "text")]] if lines else []
            lines += _table(table, width)
    return lines or [[(" nothing is known", "muted")]]


def _table(table: Table, width: int) -> list[Line]:
    lines = hanging([(" ", "title")], table.title, "title", width)
    lines += [line for fact in table.facts for line in _fact(fact, width)]
    if table.rows:
        lines += _rows(table.columns, table.rows, width)
    elif not table.facts:
        lines.append([("   none", "muted")])
    if table.note:
        lines += hanging([("   ", "muted")], table.note, "muted", width)
    return lines


def _fact(fact: Fact, width: int) -> list[Line]:
    value_text = _value(fact.value, fact.unit)
    tone = "muted" if fact.value is None or fact.value is False else "text"
    label = fit(fact.label, max(_FACT_LABEL, min(len(fact.label), 40)))
    return hanging([(f"   {label} ", "muted")], value_text, tone, width)


def _rows(columns: Sequence[Column], rows: Sequence[Sequence[Value]], width: int) -> list[Line]:
    cell_texts = [[_value(value, column.unit) for column, value in zip(columns, row, strict=True)] for row in rows]
    widths = [max(len(column.label), *(len(row[index]) for row in cell_texts)) for index, column in enumerate(columns)]
    widths = [min(cell_width, _TEXT_MOST) for cell_width in widths]
    last = len(columns) - 1
    if columns[last].unit is None:
        widths[last] = max(len(columns[last].label), width - sum(widths[:last]) - 2 * last - 4)

    def joined(cells: Sequence[str]) -> str:
        triples = zip(cells, columns, widths, strict=True)
        return "   " + "  ".join(
            fit(cell, cell_width) if column.unit is None else cell.rjust(cell_width)
            for cell, column, cell_width in triples
        )

    lines: list[Line] = [[(joined([column.label for column in columns]), "muted")]]
    lines += [[(joined(row), "text")] for row in cell_texts]
    return [no_wider([(words.rstrip(), tone)], width) for ((words, tone),) in lines]


def _value(value: Value, unit: Unit | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else text(value, unit or Unit.COUNT, _NUMBER).strip()


def event_lines(
    events: Sequence[Event], startup: Startup | None, width: int, since: str = "since vmtop began to watch"
) -> list[Line]:
    """The start-up time, then what happened, newest first."""
    heading, *sentences = startup_sentences(startup)
    lines = hanging([(" ", "title")], heading, "title", width)
    for sentence in sentences:
        lines += hanging([("   ", "text")], sentence, "text", width)
    lines.append([("", "text")])
    heading = f"{counted(len(events), 'event')} {since}, newest first" if events else f"No events {since}"
    lines.append([(f" {heading}", "title")])
    for event in reversed(events):
        head = [(f"   {stamp(event.wall)}  ", "muted"), (f"{event.what:<8} ", "text")]
        lines += hanging(head, event.detail, "muted", width)
    return lines


def startup_sentences(startup: Startup | None) -> list[str]:
    """Return the start-up time as sentences; one of them says so if it is unknown."""
    if startup is None:
        return ["Start-up time: not known", "Only starts that vmtop witnesses are measured."]
    start_time = stamp(startup.began, "%H:%M:%S")
    sentences = [f"Start-up of {start_time}, counted from: {startup.how}"]
    if startup.running_s is not None:
        sentences.append(f"running after {startup.running_s:.2f} s")
    if startup.ready_s is None:
        sentences.append("ready: no signal (health check, guest agent or first packet sent) was seen yet")
    else:
        precision = f", exact to {startup.resolution_s:.1f} s" if startup.resolution_s else ""
        sentences.append(f"ready after {startup.ready_s:.2f} s, by its {startup.signal}{precision}")
    return sentences
