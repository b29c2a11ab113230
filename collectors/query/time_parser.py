"""Times and spans as people write them: `14:05`, `yesterday 2pm`, `10m ago`, `+30s`, `1h30m`. Pure.

A clock time without a date is the last one of that kind in the session, in local time; `ago` counts from its end.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)(?:ec(?:ond)?s?|in(?:ute)?s?|ours?|ays?|eeks?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}(?:\.\d+)?))?\s*(am|pm)?", re.IGNORECASE)
_LONGEST_S = 100 * 365 * 86400.0
EXAMPLES = "14:05, 2pm, yesterday 14:05, 2026-11-24 03:12, 10m ago, +30s, start, end"


class TimeError(ValueError):
    """A time that cannot be understood; the message is one sentence for the user."""


def parse_span(text: str) -> float:
    """Return seconds: `90s`, `5m`, `1h30m`, `2d`; a bare number is seconds.

    Raises:
        TimeError: It is not a duration.
    """
    wanted = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", wanted):
        return _bounded(float(wanted), text)
    parts = _PART.findall(wanted)
    if not parts or _PART.sub("", wanted).strip():
        raise TimeError(f"invalid duration {text!r} (examples: 90s, 5m, 1h30m)")
    return _bounded(sum(float(number) * _UNITS[unit.lower()] for number, unit in parts), text)


def parse_time(text: str, first: float, last: float, here: float | None = None) -> float:
    """Return a wall time in seconds since 1970.

    Args:
        text: What was typed.
        first: The session's first instant.
        last: Its last.
        here: What `+30s` and `-5m` count from; the first instant by default.

    Raises:
        TimeError: It is not a time.
    """
    wanted = " ".join(text.split()).lower()
    if wanted in ("start", "begin", "first"):
        return first
    if wanted in ("end", "now", "last"):
        return last
    if wanted[:1] in ("+", "-") and wanted[1:2].isdigit():
        span = parse_span(wanted[1:])
        return (first if here is None else here) + (span if wanted[0] == "+" else -span)
    if wanted.endswith(" ago"):
        return last - parse_span(wanted[:-4])
    moment = _date(wanted)
    moment = _clock(wanted, last) if moment is None else moment
    if moment is None:
        raise TimeError(f"{text!r} is not a time; examples: {EXAMPLES}.")
    return moment


def check_inside(text: str, wall: float, first: float, last: float) -> None:
    """Refuse a time that lies outside a session.

    Raises:
        TimeError: With what the session covers.
    """
    if not first - 1 <= wall <= last + 1:
        shown = [datetime.fromtimestamp(one).isoformat(" ", "seconds") for one in (wall, first, last)]
        raise TimeError(f"{text!r} is {shown[0]}, outside the session, which is {shown[1]} to {shown[2]}.")


def _bounded(seconds: float, text: str) -> float:
    if seconds > _LONGEST_S:
        raise TimeError(f"{text!r} is longer than a century.")
    return seconds


def _date(wanted: str) -> float | None:
    if not re.match(r"\d{4}-", wanted):
        return None
    try:
        return datetime.fromisoformat(wanted.upper()).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _clock(wanted: str, last: float) -> float | None:
    day, _, clock = wanted.partition(" ") if wanted.startswith(("today ", "yesterday ")) else ("", "", wanted)
    found = _CLOCK.fullmatch(clock)
    if found is None or not (found[2] or found[4]):
        return None
    hour, minute, second, half = int(found[1]), int(found[2] or 0), float(found[3] or 0), found[4]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    try:
        end = datetime.fromtimestamp(last)
        moment = end.replace(hour=hour, minute=minute, second=int(second), microsecond=int(second % 1 * 1e6))
    except (ValueError, OverflowError, OSError):
        return None
    if day == "yesterday" or (not day and moment > end):
        moment -= timedelta(days=1)
    return moment.timestamp()
