"""The two lines at the top: the host, its CPU and memory split into kinds, the mode, and what is special. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

from collectors.analysis.ledger import Shares
from collectors.analysis.rates import Moment
from collectors.model.metrics import Unit
from collectors.model.workloads import Availability, SourceState
from tui.presenters.formatting import duration, fit, stamp, text
from tui.presenters.styled_lines import Line, Run, plain_text

WIDE = 100
"""Terminal width from which there is room for the clock, the interval, and vmtop's own name."""
_PARTS = (("vm", "vm", "kind-vm"), ("container", "ct", "kind-container"), ("service", "svc", "kind-service"))
_REST = ("rest", "rest", "rest")
_BAR = {"color": "━━━━─", "mono": "█▓▒░─", "ascii": "vcsr."}
"""What the parts of a bar are drawn with: vm, ct, svc, rest, and what is free."""
_HALF = "╸"
_LEAST_BAR, _EXACT_BAR = 4, 20
"""Cells below which there is no bar, and from which every part that is not zero has a cell."""
_TROUBLE = {
    Availability.DOWN: ("✗", "x", "bad"),
    Availability.STALE: ("✗", "x", "warn"),
    Availability.DENIED: ("✗", "x", "warn"),
    Availability.WAITING: ("…", "...", "muted"),
}
"""States of a source that the header tells, the worst first."""
MODES = {"LIVE": "good", "DEMO": "good", "FROZEN": "warn reverse", "PAST": "warn reverse", "REPLAY": "warn reverse"}


class Header(NamedTuple):
    """What the two lines show beside the moment."""

    mode: str
    """LIVE, DEMO, FROZEN, PAST or REPLAY."""
    interval_s: float
    """Seconds between frames."""
    notes: Sequence[Run] = ()
    """What is special now, the most important last."""
    bar: str = "color"
    """How the bars are drawn: a key of `_BAR`."""


