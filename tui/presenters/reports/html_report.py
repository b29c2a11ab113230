"""A session as one HTML page that can be passed on: no script, nothing loaded from anywhere.

Every text from the session is escaped, and the page's own policy forbids whatever might slip through.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import isnan

from collectors.model.metrics import METRICS, HostChart, Unit
from collectors.model.workloads import LOCAL_HOST, Event
from collectors.safety.sanitize import sanitize
from collectors.session.downsample import Buckets, Series
from collectors.session.summary import Summary, WorkloadSummary
from tui.presenters.formatting import duration, stamp, text
from tui.presenters.sparkline import nice_top

_HEADS = "<th>Name<th>Kind<th class=n>CPU s<th class=n>CPU% peak<th class=n>Memory peak<th>CPU<th>Memory"
_TOP = 12
_HOSTS_SHOWN = 20
_EVENTS_SHOWN = 500
_MARKS_AT_MOST = 60
_BRIDGED = 4
"""Steps without a value that a line still bridges: frames are less evenly spaced than steps."""
_WIDTH, _HEIGHT, _SMALL = 960, 150, 44
_COLOURS = ("c1", "c2", "c3")
_HOST_CHARTS: tuple[tuple[str, tuple[str, ...]], ...] = tuple(
    (chart.value, tuple(key for key, metric in METRICS.items() if metric.host_chart is chart)) for chart in HostChart
)
_STYLE = """
:root{color-scheme:light dark;--b:#fff;--f:#1b1f24;--d:#6b7280;--l:#d8dce2;--c1:#2563eb;--c2:#d97706;--c3:#059669}
@media(prefers-color-scheme:dark){:root{--b:#12151a;--f:#e6e8eb;--d:#9aa3af;--l:#2c323b;--c1:#60a5fa;--c2:#fbbf24;
--c3:#34d399}}
body{background:var(--b);color:var(--f);font:14px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;
padding:0 1em}h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}p,small,figcaption{color:var(--d)}
table{border-collapse:collapse;width:100%}td,th{padding:.2em .6em;text-align:left;border-bottom:1px solid var(--l);
vertical-align:middle}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}figure{margin:1em 0}
svg{width:100%;display:block;background:color-mix(in srgb,var(--l) 25%,transparent)}td svg{width:220px}
path{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke}.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}
.c3{stroke:var(--c3)}.e{stroke:var(--d);stroke-dasharray:2 3}.k1{color:var(--c1)}.k2{color:var(--c2)}
.k3{color:var(--c3)}.x{display:flex;justify-content:space-between;color:var(--d);font-size:.8em}.scroll{overflow-x:auto}
"""


def page(summary: Summary, buckets: Buckets) -> str:
    """Return a session as an HTML page."""
    host = ", ".join(summary.hosts[:_HOSTS_SHOWN]) or "host"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f'<meta name="viewport" content="width=device-width"><title>vmtop: {escape(host)}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(host)}</h1><p>{escape(_span(summary))}</p>",
        *_troubles(summary),
        *_hosts(summary, buckets),
        "<h2>Workloads</h2>",
        _workloads(summary, buckets),
        "<h2>Events</h2>",
        _events(summary.events),
        "<p>Made by vmtop from a session file. Lines are means of each step, peaks are of single frames.</p>",
        "</body></html>",
    ]
    return "\n".join(parts)


def _hosts(summary: Summary, buckets: Buckets) -> Iterator[str]:
    """Yield the charts of each host."""
    for name, measured in (buckets.hosts or {"": {}}).items():
        of_several = len(buckets.hosts) > 1 or bool(name)
        yield f"<h2>Host{f' {escape(name or LOCAL_HOST)}' if of_several else ''}</h2>"
        events = [event for event in summary.events if event.workload.host == name]
        marks = _marks(events, buckets)
        yield from (_host_chart(title, keys, measured, marks, buckets) for title, keys in _HOST_CHARTS)


def _span(summary: Summary) -> str:
    span = duration(summary.last - summary.first, 8).strip()
    zone = time.strftime("%Z")
    return (
        f"{stamp(summary.first)} to {stamp(summary.last)} {zone} ({span}), {summary.frames:,} frames, "
        f"{len(summary.workloads):,} workloads"
    )


def _troubles(summary: Summary) -> list[str]:
    lines = [f"No frames from {stamp(gap.since)} to {stamp(gap.until)}: {gap.why}" for gap in summary.gaps]
    lines += [
        f"Damaged: {sanitize(damage.path, 1000)} at byte {damage.offset:,}: {damage.what}" for damage in summary.damage
    ]
    lines += [f"Omitted: {omission}" for omission in summary.omissions]
    return ["<ul>", *(f"<li>{escape(line)}</li>" for line in lines[:100]), "</ul>"] if lines else []


def _host_chart(title: str, keys: Sequence[str], series_by_key: dict[str, Series], marks: str, buckets: Buckets) -> str:
    measured = [(key, series_by_key[key]) for key in keys if key in series_by_key]
    if not measured:
        return f"<figure><figcaption>{escape(title)}: not measured</figcaption></figure>"
    means = [series.means() for _, series in measured]
    unit = METRICS[keys[0]].unit
    top = nice_top(
        [value for _, series in measured for value in series.tops], 1.0, unit in (Unit.BYTES, Unit.BYTES_PER_SECOND)
    )
    legend = " ".join(
        f'<b class="k{number}">{escape(METRICS[key].label)}</b> peak {_value(key, max(_present(series.tops)))}'
        for number, (key, series) in enumerate(measured, 1)
    )
    picture = _svg(means, top, _HEIGHT, marks)
    ends = "".join(f"<span>{stamp(wall, '%H:%M:%S')}</span>" for wall in (buckets.first, buckets.last))
    picture += f'<div class="x">{ends}</div>'
    return f"<figure>{picture}<figcaption>{escape(title)}, top {_value(keys[0], top)} · {legend}</figcaption></figure>"


def _marks(events: Sequence[Event], buckets: Buckets) -> str:
    """Return a line for each event; where there are too many to tell apart, only for users' notes."""
    marked_events = events if len(events) <= _MARKS_AT_MOST else [event for event in events if event.what == "note"]
    parts = []
    for event in marked_events[:_MARKS_AT_MOST]:
        x = (event.wall - buckets.first) / max(buckets.last - buckets.first, 1e-9) * _WIDTH
        tooltip = escape(f"{stamp(event.wall)} {event.name} {event.what} {event.detail}")
        parts.append(f'<path class="e" d="M{x:.1f} 0V{_HEIGHT}"><title>{tooltip}</title></path>')
    return "".join(parts)


