"""The JSON document of `vmtop list --json` and `vmtop stream`: everything of one moment, under documented names.

Its contract is `docs/list.schema.json`. Keys end with their unit; a value that cannot be told is null, never zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from collectors.analysis.contacts import Contact, contacts
from collectors.analysis.ledger import Ledger, Shares
from collectors.analysis.rate_span import rates_over_s
from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import METRICS, Metric, Unit
from collectors.model.workloads import Event, SourceState, Workload, WorkloadId
from collectors.safety.redact import redact_label, redact_text

LIST_SCHEMA = "vmtop.list/1"
STREAM_SCHEMA = "vmtop.stream/1"

_WHOLE = frozenset({Unit.BYTES, Unit.BYTES_PER_SECOND, Unit.COUNT})


def document(
    moment: Moment,
    readings: Iterable[Reading] | None = None,
    schema: str = LIST_SCHEMA,
    explain: Callable[[str, Reading], str] | None = None,
) -> dict[str, object]:
    """Return a moment as plain values, ready for `json.dumps`.

    Args:
        moment: What to describe.
        readings: The workloads to include, in this order; all of them by default.
        schema: Name and version of the contract. `vmtop.stream/1` has `events` too.
        explain: Returns why a metric, by its key, has no value in a reading. Without it no reasons are in the document.
    """
    frame = moment.frame
    described: dict[str, object] = {
        "schema": schema,
        "time": timestamp(frame.wall),
        "rates_over_seconds": _rounded(rates_over_s(moment), 3),
        "host": _host(moment),
        "ledger": _ledger(moment.ledger),
        "hosts": [_other_host(contact, moment) for contact in contacts(frame).values()],
        "sources": [_source(state, frame.at_ns) for state in frame.sources],
        "workloads": [
            describe(reading) | ({} if explain is None else {"reasons": _reasons(reading, explain)})
            for reading in (moment.readings.values() if readings is None else readings)
            if not is_other_host(reading, moment)
        ],
    }
    if schema == STREAM_SCHEMA:
        described["events"] = [_event(event) for event in frame.events]
    return described


def is_other_host(reading: Reading, moment: Moment) -> bool:
    """Return whether a reading is another host's own, which is no workload."""
    return bool(moment.frame.hosts) and reading.workload.is_host


def timestamp(wall: float | None) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC with milliseconds; `None` for what is not a date."""
    if wall is None:
        return None
    try:
        return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


def number(metric: Metric, value: float | None) -> int | float | None:
    """Round a metric's value to what it is worth: bytes and counts whole, the rest to three decimals."""
    return _rounded(value, digits_of(metric.unit))


def digits_of(unit: Unit | None) -> int | None:
    """Return the decimals that a value of a unit is worth; `None` makes it whole."""
    return None if unit in _WHOLE else 3


def numbers(reading: Reading, plan: Sequence[tuple[str, int | None]]) -> list[int | float | None]:
    """Return many metrics of a reading, rounded; the plan has each one's key and decimals."""
    value_of = reading.value
    return [
        None if (value := value_of(key)) is None or not math.isfinite(value) else round(value, digits)
        for key, digits in plan
    ]


def _rounded(value: float | None, digits: int | None) -> int | float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(value) if digits is None else round(float(value), digits)


def _metrics(reading: Reading) -> dict[str, int | float | None]:
    return {key: number(metric, reading.value(key)) for key, metric in METRICS.items()}


def _reasons(reading: Reading, explain: Callable[[str, Reading], str]) -> dict[str, str]:
    """Return why each metric without a value has none."""
    return {key: explain(key, reading) for key in METRICS if reading.value(key) is None}


def _host(moment: Moment) -> dict[str, object]:
    frame = moment.frame
    return {
        "hostname": frame.facts.get("hostname") or frame.host.name,
        "kernel": frame.facts.get("kernel") or None,
        "cgroup": frame.facts.get("cgroup") or None,
        "cpus": frame.cpus,
        "memory_bytes": frame.memory_bytes,
        "facts": dict(frame.facts),
        "metrics": _metrics(moment.host),
    }


def _ledger(ledger: Ledger) -> dict[str, object]:
    return {"cpu_cores": _shares(ledger.cpu_cores, 3), "memory_bytes": _shares(ledger.memory_bytes, None)}


def _other_host(contact: Contact, moment: Moment) -> dict[str, object]:
    facts, whole = moment.frame.hosts[contact.name], moment.hosts[contact.name]
    state = contact.connection
    return {
        "name": contact.name,
        "availability": None if state is None else str(state.availability),
        "silent_seconds": _rounded(contact.silent_s, 1),
        "clock_ahead_seconds": facts.clock_ahead_s,
        "interval_seconds": facts.interval_s or None,
        "tags": list(facts.tags),
        "cpus": facts.cpus or None,
        "memory_bytes": facts.memory_bytes or None,
        "facts": dict(facts.facts),
        "metrics": None if whole.reading is None else _metrics(whole.reading),
        "ledger": _ledger(whole.ledger),
    }


def _shares(shares: Shares | None, digits: int | None) -> dict[str, object] | None:
    """Describe a split; `rest` is the difference of the rounded numbers, so that it adds up for the reader too.

    A part that cannot be measured is `None`, and in the rest.
    """
    if shares is None:
        return None
    parts = {name: _rounded(getattr(shares, name), digits) for name in ("vm", "container", "service")}
    host = _rounded(shares.host, digits) or 0
    rest = host - sum(part for part in parts.values() if part is not None)
    return {**parts, "rest": _rounded(rest, digits), "host": host, "capacity": _rounded(shares.capacity, digits)}


def _source(state: SourceState, now_ns: int) -> dict[str, object]:
    return {
        "name": state.name,
        "host": state.host or None,
        "availability": str(state.availability),
        "detail": state.detail,
        "reason": state.reason,
        "remedy": state.remedy,
        "age_seconds": None if state.read_at_ns is None else round(max(0, now_ns - state.read_at_ns) / 1e9, 3),
        "cost_seconds": None if state.cost_ns is None else round(state.cost_ns / 1e9, 6),
    }


def describe(reading: Reading) -> dict[str, object]:
    """Return one workload of the document."""
    workload = reading.workload
    return {
        "id": workload.id.id,
        "name": workload.name,
        "kind": str(workload.kind),
        "engine": workload.id.engine,
        "host": workload.id.host or None,
        "state": str(workload.state),
        "state_reason": workload.state_reason,
        "exit_code": workload.exit_code,
        "name_is_known": workload.name_is_known,
        **_facts(workload),
        "labels": {name: redact_label(name, value) for name, value in workload.labels},
        "metrics": _metrics(reading),
    }


def _facts(workload: Workload) -> dict[str, object]:
    return {
        "image": None if workload.image is None else redact_text(workload.image),
        "project": workload.project,
        "health": workload.health,
        "ports": workload.ports,
        "addresses": list(workload.addresses),
        "restarts": workload.restarts,
        "is_sandbox": workload.is_sandbox,
        "cgroup": workload.cgroup,
        "parent": None if workload.parent is None else _identity(workload.parent),
        "endpoint": workload.endpoint or None,
        "started_at": timestamp(workload.started_at),
    }


def _identity(identity: WorkloadId) -> dict[str, object]:
    return {"engine": identity.engine, "id": identity.id, "host": identity.host or None}


def _event(event: Event) -> dict[str, object]:
    return {
        "time": timestamp(event.wall),
        **_identity(event.workload),
        "name": event.name,
        "what": event.what,
        "detail": event.detail,
    }
