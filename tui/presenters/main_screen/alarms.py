"""The worst that is wrong with a workload now, as a sentence for the title of its panes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collectors.analysis.history import CAPACITY, History
from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind
from tui.presenters.main_screen.row_words import span_words
from tui.presenters.main_screen.signs import ALARM, AT_LIMIT, FAULT, NEARLY, WARNING, is_unhealthy, memory_share
from tui.presenters.styled_lines import Run

_WAITS = {
    "cpu_wait_percent": "tasks wait for a CPU {:.0f}% of the time",
    "memory_stall_percent": "all tasks wait for memory {:.0f}% of the time",
    "memory_wait_percent": "tasks wait for memory {:.0f}% of the time",
    "io_stall_percent": "all tasks wait for I/O {:.0f}% of the time",
    "io_wait_percent": "tasks wait for I/O {:.0f}% of the time",
    "cpu_throttled_percent": "throttled in {:.0f}% of its periods",
    "cpu_steal_percent": "its vCPUs wait for a host CPU {:.0f}% of the time",
}


def worst_alarm(reading: Reading, moment: Moment, history: History, ascii_only: bool) -> Run | None:
    """Return the sign and a sentence about the worst that is wrong; `None` if nothing is."""
    workload = reading.workload
    if workload.is_faulted:
        return f"{FAULT.text(ascii_only)} {workload.state}: {workload.state_reason}", FAULT.tone
    found = _at_limit(reading, moment, history)
    if found is None and (wait := _waiting(reading, 1)):
        found = wait
    if found is not None:
        return f"{ALARM.text(ascii_only)} {found}", ALARM.tone
    if is_unhealthy(workload):
        return f"{WARNING.text(ascii_only)} its health check fails", WARNING.tone
    memory = memory_share(reading)
    if memory >= NEARLY:
        return f"{WARNING.text(ascii_only)} memory at {memory:.0f}% of its limit", WARNING.tone
    wait = _waiting(reading, 0)
    return (f"{WARNING.text(ascii_only)} {wait}", WARNING.tone) if wait else None


def worst_of_group(members: Sequence[Reading], moment: Moment, history: History, ascii_only: bool) -> Run | None:
    """Return the worst that is wrong with a member of a group, with its name; `None` if nothing is."""
    found: Run | None = None
    for member in members:
        alarm = worst_alarm(member, moment, history, ascii_only) if member.workload.state.is_active else None
        if alarm is not None and (found is None or (alarm[1] == "bad" and found[1] != "bad")):
            sign, _, sentence = alarm[0].partition(" ")
            found = f"{sign} {member.workload.name}: {sentence}", alarm[1]
    return found


def _at_limit(reading: Reading, moment: Moment, history: History) -> str | None:
    """Return which limit has been reached, and for how long as far as the history shows."""
    share = reading.value("cpu_of_limit_percent") or 0.0
    cores, is_machine = reading.value("cpu_limit_cores"), reading.workload.kind is Kind.VM
    if cores and share >= AT_LIMIT and (is_machine or cores < (reading.host_cpus or moment.frame.cpus)):
        least = cores * AT_LIMIT
        return "CPU at its limit" + _since(reading, "cpu_percent", lambda value: value >= least, moment, history)
    if is_machine and memory_share(reading) >= AT_LIMIT:
        return "the guest's memory is used up"
    return "memory at its limit" if memory_share(reading) >= AT_LIMIT else None


def _since(reading: Reading, key: str, holds: Callable[[float], bool], moment: Moment, history: History) -> str:
    ticks = 0
    for value in reversed(history.recent(reading.workload.id, key, CAPACITY)):
        if not holds(value):
            break
        ticks += 1
    seconds = history.span_s(ticks, moment.frame.interval_s or 1.0) if ticks > 1 else 0.0
    if seconds < 2:
        return ""
    return f" for {span_words(seconds)}"


def _waiting(reading: Reading, level: int) -> str:
    """Return the first kind of waiting that exceeds its threshold: 0, the warning; 1, the bad one."""
    for key, sentence in _WAITS.items():
        value, thresholds = reading.value(key), METRICS[key].thresholds
        if value is not None and thresholds is not None and value >= thresholds[level]:
            return sentence.format(value)
    return ""
