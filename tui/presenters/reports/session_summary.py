"""A session's summary as plain text that fits 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.model.metrics import METRICS, Unit
from collectors.model.wording import counted
from collectors.model.workloads import LOCAL_HOST, Event
from collectors.safety.sanitize import sanitize
from collectors.session.summary import Summary, WorkloadSummary
from tui.presenters.formatting import duration, fit, stamp, text

_SHOWN = 40
_EVENTS_SHOWN = 12
_HOSTS_SHOWN = 20
_WIDTH = 80


def as_text(summary: Summary) -> str:
    """Return the summary, a fact a line; long lists are cut and say so."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(summary))


def _lines(summary: Summary) -> Iterator[str]:
    size = text(summary.size, Unit.BYTES, 6).strip()
    bytes_per_sample = summary.bytes_per_sample
    for name in summary.files:
        yield f"file      {sanitize(name, 1000)}"
    parts = counted(summary.members, "part")
    yield f"size      {size} in {parts}, {bytes_per_sample or 0:.1f} bytes a workload and frame"
    if summary.frames:
        span = duration(summary.last - summary.first, 8).strip()
        yield f"span      {stamp(summary.first)} to {stamp(summary.last)} ({span})"
        yield f"frames    {summary.frames:,} every {summary.interval_s:g} s on {_hosts(summary)}"
    yield from _gaps(summary)
    for damage in summary.damage:
        yield f"damage    {sanitize(damage.path, 1000)} at byte {damage.offset:,}: {damage.what}"
    for omission in summary.omissions:
        yield f"omitted   {omission}"
    yield from _events(summary)
    yield from _workloads(summary)


def _hosts(summary: Summary) -> str:
    more = len(summary.hosts) - _HOSTS_SHOWN
    return ", ".join(summary.hosts[:_HOSTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


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
        yield fit(f"          {stamp(event.wall)}  {_where(event)}{event.name}  {event.what}  {event.detail}", _WIDTH)


def _where(event: Event) -> str:
    return f"{event.workload.host}/" if event.workload.host else ""


def _workloads(summary: Summary) -> Iterator[str]:
    yield ""
    of_several = any(identity.host for identity in summary.workloads)
    first = f"{'HOST':<10} {'NAME':<13}" if of_several else f"{'NAME':<24}"
    yield f"{first} {'KIND':<9} {'FROM':>8} {'TO':>8} {'CPU s':>8} {'CPU% PEAK':>9} {'MEM PEAK':>8}"
    lives = sorted(summary.workloads.values(), key=lambda life: life.cpu_seconds or 0.0, reverse=True)
    for life in lives[:_SHOWN]:
        yield _workload(life, of_several)
    if len(lives) > _SHOWN:
        yield f"and {len(lives) - _SHOWN} more; --json has all"


def _workload(life: WorkloadSummary, has_host: bool) -> str:
    cpu_seconds = "-" if life.cpu_seconds is None else f"{life.cpu_seconds:.1f}"
    cpu, memory = (
        text(life.peaks.get(key), METRICS[key].unit, width)
        for key, width in (("cpu_percent", 9), ("memory_host_bytes", 8))
    )
    since, until = _clock(life.first), _clock(life.last)
    name = f"{fit(life.id.host or LOCAL_HOST, 10)} {fit(life.name, 13)}" if has_host else fit(life.name, 24)
    identity = f"{name} {life.kind:<9}"
    return f"{identity} {since:>8} {until:>8} {cpu_seconds:>8} {cpu} {memory}"


def _clock(wall: float) -> str:
    return stamp(wall, "%H:%M:%S")
