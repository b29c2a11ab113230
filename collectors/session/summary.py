"""What is in a session: span, gaps, workloads with their peaks, events, damage. One pass, one member in memory."""

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
_HOSTS_TOLD = 20


class Life(msgspec.Struct):
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
    """CPU time at the end less that at its first frame; restarts begin again at 0."""
    _cpu_before: float | None = None


class Summary(msgspec.Struct):
    """A session as a whole."""

    files: list[str]
    size: int
    """Bytes of all files."""
    first: float = 0.0
    last: float = 0.0
    frames: int = 0
    samples: int = 0
    """Workload-samples: rows of all frames, the host's too."""
    members: int = 0
    runs: int = 0
    hosts: list[str] = []
    interval_s: float = 0.0
    """The last frame's."""
    lives: dict[WorkloadId, Life] = {}
    events: list[Event] = []
    event_counts: dict[str, int] = {}
    gaps: list[Gap] = []
    damage: list[Damage] = []

    @property
    def bytes_per_sample(self) -> float | None:
        """Bytes for one workload in one frame."""
        return self.size / self.samples if self.samples else None


class Step(msgspec.Struct):
    """How far a survey is."""

    done: int
    """Gzip members read so far."""
    summary: Summary


def survey(session: Session, watch: Callable[[Moment], None] = lambda moment: None) -> Iterator[Step]:
    """Read a session from its first frame to its last; yield after each member, with what is known so far.

    Args:
        session: Which.
        watch: Called with every moment, for whoever wants more of them.
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
                    str(file.path), member.offset, f"{part.problem}; the {len(part.frames)} frames before it are whole"
                )
            )
        for frame in part.frames:
            gap = _pause(previous, frame.run, frame.wall, frame.interval_s)
            if gap is not None and not any(one.until >= gap.since for one in part.gaps):
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
                _live(summary, reading, frame.wall)
            counts.update(event.what for event in frame.events)
            summary.events += frame.events
        summary.events = summary.events[-EVENTS_KEPT:]
        summary.hosts = list(hosts)[:_HOSTS_TOLD]
        summary.runs, summary.event_counts = len(runs), dict(counts.most_common())
        yield Step(index + 1, summary)


def _pause(previous: tuple[str, float, float] | None, run: str, wall: float, interval_s: float) -> Gap | None:
    """Return the gap between two frames that are further apart than their pace."""
    if previous is None:
        return None
    before_run, before, before_s = previous
    step = max(interval_s, before_s, SHORTEST_S)
    if wall - before <= PAUSE * step:
        return None
    why = "vmtop was started again" if run != before_run else "suspended, stopped or too busy"
    return Gap(before, wall, round((wall - before) / step) - 1, why)


def _live(summary: Summary, reading: Reading, wall: float) -> None:
    workload = reading.workload
    life = summary.lives.get(workload.id)
    if life is None:
        life = summary.lives[workload.id] = Life(workload.id, workload.kind, workload.name, wall, wall, peaks={})
        life.peak_at = {}
    life.last, life.name = wall, workload.name
    life.frames += 1
    for key in PEAKS:
        value = reading.value(key)
        if value is not None and value > life.peaks.get(key, -1.0):
            life.peaks[key], life.peak_at[key] = value, wall
    total = reading.value("cpu_seconds")
    if total is not None:
        before, life._cpu_before = life._cpu_before, total
        grown = 0.0 if before is None else total - before if total >= before else total
        life.cpu_seconds = (life.cpu_seconds or 0.0) + grown
