"""The words of the form of limits: what is there, what is used, what would happen, what has happened. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.model.actions import Result
from collectors.model.limit_changes.outcomes import Applied
from collectors.model.limit_changes.plans import Plan, Use, shown
from collectors.model.limits import Lasts, Limit, LimitKey, write_amount
from collectors.model.metrics import Unit
from tui.presenters.formatting import text

_GOOD = frozenset({Result.DONE, Result.ALREADY})


def now_text(limit: Limit) -> str:
    """Return what a limit is now: `-` where it is not known, `none` where there is none."""
    return shown(limit) if limit.is_measured else "-"


def used_text(key: LimitKey, use: Use) -> str:
    """Return what the workload uses of a limit, by the time on screen or now; empty where that is not measured."""
    parts: list[str] = []
    if key is LimitKey.MEMORY:
        parts = [_size(value) for value in (use.memory_bytes, use.memory_most_bytes) if value is not None]
    elif key is LimitKey.CPU:
        parts = [f"{value:.2f}" for value in (use.cpu_cores, use.cpu_most_cores) if value is not None]
    elif key is LimitKey.PIDS and use.pids is not None:
        return f"{use.pids:.0f} now"
    if not parts:
        return ""
    first = f"{parts[0]} now" if use.over == "now" else f"p95 {parts[0]}"
    return first + (f", max {parts[1]}" if len(parts) > 1 else "")


def _size(value: float) -> str:
    return text(value, Unit.BYTES, 6).strip()


def closed_lines(limits: Iterable[Limit]) -> list[tuple[str, str]]:
    """Return why some limits cannot be set, each reason once, as lines with their tones."""
    reasons: dict[str, list[str]] = {}
    for limit in limits:
        if limit.objection:
            reasons.setdefault(limit.objection, []).append(limit.key)
    return [(f"{', '.join(names)}: {reason}", "muted") for reason, names in reasons.items()]


def plan_lines(plan: Plan) -> list[tuple[str, str]]:
    """Return what a plan means, as lines with their tones: first what is refused, then what is warned of."""
    if plan.objection:
        fix = [(f"fix: {plan.remedy}", "muted")] if plan.remedy else []
        return [(f"not possible: {plan.objection}", "bad"), *fix]
    lines: list[tuple[str, str]] = []
    for change in sorted(plan.changes, key=lambda change: (not change.objection, not change.warnings)):
        if change.objection:
            lines.append((f"{change.key}: {change.objection}", "bad"))
            continue
        words = change.words if change.has_effect else f"{change.key} is already {shown(change.now)}"
        lines.append((words, "title"))
        lines += [(f"  {warning}", "warn") for warning in change.warnings]
        lines += [(f"  $ {command}", "muted") for command in change.commands]
    lasting = {change.lasts for change in plan.changes if not change.objection}
    lines += [(f"It lasts {_lasting(lasts)}.", "muted") for lasts in Lasts if lasts in lasting]
    return lines


def _lasting(lasts: Lasts) -> str:
    return str(lasts.value)


def outcome_lines(applied: Applied) -> list[tuple[str, str]]:
    """Return how it ended, as lines with their tones."""
    lines: list[tuple[str, str]] = []
    for outcome in applied.outcomes:
        tone = "good" if outcome.result in _GOOD else "warn" if outcome.result is Result.UNKNOWN else "bad"
        lines.append((outcome.sentence, tone))
        lines += [(f"  fix: {outcome.remedy}", "muted")] if outcome.remedy else []
    return lines


def typed_texts(changes: dict[LimitKey, float | str | None]) -> dict[LimitKey, str]:
    """Return changes as they would be typed into the form."""
    return {key: write_amount(key, amount) for key, amount in changes.items()}
