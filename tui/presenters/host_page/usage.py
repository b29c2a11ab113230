"""CPU, cores and memory of the host."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

from collectors.analysis.history import History
from collectors.analysis.hosts import pooled_bytes
from collectors.analysis.ledger import Shares
from collectors.analysis.rates import Moment
from collectors.model.machine import Core
from collectors.model.metrics import Unit
from tui.presenters.area import Area, columns, paint_area
from tui.presenters.formatting import text
from tui.presenters.host_page.layout import Part, bar, side_by_side
from tui.presenters.styled_lines import Line, Run

HOT_PERCENT = 90.0
_STOLEN_PERCENT = 10.0
_PARTS = (
    ("vm", "vm", "kind-vm", "machines"),
    ("container", "ct", "kind-container", "containers"),
    ("service", "svc", "kind-service", "services"),
    ("rest", "rest", "rest", "kernel, other processes"),
)
_WORD = 24
_CELL = 11
"""Cells of a core that is drawn with a bar, without its number."""
_MOST_BARS = 8
"""Lines of cores with bars; hosts with more cores get one cell a core."""
_LEVELS, _ASCII_LEVELS = "▁▂▃▄▅▆▇█", ".:-=+*#@"


def cpu_part(moment: Moment, history: History, width: int, is_ascii: bool) -> Part:
    """Return the CPU of the host by kind, with its recent past."""
    shares = moment.ledger.cpu_cores
    load = moment.frame.facts.get("load", "")
    values = _past(moment, history, "cpu_percent", width, is_ascii)
    lines = _ledger(shares, Unit.CORES, Area(values, moment.frame.cpus * 100.0, "cpu"), "100%", width, is_ascii)
    if shares is None:
        return Part("CPU", "CPU", "not known yet: it takes two samples", f"load {load}" if load else "", lines)
    percent = shares.host / shares.capacity * 100 if shares.capacity else 0.0
    words = f"{shares.host:.1f} of {shares.capacity:g} cores"
    return Part("CPU", f"CPU {percent:.0f}%", words, f"load {load}" if load else "", lines)


def memory_part(moment: Moment, history: History, width: int, is_ascii: bool) -> Part:
    """Return the memory of the host by kind; used, cache and free add up to all of it."""
    frame, shares = moment.frame, moment.ledger.memory_bytes
    charged = moment.host.gauge("memory_charged_bytes")
    total = frame.memory_bytes or None
    values = _past(moment, history, "memory_host_bytes", width, is_ascii)
    top = text(total, Unit.BYTES, 5).strip()
    lines = _ledger(shares, Unit.BYTES, Area(values, float(total or 1), "mem"), top, width, is_ascii)
    if pooled := pooled_bytes(frame.facts):
        unused = _size(frame.facts.get("hugepages_unused", ""))
        lines.append([("  hugepages ", "muted"), (_size(pooled), "text"), (f" in pools, {unused} unused", "muted")])
    swap, swap_all = frame.facts.get("swap_used", ""), frame.facts.get("swap_total", "")
    right = f"swap {_size(swap)} of {_size(swap_all)}" if swap_all.isdigit() and int(swap_all) else "no swap"
    if shares is None or not total:
        return Part("Memory", "Memory", "not known", right, lines)
    words = f"{_size(shares.host)} of {_size(total)}"
    if charged is not None:
        words += f" · {_size(total - charged)} free · {_size(max(0.0, charged - shares.host))} cache"
    return Part(
        "Memory", f"Memory {shares.host / total * 100:.0f}%", words.replace("·", "-" if is_ascii else "·"), right, lines
    )


def _size(value: float | str) -> str:
    return text(float(value), Unit.BYTES, 5).strip() if value not in ("", None) else "-"


def _past(moment: Moment, history: History, key: str, width: int, is_ascii: bool) -> list[float]:
    return history.recent(moment.host.workload.id, key, columns(_graph(width), is_ascii))


def _graph(width: int) -> int:
    """Return the cells of the graph next to the bars; 0 where there is no room for it."""
    left = _left(width)
    room = width - left - 8
    return room if room >= 16 else 0


def _left(width: int) -> int:
    return min(54 + (_WORD if width >= 110 else 0), max(36, width * 6 // 10))


def _ledger(shares: Shares | None, unit: Unit, area: Area, top: str, width: int, is_ascii: bool) -> list[Line]:
    left = _left(width)
    has_words = width >= 110
    bar_width = left - 14 - (_WORD if has_words else 0)
    lines: list[Line] = []
    for name, short, tone, word in _PARTS:
        value = None if shares is None else getattr(shares, name)
        shown = "-" if value is None else f"{value:.1f}" if unit is Unit.CORES else text(value, unit, 5).strip()
        share = max(0.0, value or 0.0) / shares.capacity if shares is not None and shares.capacity else 0.0
        runs: list[Run] = [(f"  {short:<5}", "muted" if name == "rest" else tone)]
        runs += [(f"{shown:>5}  ", "title" if value and shown.strip("-0.") else "muted")]
        runs += bar(share, bar_width, tone, is_ascii, short[0])
        lines.append([*runs, (f"  {word}" if has_words else "", "muted")])
    graph = _graph(width)
    if not graph:
        return lines
    painted = paint_area(area, graph, len(lines), is_ascii)
    labels = [top, *[""] * (len(lines) - 2), "0"]
    framed = [[(f"{label:>6} ", "muted"), *line] for label, line in zip(labels, painted, strict=True)]
    return side_by_side(lines, framed, left)


def cores_part(cores: Sequence[Core], width: int, is_ascii: bool) -> Part:
    """Return each core's use now. On hosts with very many, one cell a core and the hot ones by name."""
    hot_sign = "!" if is_ascii else "▲"
    digits = len(str(max((core.number for core in cores), default=0)))
    per_line = max(1, (width - 2) // (_CELL + digits + 1))
    stolen = [core for core in cores if (core.steal_percent or 0.0) >= _STOLEN_PERCENT]
    offline = [core for core in cores if not core.is_online]
    steals = [core.steal_percent for core in cores if core.steal_percent is not None]
    is_compact = len(cores) > per_line * _MOST_BARS
    lines = _heat(cores, width, is_ascii) if is_compact else _bars(cores, per_line, digits, is_ascii, hot_sign)
    if stolen:
        names = "  ".join(f"{core.number} {core.steal_percent:.0f}%" for core in stolen[:12])
        lines.append([("  stolen by the hypervisor below: ", "muted"), (names, "warn")])
    if is_compact and (hot := [core for core in cores if (core.busy_percent or 0.0) > HOT_PERCENT]):
        names = "  ".join(f"{core.number} {core.busy_percent:.0f}%" for core in hot[: max(1, (width - 10) // 8)])
        lines.append(
            [(f"  {hot_sign} ", "bad"), (names, "bad"), (f"  of {len(hot)}" if len(hot) > 12 else "", "muted")]
        )
    words = f"{len(cores) - len(offline)} of {len(cores)} online" if offline else str(len(cores))
    words += f"; {hot_sign} above {HOT_PERCENT:.0f}%"
    right = f"steal {sum(steals) / len(steals):.1f}%" if steals and sum(steals) >= 0.05 * len(steals) else ""
    return Part("Cores", "Cores", f" {words}", right, lines)


def _bars(cores: Sequence[Core], per_line: int, digits: int, is_ascii: bool, sign: str) -> list[Line]:
    lines: list[Line] = []
    for start in range(0, len(cores), per_line):
        runs: list[Run] = [("  ", "text")]
        for core in cores[start : start + per_line]:
            runs += [(f"{core.number:>{digits}} ", "muted"), *_core(core, is_ascii, sign), (" ", "text")]
        lines.append(runs)
    return lines


def _core(core: Core, is_ascii: bool, sign: str) -> list[Run]:
    if core.busy_percent is None:
        return [("     ", "border"), ("  off" if not core.is_online else "    -", "muted")]
    is_hot = core.busy_percent > HOT_PERCENT
    runs = bar(core.busy_percent / 100, 5, "bad" if is_hot else "graph-cpu", is_ascii)
    shown = f"{core.busy_percent:.0f}%"
    return [*runs, (f"{sign if is_hot else ' '}{shown:>4}", "bad" if is_hot else "text" if shown != "0%" else "muted")]


def _heat(cores: Sequence[Core], width: int, is_ascii: bool) -> list[Line]:
    """Return one cell a core, 64 or 32 on a line, with the number of the first."""
    per_line = 64 if width >= 72 else 32
    levels = _ASCII_LEVELS if is_ascii else _LEVELS
    lines: list[Line] = []
    for start in range(0, len(cores), per_line):
        runs: list[Run] = [(f"{cores[start].number:>5} ", "muted")]
        for core in cores[start : start + per_line]:
            if core.busy_percent is None or isnan(core.busy_percent):
                runs.append(("x" if not core.is_online else "?", "muted"))
            else:
                level = levels[min(len(levels) - 1, int(core.busy_percent / 100 * len(levels)))]
                runs.append((level, "bad" if core.busy_percent > HOT_PERCENT else "graph-cpu"))
        lines.append(runs)
    return lines
