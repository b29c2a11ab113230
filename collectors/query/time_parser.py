"""Times and durations as users write them: `14:05`, `yesterday 2pm`, `10m ago`, `+30s`, `1h30m`. Pure.

A clock time without a date is its last occurrence in the session, in local time; `ago` counts from the session's end.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)(?:ec(?:ond)?s?|in(?:ute)?s?|ours?|ays?|eeks?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}(?:\.\d+)?))?\s*(am|pm)?", re.IGNORECASE)
_LONGEST_S = 100 * 365 * 86400.0
EXAMPLES = "14:05, 2pm, yesterday 14:05, 2026-11-24 03:12, 10m ago, +30s, start, end"


class TimeError(ValueError):
    """An invalid time; the message is one sentence for the user."""


def parse_span(text: str) -> float:
    """Return a duration in seconds: `90s`, `5m`, `1h30m`, `2d`; a bare number is seconds.

    Raises:
        TimeError: It is not a duration.
    """
    duration = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", duration):
        return _bounded(float(duration), text)
    parts = _PART.findall(duration)
    if not parts or _PART.sub("", duration).strip():
        raise TimeError(f"invalid duration {text!r} (examples: 90s, 5m, 1h30m)")
    return _bounded(sum(float(number) * _UNITS[unit.lower()] for number, unit in parts), text)


def parse_time(text: str, start: float, end: float, current: float | None = None) -> float:
    """Return a wall time in seconds since 1970.

    Args:
        text: What was typed.
        start: The session's first instant, a wall time.
        end: The session's last instant, a wall time.
        current: The wall time that `+30s` and `-5m` count from; the start by default.

    Raises:
        TimeError: The text is not a time.
    """
    words = " ".join(text.split()).lower()
    if words in ("start", "begin", "first"):
        return start
    if words in ("end", "now", "last"):
        return end
    if words[:1] in ("+", "-") and words[1:2].isdigit():
        span = parse_span(words[1:])
        return (start if current is None else current) + (span if words[0] == "+" else -span)
    if words.endswith(" ago"):
        return end - parse_span(words[:-4])
    wall = _date(words)
    wall = _clock(words, end) if wall is None else wall
    if wall is None:
        raise TimeError(f"{text!r} is not a time; examples: {EXAMPLES}.")
    return wall


def parse_end(text: str, start: float, end: float, since: float | None) -> float:
    """Return the wall time at which a span ends that begins at `since`.

    A clock time whose last occurrence is before `since` is the one on the next day: the session may have ended earlier
    than the span. Arguments and errors are those of `parse_time`.
    """
    wall = parse_time(text, start, end, since)
    if since is None or wall >= since or not _CLOCK.fullmatch(" ".join(text.split())):
        return wall
    return (datetime.fromtimestamp(wall) + timedelta(days=1)).timestamp()


def check_inside(text: str, wall: float, start: float, end: float) -> None:
    """Refuse a time that lies outside a session.

    Raises:
        TimeError: The time is more than a second outside; the message says where the session begins or ends.
    """
    if wall < start - 1:
        where = f"before the session, which begins at {_written(start)} ('start' goes there)"
    elif wall > end + 1:
        where = f"after the session, which ends at {_written(end)} ('end' goes there)"
    else:
        return
    raise TimeError(f"{text!r} is {_written(wall)}, {where}.")


def _written(wall: float) -> str:
    return datetime.fromtimestamp(wall).isoformat(" ", "seconds")


def _bounded(seconds: float, text: str) -> float:
    if seconds > _LONGEST_S:
        raise TimeError(f"{text!r} is longer than a century.")
    return seconds


def _date(text: str) -> float | None:
    if not re.match(r"\d{4}-", text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _clock(text: str, session_end: float) -> float | None:
    day, _, clock = text.partition(" ") if text.startswith(("today ", "yesterday ")) else ("", "", text)
    match = _CLOCK.fullmatch(clock)
    if match is None or not (match[2] or match[4]):
        return None
    hour, minute, second, half = int(match[1]), int(match[2] or 0), float(match[3] or 0), match[4]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if half == "pm" else 0) if half else hour
    try:
        end = datetime.fromtimestamp(session_end)
        moment = end.replace(hour=hour, minute=minute, second=int(second), microsecond=int(second % 1 * 1e6))
    except (ValueError, OverflowError, OSError):
        return None
    if day == "yesterday" or (not day and moment > end):
        moment -= timedelta(days=1)
    return moment.timestamp()
