"""How a line of a log looks: its time, its workload, the program's colours, or its level if it has none. No Textual."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import NamedTuple

from rich.cells import cell_len

from collectors.model.log_colours import Span, cut_spans
from collectors.model.logs import LogLine
from tui.presenters.formatting import fit
from tui.presenters.styled_lines import Line, Run, plain_text, wrapped

_CHARACTERS_OF_CELL = 5
"""A letter and the most combining marks that `sanitize` leaves on it."""
_HUE_TONES = {
    "red": "bad",
    "green": "good",
    "yellow": "warn",
    "blue": "kind-vm",
    "magenta": "kind-service",
    "cyan": "kind-container",
    "black": "muted",
    "white": "text",
    "": "text",
}
"""The program's colours as roles, which can be read on every ground of every theme."""
_WORKLOAD_TONES = ("kind-vm", "kind-container", "kind-service", "good", "title", "warn")
_LONGEST_NAME = 16
_LEVEL_WITHIN = 200
"""Characters at the start of a line in which its level is looked for."""
_STAMP = re.compile(r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?\]?|\d\d:\d\d:\d\d[.,\d]*")
_BAD, _WARN, _LOW = "fatal|panic|emerg|alert|crit|critical|severe|error|err", "warning|warn", "debug|trace|verbose"
_LEVEL = re.compile(
    rf"\b(?:(?P<bad>{_BAD.upper()})|(?P<warn>{_WARN.upper()})|(?P<low>{_LOW.upper()}))\b"
    rf"|\b(?:level|severity|lvl)\"?[=:]\s*\"?(?:(?P<bad2>{_BAD})|(?P<warn2>{_WARN})|(?P<low2>{_LOW}))\b"
    rf"|[\[<](?:(?P<bad3>{_BAD})|(?P<warn3>{_WARN})|(?P<low3>{_LOW}))[\]>]"
)
"""A level as programs write it: a word in capitals, `level=error`, `"level":"error"`, `[error]`."""
_LEVEL_TONES = {"b": "bad", "w": "warn", "l": "muted"}


class LogLook(NamedTuple):
    """How lines are laid out."""

    width: int
    """Cells of a row."""
    stamps: str = ""
    """Before each line its time: `local` or `utc`; empty for none."""
    is_wrapped: bool = False
    left: int = 0
    """Characters of each line that are scrolled out at the left, unless it is wrapped."""
    names: tuple[str, ...] = ()
    """The workloads' names, shown before each line; empty for a single workload."""


def styled_log_line(line: LogLine, look: LogLook) -> list[Line]:
    """Return the rows of a log line."""
    runs = [*_prefix(line, look), *_body(line, look)]
    return wrapped(runs, look.width) if look.is_wrapped else [runs]


def _prefix(line: LogLine, look: LogLook) -> Iterator[Run]:
    if look.stamps:
        yield stamp(line.at, look.stamps) + "  ", "muted"
    if look.names:
        width = min(_LONGEST_NAME, max(map(cell_len, look.names)))
        tone = _WORKLOAD_TONES[line.workload % len(_WORKLOAD_TONES)]
        yield fit(look.names[line.workload], width) + "  ", tone


def _body(line: LogLine, look: LogLook) -> list[Run]:
    start, end = 0, len(line.text)
    if not look.is_wrapped:
        start, end = look.left, look.left + look.width * _CHARACTERS_OF_CELL
    text = line.text[start:end]
    if line.colours:
        return list(_coloured(text, cut_spans(line.colours, start, end)))
    level = None if start else _LEVEL.search(text, 0, _LEVEL_WITHIN)
    if level is None:
        return [(text, "warn" if line.is_error else "text")]
    name = level.lastgroup or ""
    edges = level.span(name)
    time_end = match.end() if (match := _STAMP.match(text)) and match.end() <= edges[0] else 0
    runs = [(text[:time_end], "muted"), (text[time_end : edges[0]], "text")]
    runs += [(text[slice(*edges)], _LEVEL_TONES[name[0]]), (text[edges[1] :], "text")]
    return [run for run in runs if run[0]]


def _coloured(text: str, spans: Sequence[Span]) -> Iterator[Run]:
    position = 0
    for span in spans:
        if span.start > position:
            yield text[position : span.start], "text"
        tone = "muted" if span.is_faint else "title" if span.is_bold and not span.hue else _HUE_TONES[span.hue]
        yield text[span.start : span.end], tone
        position = span.end
    if position < len(text) or not spans:
        yield text[position:], "text"


def row_of_match(line: LogLine, rows: Sequence[Line], needle: str) -> int:
    """Return the index of the row of a wrapped line that a text begins in, ignoring case; 0 if it is in none."""
    ends = list(accumulate(len(plain_text(row)) for row in rows))
    start = ends[-1] - len(line.text) + line.text.lower().find(needle.lower())
    return next((row for row, end in enumerate(ends) if start < end), 0)


def stamp(wall: float | None, stamps: str) -> str:
    """Return a wall time with milliseconds; UTC ends with Z. Dashes if there is none."""
    if wall is None:
        return "-" * 23
    if stamps == "utc":
        return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:23] + "Z"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall)) + f".{int(wall * 1000) % 1000:03d}"
