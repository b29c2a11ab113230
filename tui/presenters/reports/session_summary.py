"""A session's summary as plain text that fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.model.metrics import METRICS, Unit
from collectors.safety.sanitize import sanitize
from collectors.session.summary import Summary, WorkloadSummary
from tui.presenters.formatting import duration, fit, stamp, text

_SHOWN = 40
_EVENTS_SHOWN = 12
_WIDTH = 80


def as_text(summary: Summary) -> str:
    """Return the summary, a fact a line; long lists are cut and say so."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(summary))


def _lines(summary: Summary) -> Iterator[str]:
    size = text(summary.size, Unit.BYTES, 6).strip()
    bytes_per_sample = summary.bytes_per_sample
    for name in summary.files:
        yield f"file      {sanitize(name, 1000)}"
    yield f"size      {size} in {summary.members} parts, {bytes_per_sample or 0:.1f} bytes a workload and frame"
    if summary.frames:
        span = duration(summary.last - summary.first, 8).strip()
        yield f"span      {stamp(summary.first)} to {stamp(summary.last)} ({span})"
        yield f"frames    {summary.frames:,} every {summary.interval_s:g} s on {', '.join(summary.hosts)}"
    yield from _gaps(summary)
    for damage in summary.damage:
        yield f"damage    {sanitize(damage.path, 1000)} at byte {damage.offset:,}: {damage.what}"
    for omission in summary.omissions:
        yield f"omitted   {omission}"
    yield from _events(summary)
    yield from _workloads(summary)


def _gaps(summary: Summary) -> Iterator[str]:
    if not summary.gaps:
        yield "gaps      none"
    for gap in summary.gaps[:_SHOWN]:
        until = _clock(gap.until) if stamp(gap.since)[:10] == stamp(gap.until)[:10] else stamp(gap.until)
        yield f"gap       {stamp(gap.since)} to {until}, {gap.frames:,} frames: {gap.why}"
    if len(summary.gaps) > _SHOWN:
        yield f"          and {len(summary.gaps) - _SHOWN} more"


def _events(summary: Summary) -> Iterator[str]:
    counts = ", ".join(f"{what} {count}" for what, count in summary.event_counts.items())
    yield fit(f"events    {counts or 'none'}", _WIDTH)
    for event in summary.events[-_EVENTS_SHOWN:]:
        yield fit(f"          {stamp(event.wall)}  {event.name}  {event.what}  {event.detail}", _WIDTH)


def _workloads(summary: Summary) -> Iterator[str]:
    yield ""
    yield f"{'NAME':<24} {'KIND':<9} {'FROM':>8} {'TO':>8} {'CPU s':>8} {'CPU% PEAK':>9} {'MEM PEAK':>8}"
    lives = sorted(summary.workloads.values(), key=lambda life: life.cpu_seconds or 0.0, reverse=True)
    for life in lives[:_SHOWN]:
        yield _workload(life)
    if len(lives) > _SHOWN:
        yield f"and {len(lives) - _SHOWN} more; --json has all"


def _workload(life: WorkloadSummary) -> str:
    cpu_seconds = "-" if life.cpu_seconds is None else f"{life.cpu_seconds:.1f}"
    cpu, memory = (
        text(life.peaks.get(key), METRICS[key].unit, width)
        for key, width in (("cpu_percent", 9), ("memory_host_bytes", 8))
    )
    since, until = _clock(life.first), _clock(life.last)
    identity = f"{fit(life.name, 24)} {life.kind:<9}"
    return f"{identity} {since:>8} {until:>8} {cpu_seconds:>8} {cpu} {memory}"


def _clock(wall: float) -> str:
    return stamp(wall, "%H:%M:%S")
