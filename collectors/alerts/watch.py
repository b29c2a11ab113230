"""Judges moments by rules: which alerts there are, which have just begun, which are over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence, Set
from itertools import compress, islice
from typing import NamedTuple

from collectors.alerts.alert import Alert, Subject
from collectors.alerts.condition import EngineDisk, Happening, Holding, SourceIs, is_of_hosts
from collectors.alerts.evidence import Evidence, ToldBy, measured_words
from collectors.alerts.happenings import Happenings
from collectors.alerts.rule import Rule
from collectors.alerts.standing import Standing, Step
from collectors.alerts.told import OVER
from collectors.analysis.rates import Moment, Reading
from collectors.model.workloads import SourceState, Workload, WorkloadId

LEAST_S = 0.9
"""Seconds between two judgements: frames that come faster tell a rule nothing more."""
MOST_JUDGED = 1000
"""Workloads with nothing to be watched that are judged at once; more are taken in turns."""
GAP_S, _GAP_INTERVALS = 10.0, 2.5
"""Frames further apart than both are not one stretch of time."""
_ENDED_KEPT = 500
_NO_RULES: Set[int] = frozenset()
GONE, SILENCED, NEW_RUN = "it is gone", "silenced", "another run of vmtop began"
AT_REST, ABSENT = "it no longer runs", "there is nothing to measure any more"

Key = tuple[str, Subject]
"""A rule's name, and what it is held against."""


class _Case(NamedTuple):
    """A rule held against a subject."""

    rule: Rule
    subject: Subject
    name: str
    workload: Workload | None
    verdict: bool | None
    for_s: float
    detail: str = ""
    is_absent: bool = False
    """Whether what is not known is not there."""
    end: str = OVER
    """Why an alert would end now."""


