"""What a row says in words: after its name, and across its numbers when it cannot have any. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from collectors.model.metrics import Unit
from collectors.model.workloads import State, Workload
from tui.presenters.formatting import duration, fit, text
from tui.presenters.main_screen.signs import has_failed, is_unhealthy
from tui.presenters.styled_lines import Run

_OUT_OF_MEMORY = "out of memory"
_BESIDE_THE_NAME = {
    State.PAUSED: "paused",
    State.SUSPENDED: "suspended",
    State.STARTING: "starting",
    State.STOPPING: "stopping",
    State.RESTARTING: "restarting",
    State.BLOCKED: "blocked",
}


def name_words(workload: Workload) -> Run | None:
    """Return what an active workload's name is followed by, where there is room for it: what is not as it should be."""
    if workload.is_faulted:
        return f"{workload.state} ({workload.state_reason})", "bad"
    if is_unhealthy(workload):
        return "unhealthy", "warn"
    word = _BESIDE_THE_NAME.get(workload.state)
    if word is not None:
        return word, "bad" if workload.state is State.BLOCKED else "muted"
    return ("starting", "muted") if workload.health == "starting" and workload.state is State.RUNNING else None


def ending_words(workload: Workload, ended_s: float | None, limit: float | None, hint: str) -> list[Run]:
    """Return how a workload ended that is not active: what happened, when, why, and what can be done.

    Args:
        workload: It is stopped, created or crashed.
        ended_s: Seconds since it ended; `None` where no event says when.
        limit: Its memory limit in bytes, where that is known.
        hint: What can be done, such as `x start`; empty for nothing.
    """
    ago = f" {span_words(ended_s)} ago" if ended_s is not None else ""
    reason = workload.state_reason or ""
    if workload.state is State.CREATED:
        what = "created, never started"
    elif workload.exit_code is not None and (workload.exit_code or reason):
        what = f"exited {workload.exit_code}{ago}"
    else:
        what = f"{workload.state}{ago}"
    runs: list[Run] = [(what, "bad" if has_failed(workload) else "muted")]
    if reason == _OUT_OF_MEMORY:
        at = f" at {text(limit, Unit.BYTES, 5).strip()}" if limit else ""
        runs.append((f", OOM killed{at}", "muted"))
    elif reason and reason != f"exit code {workload.exit_code}":
        runs.append((f", {reason}", "muted"))
    if hint:
        runs.append((f" · {hint}", "muted"))
    return runs


def span_words(seconds: float) -> str:
    """Return a span of time in whole seconds below a minute, else as a duration: `12s`, `1m30s`, `2d4h`."""
    return f"{max(0.0, seconds):.0f}s" if seconds < 59.5 else duration(seconds, 5).strip()


def rough_span(seconds: float) -> str:
    """Return a span of time in its largest unit: `12s`, `5m`, `2h`, `3d`."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds / size)}{unit}"
    return f"{max(0.0, seconds):.0f}s"


def fitted(runs: Sequence[Run], width: int, ellipsis: str = "…") -> list[Run]:
    """Cut or pad runs to exactly `width` cells. Parts after the first are left out whole where they do not fit."""
    fitting: list[Run] = []
    room = width
    for index, (part, tone) in enumerate(runs):
        size = cell_len(part)
        if size > room:
            if index == 0:
                return [(fit(part, width, ellipsis), tone)]
            break
        fitting.append((part, tone))
        room -= size
    return [*fitting, (" " * room, "text")] if room else fitting