def _svg(lines: Sequence[Sequence[float]], top: float, height: int, marks: str = "") -> str:
    width = _WIDTH if height == _HEIGHT else 220
    drawn = [
        f'<path class="{_COLOURS[number % 3]}" d="{_path(values, top, width, height)}"/>'
        for number, values in enumerate(lines)
    ]
    box = f'viewBox="0 0 {width} {height}" height="{height}" preserveAspectRatio="none"'
    return f"<svg {box}>{marks}{''.join(drawn)}</svg>"


def _path(values: Sequence[float], top: float, width: int, height: int) -> str:
    """Return an SVG path that breaks where nothing was measured for longer than a few steps."""
    steps, pen, last_index = [], "M", -_BRIDGED
    for index, value in enumerate(values):
        if isnan(value):
            continue
        pen = "L" if index - last_index < _BRIDGED else "M"
        last_index = index
        x = index / max(1, len(values) - 1) * width
        y = height - min(1.0, value / (top or 1.0)) * (height - 2) - 1
        steps.append(f"{pen}{x:.1f} {y:.1f}" + ("h.5" if pen == "M" else ""))
    return "".join(steps)


def _workloads(summary: Summary, buckets: Buckets) -> str:
    lives = sorted(summary.workloads.values(), key=lambda life: life.cpu_seconds or 0.0, reverse=True)
    of_several = any(life.id.host for life in lives)
    header = f"<tr>{'<th>Host' if of_several else ''}{_HEADS}</tr>"
    rows = [_row(life, buckets, number < _TOP, of_several) for number, life in enumerate(lives)]
    note = f"<p>Charts are of the first {_TOP}.</p>" if len(lives) > _TOP else ""
    return f'<div class="scroll"><table>{header}{"".join(rows)}</table></div>{note}'


def _row(life: WorkloadSummary, buckets: Buckets, has_pictures: bool, has_host: bool) -> str:
    cpu_seconds = "-" if life.cpu_seconds is None else f"{life.cpu_seconds:,.1f}"
    host = f"<td>{escape(life.id.host or LOCAL_HOST)}" if has_host else ""
    cells = [f"{host}<td>{escape(life.name)}<td>{escape(life.kind)}<td class=n>{cpu_seconds}"]
    for key in ("cpu_percent", "memory_host_bytes"):
        peak = life.peaks.get(key)
        words = life.reasons.get(key, "") if peak is None else f"at {stamp(life.peak_at[key])}"
        tooltip = f' title="{escape(words, quote=True)}"' if words else ""
        cells.append(f"<td class=n{tooltip}>{'-' if peak is None else _value(key, peak)}")
    for key in ("cpu_percent", "memory_host_bytes"):
        series = buckets.workloads.get(life.id, {}).get(key) if has_pictures else None
        cells.append(f"<td>{_small(series) if series else ''}")
    return f"<tr>{''.join(cells)}</tr>"


def _small(series: Series) -> str:
    means = series.means()
    return _svg([means], max(_present(means), default=1.0) or 1.0, _SMALL)


def _events(events: Sequence[Event]) -> str:
    if not events:
        return "<p>None.</p>"
    newest_events = events[-_EVENTS_SHOWN:]
    rows = [
        f"<tr><td>{stamp(event.wall)}<td>{escape(event.workload.named(event.name))}<td>{escape(event.what)}<td>{escape(event.detail)}</tr>"
        for event in newest_events
    ]
    note = f"<p>The newest {len(newest_events)} of {len(events):,}.</p>" if len(newest_events) < len(events) else ""
    return f"{note}<table><tr><th>Time<th>Workload<th>Event<th>Detail</tr>{''.join(rows)}</table>"


def _present(values: Iterable[float]) -> list[float]:
    return [value for value in values if not isnan(value)]


def _value(key: str, value: float) -> str:
    unit = METRICS[key].unit
    ending = {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "/s"}.get(unit, "")
    return escape(text(value, unit, 6).strip() + ending)
