"""What a rule is judged by: fresh values only. What is stale or was not measured is unknown, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable

from collectors.analysis.contacts import contacts
from collectors.analysis.hosts import facts_of_host, pooled_bytes, size_of_host
from collectors.analysis.rates import Moment, Pair, Reading
from collectors.analysis.staleness import is_old
from collectors.model.metric_type import Unit
from collectors.model.metrics import METRICS
from collectors.model.workloads import Availability, Sample, Workload
from collectors.query.filter import FIELDS, NUMBERS, Query, share_of_limit
from collectors.query.words import OF_LIMIT

ToldBy = Callable[[str], frozenset[str]]
"""Returns the engines of whose workloads a source alone knows their state."""
_STATES = frozenset({"state", "health", "reason"})
_BINARY = ("", "K", "M", "G", "T", "P")


class Evidence:
    """A moment, as rules may use it."""

    def __init__(self, moment: Moment, told_by: ToldBy) -> None:
        self._frame = moment.frame
        self._silent_hosts = {name for name, contact in contacts(moment.frame).items() if not contact.answers}
        self._silent_engines = {
            (state.host, engine)
            for state in moment.sources
            if state.availability is Availability.STALE
            for engine in told_by(state.name.partition("@")[0])
        }

    def verdict(self, query: Query, reading: Reading) -> bool | None:
        """Return whether a filter holds for a workload now; `None` if that is not known."""
        verdict = query.verdict(reading)
        return self.confirmed(query, reading) if verdict else verdict

    def confirmed(self, query: Query, reading: Reading) -> bool | None:
        """Return whether a filter that holds for what is known of a workload holds now; `None` if that is too old."""
        return None if self._is_stale(query, reading) else True

    def _is_stale(self, query: Query, reading: Reading) -> bool:
        identity = reading.workload.id
        if identity.host in self._silent_hosts:
            return True
        suppliers = [sample for key in query.metrics if (sample := reading.supplier(key)) is not None]
        if suppliers:
            return any(map(self._is_old, suppliers))
        return (identity.host, identity.engine) in self._silent_engines

    def _is_old(self, sample: Sample) -> bool:
        return is_old(sample, self._frame.at_ns, self._frame.interval_s)

    def has_all_answered(self, reading: Reading) -> bool:
        """Return whether everything that tells of a workload has: what is not known of it then is not there."""
        identity = reading.workload.id
        if identity.host in self._silent_hosts or (identity.host, identity.engine) in self._silent_engines:
            return False
        return not any(self._is_old(pair.current) for pair in reading.pairs)

    def of_host(self, reading: Reading) -> Reading:
        """Return the reading of a host with what it has as its limits.

        Of its memory, pools of hugepages are not: nobody else can take from them, however full or empty they are.
        """
        cpus, memory_bytes = size_of_host(self._frame, reading.workload.id)
        pooled = pooled_bytes(facts_of_host(self._frame, reading.workload.id))
        size = Sample(
            source="host",
            at_ns=self._frame.at_ns,
            cpu_limit_cores=cpus or None,
            memory_limit_bytes=max(0, memory_bytes - pooled) or None,
        )
        return Reading(reading.workload, (*reading.pairs, Pair(None, size)), memory_bytes, cpus)


def measured_words(query: Query, reading: Reading) -> str:
    """Return the values and states that a filter asks for: `limit 97%, state paused`; empty if there are none.

    Of a share of a limit it is the share, as in `cpu 93% of limit`.
    """
    parts = []
    for key in query.metrics:
        metric, is_share = METRICS[key], key in query.shares
        value = share_of_limit(metric, reading) if is_share else reading.value(key)
        if value is not None and value == value:
            amount = _amount(value, Unit.PERCENT) + OF_LIMIT if is_share else _amount(value, metric.unit)
            parts.append(f"{metric.alias} {amount}")
    for name in query.facts:
        fact = _told(name, reading.workload)
        parts += [f"{name} {fact}"] if fact else []
    return ", ".join(parts)


def unknown_words(query: Query, reading: Reading) -> str:
    """Return what a filter asks for and nobody knows of a workload: `no health, no mem of limit`; empty for nothing."""
    unknown = (term for terms in query.alternatives for term in terms if term.verdict(reading) is None)
    names = (term.fact or METRICS[term.metrics[0]].alias + OF_LIMIT * term.is_share for term in unknown)
    return ", ".join(f"no {name}" for name in dict.fromkeys(names))


def _told(name: str, workload: Workload) -> str:
    """Return a fact that says how a workload is; empty for those that say which one it is."""
    if name in NUMBERS:
        number = NUMBERS[name](workload)
        return "" if number is None else str(number)
    return FIELDS[name](workload) if name in _STATES else ""


def _amount(value: float, unit: Unit) -> str:
    if unit in (Unit.BYTES, Unit.BYTES_PER_SECOND):
        power = 0
        while value >= 1000 and power < len(_BINARY) - 1:
            value, power = value / 1024, power + 1
        return f"{value:.3g}{_BINARY[power]}" + ("/s" if unit is Unit.BYTES_PER_SECOND else "")
    suffix = {Unit.PERCENT: "%", Unit.SECONDS: "s", Unit.MILLISECONDS: "ms", Unit.PER_SECOND: "/s"}.get(unit, "")
    return f"{value:.0f}{suffix}" if abs(value) >= 10 else f"{value:.1f}".removesuffix(".0") + suffix
