"""Charts as pictures in the page: lines over a scale and times, with marks. Positions are shares, so any width fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan
from typing import NamedTuple
from xml.etree.ElementTree import Element

from collectors.model.metrics import Unit
from tui.presenters.charts.time_axis import TimeAxis
from tui.presenters.reports.page.marks import ROWS, Mark
from tui.presenters.reports.page.tags import tag
from tui.presenters.scale import tick_text, ticks, top_of

_WIDTH, _HEIGHT = 960, 150
_LINE_PX = 13
_HEAD = ROWS * _LINE_PX + 3
"""Pixels above the area, for the words of marks."""
_BARE_HEAD, _FOOT = 8, 18
_CELLS = 72
"""Characters of the axis: narrow ones in a narrow window."""
_ROWS = 16
_BRIDGED = 4
"""Steps without a value that a line still bridges: frames are less evenly spaced than steps."""
_SPARK_WIDTH, _SPARK_HEIGHT = 150, 26


class Curve(NamedTuple):
    """One line of a chart."""

    means: Sequence[float]
    """One per step, oldest first; NaN where nothing was measured."""
    tops: Sequence[float]
    """The highest value of each step."""


class Span(NamedTuple):
    """What the width of a chart stands for, in seconds since 1970."""

    first: float
    last: float


def chart(
    title: str, curves: Sequence[Curve], unit: Unit, span: Span, marks: Sequence[Mark], has_words: bool
) -> Element:
    """Draw curves over each other.

    Args:
        title: What is drawn, for those who do not see it.
        curves: At most three.
        unit: Of all of them.
        span: From the left edge to the right one.
        marks: What is marked.
        has_words: Whether the marks' words and numbers stand above the area.
    """
    top = top_of(max((value for curve in curves for value in present(curve.tops)), default=0.0), unit)
    head = _HEAD if has_words and marks else _BARE_HEAD
    height = head + _HEIGHT + _FOOT
    levels = [(value, head + _HEIGHT * (1 - value / top)) for value in ticks(top, unit, _ROWS)]
    scale = tag(
        "svg",
        *(tag("text", tick_text(value, unit), x="88%", y=y + 4, text_anchor="end") for value, y in levels),
        class_="scale",
        height=height,
    )
    area = tag(
        "svg",
        tag("rect", class_="ground", x=0, y=head, width="100%", height=_HEIGHT),
        *(tag("line", class_="grid", x1=0, x2="100%", y1=y, y2=y) for _, y in levels),
        *_times(span, head),
        tag(
            "svg", *_curves(curves, top), x=0, y=head, width="100%", height=_HEIGHT,
            viewBox=f"0 0 {_WIDTH} {_HEIGHT}", preserveAspectRatio="none",
        ),
        *(_line(mark, head, has_words) for mark in marks),
        *(_words(mark) for mark in marks if has_words and (mark.wide or mark.narrow)),
        class_="area", height=height, role="img", aria_label=title,
    )  # fmt: skip
    return tag("div", scale, area, class_="plot")


def spark(means: Sequence[float]) -> Element:
    """Draw a line of its own scale, from zero to its highest mean."""
    path = _path(means, max(present(means), default=1.0) or 1.0, _SPARK_WIDTH, _SPARK_HEIGHT)
    return tag(
        "svg", tag("path", class_="c1", d=path), class_="spark", height=_SPARK_HEIGHT,
        viewBox=f"0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}", preserveAspectRatio="none", aria_hidden="true",
    )  # fmt: skip


def present(values: Sequence[float]) -> list[float]:
    """Return the values that were measured."""
    return [value for value in values if not isnan(value)]


def _times(span: Span, head: float) -> Iterator[Element]:
    cell_s = max(span.last - span.first, 1e-3) / _CELLS
    for wall, label in TimeAxis(span.first, cell_s, _CELLS).times():
        share = (wall - span.first) / (cell_s * _CELLS)
        if 0 <= share <= 1:
            x = f"{share * 100:.2f}%"
            yield tag("line", class_="grid", x1=x, x2=x, y1=head, y2=head + _HEIGHT)
            yield tag("text", label, x=x, y=head + _HEIGHT + _FOOT - 4, text_anchor="middle")


def _curves(curves: Sequence[Curve], top: float) -> Iterator[Element]:
    for number, curve in enumerate(curves, 1):
        if any(peak > mean for peak, mean in zip(curve.tops, curve.means, strict=True)):
            yield tag("path", class_=f"c{number} top", d=_path(curve.tops, top, _WIDTH, _HEIGHT))
        yield tag("path", class_=f"c{number}", d=_path(curve.means, top, _WIDTH, _HEIGHT))


def _line(mark: Mark, head: float, has_words: bool) -> Element:
    places = [place for place in (mark.wide, mark.narrow) if has_words and place is not None]
    start = min((_LINE_PX * place.row + 2 for place in places), default=head)
    x = f"{mark.at * 100:.2f}%"
    line = tag("line", class_=f"mark {mark.tone}".rstrip(), x1=x, x2=x, y1=start, y2=head + _HEIGHT)
    return tag("g", tag("title", mark.title), line)


def _words(mark: Mark) -> Element:
    """Return the words and the number of a mark, which stand over the lines of others."""
    written = (
        tag(
            "text", text, class_=f"{window} {mark.tone}".rstrip(), x=f"{mark.at * 100:.2f}%",
            dx=-3 if place.is_before else 3, y=_LINE_PX * (place.row + 1) - 3,
            text_anchor="end" if place.is_before else "start",
        )
        for text, window, place in ((mark.words, "wide", mark.wide), (mark.number, "narrow", mark.narrow))
        if place is not None
    )  # fmt: skip
    return tag("g", tag("title", mark.title), *written)


def _path(values: Sequence[float], top: float, width: int, height: int) -> str:
    """Return an SVG path that breaks where nothing was measured for longer than a few steps."""
    steps, last_index = [], -_BRIDGED
    for index, value in enumerate(values):
        if isnan(value):
            continue
        pen = "L" if index - last_index < _BRIDGED else "M"
        last_index = index
        x = (index + 0.5) / len(values) * width
        y = height - min(1.0, max(0.0, value / top)) * (height - 2) - 1
        steps.append(f"{pen}{round(x, 1):g} {round(y, 1):g}" + ("h.5" if pen == "M" else ""))
    return "".join(steps)