class AlertWatch:
    """The alerts of a host, or of several.

    Args:
        rules: Those that are off are left out.
        told_by: Returns the engines of whose workloads a source alone knows their state.
        gap_s: Seconds between frames from which on the time between them does not count.
    """

    def __init__(
        self, rules: Sequence[Rule], told_by: ToldBy = lambda source: frozenset({source}), gap_s: float = GAP_S
    ) -> None:
        self._gap_s = gap_s
        on = [rule for rule in rules if rule.is_on]
        holding = [(rule, rule.condition) for rule in on if isinstance(rule.condition, Holding)]
        self._of_workloads = [(rule, condition) for rule, condition in holding if not is_of_hosts(condition.query)]
        self._numbers = {rule.name: number for number, (rule, _) in enumerate(self._of_workloads)}
        self._of_hosts = [(rule, condition) for rule, condition in holding if is_of_hosts(condition.query)]
        self._of_sources = [rule for rule in on if isinstance(rule.condition, SourceIs | EngineDisk)]
        self._happenings = Happenings([rule for rule in on if isinstance(rule.condition, Happening)])
        self._told_by = told_by
        self._standings: dict[Key, Standing] = {}
        self._watched: dict[WorkloadId, set[int]] = {}
        """The workloads with a standing, with the rules that are therefore held against them at every moment."""
        self._mark = object()
        """What readings are marked with for which no rule holds."""
        self._silenced: dict[Key, float] = {}
        """Until which wall time there is no alert."""
        self._run, self._turn = "", 0
        self._at_ns: int | None = None
        """The instant of the last judgement in this run."""
        self.ended: deque[Alert] = deque(maxlen=_ENDED_KEPT)
        """The alerts that are over, the newest last."""
        self.judged = 0
        """How many times a rule was held against a workload by itself, not against all in one go: the work of it."""

    @property
    def active(self) -> list[Alert]:
        """The alerts that have begun and are not over, the gravest first, then the newest."""
        alerts = [standing.alert for standing in self._standings.values() if standing.alert is not None]
        return sorted(alerts, key=lambda alert: (-alert.rule.level.rank, -alert.began_wall, alert.name))

    def feed(self, moment: Moment) -> list[Alert]:
        """Judge a moment; return the alerts that have just begun or ended."""
        frame = moment.frame
        changed = self._begin_run(moment) if frame.run != self._run else []
        self._happenings.note(moment)
        passed_s = 0.0 if self._at_ns is None else (frame.at_ns - self._at_ns) / 1e9
        if self._at_ns is not None and 0 <= passed_s < LEAST_S:
            return changed
        self._at_ns = frame.at_ns
        if passed_s < 0 or passed_s > max(self._gap_s, _GAP_INTERVALS * frame.interval_s):
            passed_s = 0.0
        self._silenced = {key: until for key, until in self._silenced.items() if until > frame.wall}
        judged: set[Key] = set()
        for case in self._cases(moment):
            key = case.rule.name, case.subject
            judged.add(key)
            changed += self._take(key, case, passed_s, frame.wall)
        changed += self._end_the_gone(judged, frame.wall)
        self._watched = self._standing_rules()
        return changed

    def silence(self, alert: Alert, now_wall: float, until_wall: float) -> None:
        """End an alert, and let none of its rule begin about its subject until a wall time."""
        key = alert.rule.name, alert.subject
        self._silenced[key] = until_wall
        if self._standings.pop(key, None) is not None:
            self._end(alert, now_wall, SILENCED)

    def _begin_run(self, moment: Moment) -> list[Alert]:
        """Forget what belongs to another run, whose clock was another one."""
        changed = [
            self._end(standing.alert, moment.frame.wall, NEW_RUN)
            for standing in self._standings.values()
            if standing.alert is not None
        ]
        self._standings.clear()
        self._watched.clear()
        self._happenings.clear()
        self._run, self._at_ns = moment.frame.run, None
        return changed

    def _cases(self, moment: Moment) -> Iterator[_Case]:
        evidence = Evidence(moment, self._told_by)
        if self._of_workloads:
            yield from self._cases_of_workloads(evidence, moment)
        for reading in _hosts(moment):
            sized = evidence.of_host(reading)
            for rule, condition in self._of_hosts:
                yield self._held(evidence, rule, condition, sized)
        for state in moment.sources:
            yield from self._of_source(moment, state)
        yield from self._of_happenings(moment)

    def _of_happenings(self, moment: Moment) -> Iterator[_Case]:
        """Yield what is counted, and alerts about what no longer is: they are over, whatever became of the workload."""
        counted: set[Key] = set()
        for rule, identity, name, detail, holds in self._happenings.standing(moment):
            known = moment.readings.get(identity)
            workload = known.workload if known is not None else None
            counted.add((rule.name, Subject(identity)))
            yield _Case(rule, Subject(identity), name, workload, holds, 0.0, detail)
        for key, standing in [*self._standings.items()]:
            alert = standing.alert
            if alert is not None and isinstance(alert.rule.condition, Happening) and key not in counted:
                yield _Case(alert.rule, alert.subject, alert.name, alert.workload, False, 0.0)

    def _cases_of_workloads(self, evidence: Evidence, moment: Moment) -> Iterator[_Case]:
        """Yield a case of each rule that holds for a workload of this turn, or that has a standing with one."""
        places, turn = self._places(moment)
        columns = moment.columns.part([place + 1 for place in places])  # the host is before them
        holding: dict[int, set[int]] = {}
        for number, (_, condition) in enumerate(self._of_workloads):
            for index in condition.query.passing(columns):
                holding.setdefault(index, set()).add(number)
        for index, reading in enumerate(columns.readings):
            identity, holds = reading.workload.id, holding.get(index, _NO_RULES)
            standing = self._watched.get(identity, _NO_RULES)
            if reading.workload.is_host or not (holds or standing):
                reading.passed_by = self._mark
            else:  # what holds may be stale, and be confirmed without a change: it is not passed
                numbers = standing | holds if places[index] in turn else standing
                yield from self._of_workload(evidence, reading, numbers, holds)

    def _places(self, moment: Moment) -> tuple[Sequence[int], range]:
        """Return the places, among the readings, of those to be judged, and of those whose turn it is."""
        readings, mark = moment.readings, self._mark
        parts = max(1, -(-len(readings) // MOST_JUDGED))
        self._turn = (self._turn + 1) % parts
        turn = range(self._turn, len(readings), parts)
        in_turn = islice(readings.values(), turn.start, None, parts)
        due = [place for place, one in zip(turn, in_turn, strict=True) if one.passed_by is not mark]
        if not self._watched:
            return due, turn
        watched = compress(range(len(readings)), map(self._watched.__contains__, readings))
        return sorted({*due, *watched}), turn

    def _of_workload(self, evidence: Evidence, reading: Reading, numbers: Set[int], holds: Set[int]) -> Iterator[_Case]:
        for number in sorted(numbers):
            rule, condition = self._of_workloads[number]
            kinds = condition.query.kinds
            if kinds is None or reading.workload.kind in kinds:
                self.judged += 1
                yield self._held(evidence, rule, condition, reading, number in holds)

    def _standing_rules(self) -> dict[WorkloadId, set[int]]:
        """Return the rules of workloads that have a standing, by workload."""
        found: dict[WorkloadId, set[int]] = {}
        for name, subject in self._standings:
            if name in self._numbers:
                found.setdefault(subject.id, set()).add(self._numbers[name])
        return found

    def _held(self, evidence: Evidence, rule: Rule, condition: Holding, reading: Reading, holds: bool = False) -> _Case:
        """Return the case of a rule and a reading, of which it may be known that it holds but for its age."""
        workload = reading.workload
        subject = Subject(workload.id)
        standing = self._standings.get((rule.name, subject))
        has_begun = standing is not None and standing.alert is not None
        is_absent, end = False, OVER
        if has_begun and rule.until is not None:
            is_over = evidence.verdict(rule.until, reading)
            verdict = None if is_over is None else not is_over
        elif holds:
            verdict = evidence.confirmed(condition.query, reading)
        else:
            verdict = evidence.verdict(condition.query, reading)
        if has_begun and verdict is None and evidence.has_all_answered(reading):
            is_absent, end = True, ABSENT
            if not workload.state.is_active:
                verdict, end = False, AT_REST
        detail = "" if has_begun or not verdict else measured_words(condition.query, reading)
        return _Case(rule, subject, workload.name, workload, verdict, condition.for_s, detail, is_absent, end)

    def _of_source(self, moment: Moment, state: SourceState) -> Iterator[_Case]:
        for rule in self._of_sources:
            condition = rule.condition
            verdict: bool | None
            if isinstance(condition, EngineDisk):
                percent = state.storage_percent
                verdict = None if percent is None else percent > condition.percent
                detail = f"{percent:.0f}% full" if percent is not None else ""
            elif isinstance(condition, SourceIs) and condition.name in ("", state.name, state.title):
                verdict, detail = state.availability in condition.states, state.reason
            else:
                continue
            subject = Subject(moment.frame.host.id, state.title)
            yield _Case(rule, subject, state.title, None, verdict, condition.for_s, detail)

    def _take(self, key: Key, case: _Case, passed_s: float, wall: float) -> list[Alert]:
        standing = self._standings.get(key)
        if standing is None:
            if case.verdict is not True or key in self._silenced:
                return []
            standing = self._standings[key] = Standing()
        step = standing.take(case.verdict, passed_s, case.for_s, case.is_absent)
        if step is Step.BEGIN:
            alert = standing.alert = Alert(case.rule, case.subject, case.name, wall, case.detail, case.workload)
            return [alert]
        if step is Step.END and standing.alert is not None:
            del self._standings[key]
            return [self._end(standing.alert, wall, case.end)]
        if standing.is_idle:
            del self._standings[key]
        return []

    def _end_the_gone(self, judged: set[Key], wall: float) -> list[Alert]:
        """End the alerts about what is not there any more."""
        ended = []
        for key in [key for key in self._standings if key not in judged]:
            alert = self._standings.pop(key).alert
            if alert is not None:
                ended.append(self._end(alert, wall, GONE))
        return ended

    def _end(self, alert: Alert, wall: float, why: str) -> Alert:
        alert.ended_wall, alert.end = wall, why
        self.ended.append(alert)
        return alert


def _hosts(moment: Moment) -> Iterator[Reading]:
    if not moment.hosts:
        yield moment.host
    for host in moment.hosts.values():
        if host.reading is not None:
            yield host.reading