def header_lines(moment: Moment | None, header: Header, width: int) -> list[Line]:
    """Return the two lines for a terminal's width."""
    ascii_only = header.bar == "ascii"
    if moment is None:
        left: list[Run] = [(" vmtop ", "title"), (" reading this host ...", "muted")]
        return [_joined([left], _right(None, header, width), width), []]
    trouble = _trouble(moment, ascii_only)
    host = _name(moment)
    most = 12 if width < WIDE else 24
    own = trouble if trouble is not None else ("vmtop" if width >= WIDE else "", "muted")
    names = [(fit(host, min(most, cell_len(host))), "title"), own]
    name_width = max(cell_len(name) for name, _ in names)
    rights = [_right(moment, header, width), _notes(header.notes)]
    lefts = []
    shares = (("CPU", moment.ledger.cpu_cores, Unit.CORES), ("MEM", moment.ledger.memory_bytes, Unit.BYTES))
    legends = [_legend(share, unit, 2 if width >= WIDE else 1) for _, share, unit in shares]
    gap = 3 if width >= WIDE else 1
    taken = 1 + name_width + gap + len("CPU ") + len("100% ")
    needed = max(sum(map(_size, legend)) + 3 + _size(right) for legend, right in zip(legends, rights, strict=True))
    bar_width = min(max(0, width - taken - needed), width * 2 // 5 - 18)
    for (name, tone), (label, share, _), legend in zip(names, shares, legends, strict=True):
        runs: list[Run] = [(" " + fit(name, name_width) + " " * gap, tone), (label + " ", "muted"), *_percent(share)]
        if bar_width >= _LEAST_BAR and share is not None:
            runs += [*_bar(share, bar_width, header.bar), (" ", "text")]
        lefts.append([runs, *legend])
    return [_joined(left, right, width) for left, right in zip(lefts, rights, strict=True)]


def _name(moment: Moment) -> str:
    if moment.hosts:
        return f"{len(moment.hosts)} hosts"
    name = moment.frame.facts.get("hostname", moment.frame.host.name)
    return name if name[:1].isdigit() else name.partition(".")[0]


def _size(runs: Line) -> int:
    return cell_len(plain_text(runs))


def _joined(left: Sequence[Line], right: Sequence[Run], width: int) -> Line:
    """Put parts at the left and one at the right of a line, a cell from its end; at the left what fits stays whole."""
    room = width - _size(right) - 1
    kept: list[Run] = []
    for part in left:
        if _size(part) > room:
            break
        kept += part
        room -= _size(part)
    return [*kept, (" " * max(0, room), "text"), *right]


def _right(moment: Moment | None, header: Header, width: int) -> list[Run]:
    """Return interval, mode and clock. In the past the clock is always there."""
    is_past = header.mode in ("PAST", "REPLAY")
    runs: list[Run] = []
    if header.interval_s and not is_past and (width >= WIDE or header.interval_s != 1):
        runs.append((f"  {header.interval_s:g}s", "muted"))
    tone = MODES.get(header.mode, "good")
    clock = stamp(moment.frame.wall, "%H:%M:%S") if moment is not None else ""
    if is_past and clock:
        return [*runs, ("  ", "text"), (f" {header.mode}  {clock} ", tone)]
    runs.append(("  ", "text"))
    runs.append((f" {header.mode} " if "reverse" in tone else header.mode, tone))
    return [*runs, (f"  {clock}", "text")] if clock and width >= WIDE else runs


def _notes(notes: Sequence[Run]) -> list[Run]:
    return [run for note, tone in notes for run in (("  ", "text"), (note, tone))]


def _trouble(moment: Moment, ascii_only: bool) -> Run | None:
    """Return the worst state of a source that cannot be read, and how many others there are; `None` if all is well."""
    states = [state for state in moment.sources if state.availability in _TROUBLE]
    if not states:
        return None
    order = list(_TROUBLE)
    worst = min(states, key=lambda state: order.index(state.availability))
    unicode_sign, ascii_sign, tone = _TROUBLE[worst.availability]
    others = f" +{len(states) - 1}" if len(states) > 1 else ""
    age = _age(worst, moment.frame.at_ns)
    name = f"{worst.name}@{worst.host}" if moment.hosts and worst.host else worst.name
    return f"{name} {ascii_sign if ascii_only else unicode_sign}{age}{others}", tone


def _age(state: SourceState, now_ns: int) -> str:
    """Return for how long a source has not been read; of one that never was, why."""
    if state.read_at_ns is not None:
        return duration(max(0, now_ns - state.read_at_ns) / 1e9, 4).strip()
    return "" if state.availability is Availability.WAITING else f" {state.availability}"


def _percent(shares: Shares | None) -> list[Run]:
    if shares is None or not shares.capacity:
        return [("   - ", "muted")]
    return [(f"{shares.host / shares.capacity * 100:3.0f}% ", "title")]


def _legend(shares: Shares | None, unit: Unit, gap: int) -> list[Line]:
    """Return the parts of the ledger with their values, in fixed places: the two lines stand under each other."""
    if shares is None:
        return []
    parts: list[Line] = []
    for name, word, tone in (*_PARTS, _REST):
        value = getattr(shares, name)
        amount = "-" if value is None else _amount(value, unit)
        is_little = amount.strip("-0.") == ""
        shown = amount.ljust(4) + " " * gap, "muted" if is_little else "title"
        parts.append([(f"{word} ", "muted" if name == "rest" else tone), shown])
    capacity = f"{shares.capacity:g}" if unit is Unit.CORES else text(shares.capacity, unit, 5).strip()
    return [*parts, [(f"of {capacity}", "muted")]]


def _amount(value: float, unit: Unit) -> str:
    """Return a part in at most 4 characters, 5 below zero: the workloads' counters may say more than the host's."""
    size = abs(value)
    amount = text(size, unit, 4).strip() if unit is Unit.BYTES else f"{size:.1f}" if size < 99.95 else f"{size:.0f}"
    return f"-{amount}" if value < 0 and amount.strip("0.") else amount


def _bar(shares: Shares, width: int, style: str) -> Iterator[Run]:
    """Draw the parts to scale, each in its own tone; without colours, each with a sign of its own."""
    full = max(shares.capacity, shares.host - min(0.0, shares.rest)) or 1.0
    signs = _BAR[style]
    least = 1 if width >= _EXACT_BAR else 0
    edge, drawn, cells = 0.0, 0, ""
    for (name, _, _), sign in zip((*_PARTS, _REST), "vcsr", strict=True):
        value = max(0.0, getattr(shares, name) or 0.0)
        edge += value
        count = max(least if value > full / 1000 else 0, round(edge / full * width) - drawn)
        count = max(0, min(count, width - drawn))
        drawn += count
        cells += sign * count
    has_half = style == "color" and drawn < width and edge / full * width - drawn >= 0.25
    cells = (cells + (cells[-1:] or "r").upper() * has_half).ljust(width, ".")
    tones = {sign: tone for sign, (_, _, tone) in zip("vcsr", (*_PARTS, _REST), strict=True)} | {".": "border"}
    for code, group in groupby(cells):
        sign = _HALF if code.isupper() else signs["vcsr.".index(code)]
        yield sign * len(list(group)), tones[code.lower()]
