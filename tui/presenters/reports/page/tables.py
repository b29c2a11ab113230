"""Tables of the page, which sort by a click: cells carry the number that they are sorted by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from tui.presenters.reports.page.tags import html, opened, tag


class Head(NamedTuple):
    """The heading of a column."""

    words: str
    sort: str | None = "text"
    """`text`, `number`, `time`, or `None` where the column cannot be sorted by."""


def table(heads: Sequence[Head], rows: Iterable[Element]) -> Iterator[str]:
    """Yield a table as HTML, piece by piece: all rows at once would take much memory."""
    heading = (
        tag("th", head.words, scope="col", data_sort=head.sort, class_="n" if head.sort == "number" else None)
        for head in heads
    )
    yield opened(tag("div", class_="scroll")) + opened(tag("table")) + html(tag("thead", tag("tr", *heading)))
    yield opened(tag("tbody"))
    for row in rows:
        yield html(row)
    yield "</tbody></table></div>"


def number_cell(words: str, value: float | None, title: str = "") -> Element:
    """Return a cell that is sorted by its value; one without a value stays last in either direction."""
    return tag("td", words, class_="n", data_v=None if value is None else repr(value), title=title or None)


def time_cell(words: str, wall: float) -> Element:
    """Return a cell with a time, sorted by it."""
    return tag("td", words, class_="when", data_v=repr(wall))
