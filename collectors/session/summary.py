"""Summary of a session: span, gaps, workloads with their peaks, events, damage. One pass, one member in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import msgspec

from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Event, WorkloadId
from collectors.session.format import PAUSE, SHORTEST_S, Damage, Gap
from collectors.session.reader import Session

PEAKS = tuple(key for key, metric in METRICS.items() if metric.has_peak)
"""Metrics whose highest value is shown for each workload."""
EVENTS_KEPT = 10_000
_MOST_HOSTS = 20


class WorkloadSummary(msgspec.Struct):
    """One workload in a session."""

    id: WorkloadId
    kind: str
    name: str
    first: float
    """Wall time of the first frame that has it."""
    last: float
    frames: int = 0
    peaks: dict[str, float] = {}
    peak_at: dict[str, float] = {}
    """Wall times of the peaks."""
    cpu_seconds: float | None = None
    """CPU time used from its first frame to its last, restarts included; `None` if it was never measured."""
    _previous_cpu_seconds: float | None = None


class Summary(msgspec.Struct):
    """A session as a whole."""

    files: list[str]
    size: int
    """Bytes of all files."""
    first: float = 0.0
    last: float = 0.0
    frames: int = 0
    samples: int = 0
    """Rows of all frames: one for each workload and one for the host."""
    members: int = 0
    runs: int = 0
    hosts: list[str] = []
    interval_s: float = 0.0
    """Seconds between frames, as of the last frame."""
    workloads: dict[WorkloadId, WorkloadSummary] = {}
    events: list[Event] = []
    event_counts: dict[str, int] = {}
    gaps: list[Gap] = []
    damage: list[Damage] = []

    @property
    def bytes_per_sample(self) -> float | None:
        """Bytes for one workload in one frame."""
        return self.size / self.samples if self.samples else None


class Step(msgspec.Struct):
    """The progress of a survey."""

    done: int
    """Gzip members read so far."""
    summary: Summary


def survey(session: Session, watch: Callable[[Moment], None] = lambda moment: None) -> Iterator[Step]:
    """Read a session from its first frame to its last; yield after each member, with the summary so far.

    Args:
        session: The session to read.
        watch: Called with every moment, for callers that need more than the summary.
    """
    summary = Summary([str(file.path) for file in session.files], sum(file.size for file in session.files))
    summary.damage = list(session.damage)
    summary.members = len(session.members)
    deriver, counts, runs = Deriver(), Counter[str](), set[str]()
    hosts: dict[str, None] = {}
    previous: tuple[str, float, float] | None = None
    for index, (file, member) in enumerate(session.members):
        part = session.part(index)
        summary.gaps += part.gaps
        if part.problem:
            summary.damage.append(
                Damage(
                    str(file.path), member.offset, f"{part.problem}; the {len(part.frames)} frames before it are intact"
                )
            )
        for frame in part.frames:
            gap = _pause(previous, frame.run, frame.wall, frame.interval_s)
            if gap is not None and not any(recorded.until >= gap.since for recorded in part.gaps):
                summary.gaps.append(gap)
            previous = (frame.run, frame.wall, frame.interval_s)
            moment = deriver.feed(frame)
            watch(moment)
            summary.frames += 1
            summary.first = summary.first or frame.wall
            summary.last, summary.interval_s = frame.wall, frame.interval_s
            runs.add(frame.run)
            host = frame.facts.get("hostname", frame.host.name)
            hosts[host] = None
            summary.samples += len(frame.workloads) + 1
            for reading in moment.readings.values():
                _add_reading(summary, reading, frame.wall)
            counts.update(event.what for event in frame.events)
            summary.events += frame.events
        summary.events = summary.events[-EVENTS_KEPT:]
        summary.hosts = list(hosts)[:_MOST_HOSTS]
        summary.runs, summary.event_counts = len(runs), dict(counts.most_common())
        yield Step(index + 1, summary)


def _pause(previous: tuple[str, float, float] | None, run: str, wall: float, interval_s: float) -> Gap | None:
    """Return the gap between two frames that are further apart than their intervals; `None` if they are not."""
    if previous is None:
        return None
    previous_run, previous_wall, previous_interval_s = previous
    step_s = max(interval_s, previous_interval_s, SHORTEST_S)
    if wall - previous_wall <= PAUSE * step_s:
        return None
    reason = "vmtop was started again" if run != previous_run else "suspended, stopped or too busy"
    return Gap(previous_wall, wall, round((wall - previous_wall) / step_s) - 1, reason)


def _add_reading(summary: Summary, reading: Reading, wall: float) -> None:
    workload = reading.workload
    workload_summary = summary.workloads.get(workload.id)
    if workload_summary is None:
        workload_summary = summary.workloads[workload.id] = WorkloadSummary(
            workload.id, workload.kind, workload.name, wall, wall, peaks={}
        )
        workload_summary.peak_at = {}
    workload_summary.last, workload_summary.name = wall, workload.name
    workload_summary.frames += 1
    for key in PEAKS:
        value = reading.value(key)
        if value is not None and value > workload_summary.peaks.get(key, -1.0):
            workload_summary.peaks[key], workload_summary.peak_at[key] = value, wall
    total = reading.value("cpu_seconds")
    if total is not None:
        previous_total, workload_summary._previous_cpu_seconds = workload_summary._previous_cpu_seconds, total
        growth = 0.0 if previous_total is None else total - previous_total if total >= previous_total else total
        workload_summary.cpu_seconds = (workload_summary.cpu_seconds or 0.0) + growth
