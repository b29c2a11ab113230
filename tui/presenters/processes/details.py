"""One process in full: the pane below the table, and its threads. No Textual."""

from __future__ import annotations

from rich.cells import cell_len

from collectors.model.metrics import Unit
from collectors.model.processes import ProcessDetails, Thread
from tui.presenters.formatting import fit, stamp, text
from tui.presenters.processes.table import Row
from tui.presenters.styled_lines import Line, wrapped

_LABEL = 22
_COMMAND_LINES = 2
_THREAD_HEADS = f" {'TID':>7} {'S':1} {'CPU%':>6} {'WAIT%':>6} {'ON':>4} "
_ROLE = 18


def pane_rule(row: Row | None, width: int, is_ascii: bool) -> Line:
    """Return the line above the pane: which process it is about."""
    dash = "-" if is_ascii else "─"
    if row is None:
        return [(dash * width, "border")]
    inner = f" (inside: {row.text.inner_pid})" if row.text is not None and row.text.inner_pid is not None else ""
    owner = f"  {row.owner.kind} {row.owner.name}" if row.owner is not None else ""
    name, words = f"{row.process.name} {row.process.pid}", fit(f"{inner}{owner}", max(0, width - 24)).rstrip()
    filling = max(0, width - 4 - cell_len(name + words))
    return [(f"{dash} ", "border"), (name, "title"), (words, "muted"), (f" {dash * filling}", "border")]


def pane_lines(row: Row, details: ProcessDetails | None, width: int, height: int) -> list[Line]:
    """Return what is known of a process, in two columns where they fit; at most `height` lines."""
    if details is None or details.id != row.process.id:
        return [[(" reading ...", "muted")]]
    command, *facts = [(fact.label, _value(fact.value, fact.unit)) for fact in details.facts]
    lines: list[Line] = [[(" ", "text"), *line] for line in wrapped([(command[1], "text")], width - 2)[:_COMMAND_LINES]]
    lines += [[(f" {problem}", "warn")] for problem in details.problems]
    long = [fact for fact in facts if len(fact[1]) > width // 2 - _LABEL]
    lines += [_fact(*fact, width) for fact in long]
    short = [fact for fact in facts if fact not in long]
    for left in range(0, len(short), 2):
        pair = short[left : left + 2]
        lines.append([run for fact in pair for run in _fact(*fact, width // 2)])
    return lines[:height]


def _fact(label: str, value: str, width: int) -> Line:
    tone = "muted" if value == "-" else "text"
    return [(f" {fit(label, _LABEL)} ", "muted"), (fit(value, max(1, width - _LABEL - 2)), tone)]


def _value(value: object, unit: Unit | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, float) and unit is None:
        return stamp(value)
    if isinstance(value, int | float) and unit is not None:
        return text(value, unit, 9).strip()
    return str(value)


def thread_heads(width: int, is_vm: bool) -> Line:
    """Return the headings of the list of threads."""
    return [(fit(_THREAD_HEADS + (f"{fit('ROLE', _ROLE)} " if is_vm else "") + "NAME", width), "muted")]


def thread_lines(details: ProcessDetails, is_vm: bool) -> list[Line]:
    """Return the threads of a process; of a virtual machine its vCPUs first, of others the busiest first."""
    threads = sorted(details.threads, key=_vm_order if is_vm else _busy_order)
    return [_thread(thread, is_vm) for thread in threads] or [[(" its threads cannot be read", "warn")]]


def _busy_order(thread: Thread) -> tuple[float, int]:
    return -(thread.cpu_percent or 0.0), thread.tid


def _vm_order(thread: Thread) -> tuple[int, str, float, int]:
    is_numbered = thread.role.startswith(("vCPU", "I/O thread"))
    rank = 0 if thread.role.startswith("vCPU") else 1 if is_numbered else 2
    return rank, thread.role.rjust(_ROLE) if is_numbered else "", *_busy_order(thread)


def _thread(thread: Thread, is_vm: bool) -> Line:
    wait = thread.wait_percent
    return [
        (f" {thread.tid:>7} ", "text"),
        (f"{thread.state} ", "good" if thread.state == "R" else "muted"),
        (text(thread.cpu_percent, Unit.PERCENT, 6) + " ", "text" if thread.cpu_percent else "muted"),
        (text(wait, Unit.PERCENT, 6) + " ", "warn" if wait is not None and wait >= 10 else "muted"),
        (f"{'-' if thread.last_cpu is None else thread.last_cpu:>4} ", "muted"),
        *([(fit(thread.role, _ROLE) + " ", "kind-vm")] if is_vm else []),
        (thread.name, "text"),
    ]
