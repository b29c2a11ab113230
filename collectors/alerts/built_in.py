"""The rules that vmtop brings. An `[[alerts]]` of the same name changes one, or switches it off."""

from __future__ import annotations

from functools import cache

from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.query.filter import parse

# fmt: off
_ROWS: tuple[tuple[str, str, str, Level, str], ...] = (
    ("memory limit", "unreclaimable > 95% of limit for 30s", "unreclaimable < 90% of limit", Level.WARNING,
     "its memory is at its limit"),
    ("out of memory", "event=oom", "", Level.CRITICAL, "the kernel killed one of its processes for lack of memory"),
    ("throttled", "throttled > 20% for 1m", "throttled < 10%", Level.WARNING, "its CPU quota slows it down"),
    ("steal", "steal > 10% for 1m", "steal < 5%", Level.WARNING, "its vCPUs wait for a host CPU"),
    ("restart loop", "event=restarted 3 times in 10m", "", Level.CRITICAL, "it ends again and again"),
    ("unhealthy", "health=unhealthy state=running for 10s", "", Level.WARNING, "its health check fails"),
    ("machine at fault", "kind=vm state=paused reason~'I/O error|API error|watchdog|crashed|failed'", "",
     Level.CRITICAL, "a fault has paused it"),
    ("engine disk", "engine disk > 90% for 30s", "", Level.CRITICAL, "the disk that it writes to is nearly full"),
    ("balloon silent", "kind=vm state=running report > 2m for 30s", "report < 1m", Level.INFO,
     "its balloon driver no longer reports what the guest uses"),
    ("host memory", "kind=host limit > 95% for 30s", "limit < 92%", Level.CRITICAL,
     "the host is nearly out of memory"),
    ("memory pressure", "memwait > 20% or memstall > 10% for 1m", "memwait < 10%", Level.WARNING,
     "its tasks wait for memory"),
    ("I/O pressure", "iostall > 40% for 2m", "iostall < 20%", Level.WARNING,
     "all of its tasks wait for I/O at once"),
    ("CPU pressure", "wait > 50% for 2m", "wait < 30%", Level.WARNING, "its tasks wait for a CPU"),
    ("source stuck", "source=stale for 30s", "", Level.WARNING, "it does not answer any more"),
    ("source down", "source=down for 30s", "", Level.WARNING, "it cannot be reached"),
)
# fmt: on


@cache
def built_in_rules() -> tuple[Rule, ...]:
    """Return the built-in rules, in the order of the documentation."""
    return tuple(
        Rule(name, parse_condition(when), parse(until) if until else None, level, text, is_built_in=True)
        for name, when, until, level, text in _ROWS
    )


def condition_text(name: str) -> str:
    """Return the condition of a built-in rule as it is written, for the documentation."""
    return next(when for row_name, when, *_ in _ROWS if row_name == name)


def until_text(name: str) -> str:
    """Return what ends an alert of a built-in rule, as it is written; empty: that the condition does not hold."""
    return next(until for row_name, _, until, *_ in _ROWS if row_name == name)
