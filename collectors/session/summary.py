"""Summary of a session: span, gaps, workloads with their peaks, events, damage. One pass, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import inf

import msgspec

from collectors.analysis.empty_cells import lasting_reason
from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Event, Frame, WorkloadId
from collectors.session.format import MOST_HOSTS, MOST_KEPT, PAUSE, SHORTEST_S, Damage, Gap
from collectors.session.frame_sequence import FrameSequence
from collectors.session.kept import Budget, NewestEvents

PEAKS = tuple(key for key, metric in METRICS.items() if metric.has_peak)
"""Metrics whose highest value is shown for each workload."""
_MOST_DAMAGE = 1000
_MOST_KINDS_OF_EVENTS = 100
_OTHER = "other"
_NOTED_AFTER = 3
"""Readings of a workload by which its sources have noted what they cannot measure."""
_LONGEST_REASON = 200


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
    reasons: dict[str, str] = {}
    """Why it has no value of a metric with a peak, as far as its sources noted."""
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
    """By what happened; `other` counts those beyond the first hundred kinds."""
    gaps: list[Gap] = []
    damage: list[Damage] = []
    omissions: list[str] = []
    """What is not in here because the session has too much of it, one sentence each."""

    @property
    def bytes_per_sample(self) -> float | None:
        """Bytes for one workload in one frame."""
        return self.size / self.samples if self.samples else None


class Step(msgspec.Struct):
    """The progress of a survey."""

    done: int
    """Gzip members read so far."""
    summary: Summary


def survey(session: FrameSequence, watch: Callable[[Moment], None] = lambda moment: None) -> Iterator[Step]:
    """Read a session from its first frame to its last; yield after each member, with the summary so far.

    Args:
        session: The session to read.
        watch: Called with every moment, for callers that need more than the summary.
    """
    surveyor = _Surveyor(session)
    for index in range(len(session.outline)):
        surveyor.take_member(index, watch)
        yield Step(index + 1, surveyor.summary)


class _Surveyor:
    """Makes the summary of a session, member by member. Bounded: what exceeds a bound is named in `omissions`."""

    def __init__(self, session: FrameSequence) -> None:
        self._session = session
        self.summary = Summary([str(file.path) for file in session.files], sum(file.size for file in session.files))
        self.summary.members = len(session.outline)
        self._deriver = Deriver()
        self._events = NewestEvents()
        self._event_counts = Counter[str]()
        self._workload_budget = Budget()
        self._runs: set[str] = set()
        self._previous: tuple[str, float, float] | None = None
        for damage in session.damage:
            self._add_damage(damage)

    def take_member(self, index: int, watch: Callable[[Moment], None]) -> None:
        """Add a member's frames."""
        recorded_until = -inf
        for item in self._session.contents(index):
            if isinstance(item, Gap):
                recorded_until = max(recorded_until, item.until)
                self._add_gap(item)
            else:
                self._take_frame(item, recorded_until, watch)
        for damage in self._session.damage_in(index):
            self._add_damage(damage)
        if self._event_counts.total() != sum(self.summary.event_counts.values()):
            self.summary.events = self._events.all()
            self.summary.event_counts = dict(self._event_counts.most_common())
        self.summary.runs = len(self._runs)

    def _take_frame(self, frame: Frame, recorded_until: float, watch: Callable[[Moment], None]) -> None:
        summary = self.summary
        gap = _pause(self._previous, frame.run, frame.wall, frame.interval_s)
        if gap is not None and recorded_until < gap.since:
            self._add_gap(gap)
        self._previous = (frame.run, frame.wall, frame.interval_s)
        moment = self._deriver.feed(frame)
        watch(moment)
        summary.frames += 1
        summary.first = summary.first or frame.wall
        summary.last, summary.interval_s = frame.wall, frame.interval_s
        if len(self._runs) < MOST_KEPT:
            self._runs.add(frame.run)
        for host in names_of_hosts(frame):
            if host not in summary.hosts and len(summary.hosts) < MOST_HOSTS:
                summary.hosts.append(host)
        summary.samples += len(frame.workloads) + 1
        for reading in moment.readings.values():
            self._take_reading(reading, frame.wall)
        self._events.extend(frame.events)
        for event in frame.events:
            is_counted = event.what in self._event_counts or len(self._event_counts) < _MOST_KINDS_OF_EVENTS
            self._event_counts[event.what if is_counted else _OTHER] += 1

    def _take_reading(self, reading: Reading, wall: float) -> None:
        workload = reading.workload
        workload_summary = self.summary.workloads.get(workload.id)
        if workload_summary is None:
            if not self._workload_budget.takes(*workload.id, workload.name):
                self._omit(f"only the first {len(self.summary.workloads):,} workloads are listed")
                return
            workload_summary = WorkloadSummary(
                workload.id, workload.kind, workload.name, wall, wall, peaks={}, peak_at={}, reasons={}
            )
            self.summary.workloads[workload.id] = workload_summary
        _add_reading(workload_summary, reading, wall)

    def _add_gap(self, gap: Gap) -> None:
        if len(self.summary.gaps) < MOST_KEPT:
            self.summary.gaps.append(gap)
        else:
            self._omit(f"only the first {MOST_KEPT:,} gaps are listed")

    def _add_damage(self, damage: Damage) -> None:
        if len(self.summary.damage) < _MOST_DAMAGE:
            self.summary.damage.append(damage)
        else:
            self._omit(f"only the first {_MOST_DAMAGE:,} damaged parts are listed")

    def _omit(self, sentence: str) -> None:
        if sentence not in self.summary.omissions:
            self.summary.omissions.append(sentence)


def names_of_hosts(frame: Frame) -> list[str]:
    """Return the names of all hosts of a frame; that of the host on which it was made comes first, if it was read."""
    own = [] if frame.hosts and frame.host.id not in frame.samples else [frame.facts.get("hostname", frame.host.name)]
    return [*own, *frame.hosts]


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


def _add_reading(workload_summary: WorkloadSummary, reading: Reading, wall: float) -> None:
    workload_summary.last, workload_summary.name = wall, reading.workload.name
    workload_summary.frames += 1
    if workload_summary.frames <= _NOTED_AFTER:
        workload_summary.reasons = {
            key: lasting_reason(key, reading.workload)[:_LONGEST_REASON] for key in PEAKS if reading.value(key) is None
        }
    for key in PEAKS:
        value = reading.value(key)
        if value is not None and value > workload_summary.peaks.get(key, -1.0):
            workload_summary.peaks[key], workload_summary.peak_at[key] = value, wall
    total = reading.value("cpu_seconds")
    if total is not None:
        previous_total, workload_summary._previous_cpu_seconds = workload_summary._previous_cpu_seconds, total
        growth = 0.0 if previous_total is None else total - previous_total if total >= previous_total else total
        workload_summary.cpu_seconds = (workload_summary.cpu_seconds or 0.0) + growth
